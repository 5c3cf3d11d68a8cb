//! The command line.
#![expect(
    clippy::print_stdout,
    reason = "what was measured is what this program is for"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Error, ensure};
use clap::{Args, Parser, Subcommand};

use crate::compare::{Measurement, compare};
use crate::fixture::{self, Counts, Fixture};
use crate::load::Load;
use crate::peers::ceiling;
use crate::report;
use crate::results::Results;
use crate::scenarios::{BEACON, Scenario, World};
use crate::schedule::Shape;
use crate::side::Side;
use crate::token::Mint;

/// Drives servers side by side and says what they did.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures a scenario on every side, in turns
    Run(RunArgs),
    /// Writes a fixture file, and fills a migrated database with it
    Fixture(FixtureArgs),
    /// Serves what another server answers now, by hyper alone: the ceiling of HTTP
    Ceiling(CeilingArgs),
    /// Prints one figure of a result: its median over the rounds
    Figure(FigureArgs),
    /// Makes the page of charts and the tables of BENCHMARKS.md of a folder of results
    Report(ReportArgs),
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
struct RunArgs {
    /// What to measure
    scenario: Scenario,
    /// A side: name=… url=http://… [url=…] [pid=…] [store=…] [speaks=…] [metrics=…] [database=…] [run=…]
    #[arg(long = "side", required = true)]
    sides: Vec<Side>,
    /// Who there is; made by `fixture`
    #[arg(long)]
    fixture: Option<PathBuf>,
    /// The file with the secret that the servers verify tokens by
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// Connections, sockets or sessions at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Operations a second over all of them, sent on time whatever is answered; as many as it takes
    /// where it is not given
    #[arg(long)]
    rate: Option<f64>,
    /// Rounds of each side
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long a round is measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long it runs before that
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Sockets of each person who receives, in `fanout`
    #[arg(long, default_value_t = 8)]
    devices: usize,
    /// What the result is called; the scenario's name where it is not given
    #[arg(long)]
    label: Option<String>,
    /// What was measured, in a sentence
    #[arg(long, default_value = "")]
    title: String,
    /// Where to write the result
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct FixtureArgs {
    #[command(flatten)]
    counts: Counts,
    /// The database to empty and fill; its name must have `bench` in it
    #[arg(long)]
    database: Option<String>,
    /// The file to write
    #[arg(long)]
    file: PathBuf,
}

#[derive(Debug, Args)]
struct CeilingArgs {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Whose answer to give
    #[arg(long)]
    like: SocketAddr,
}

#[derive(Debug, Args)]
struct FigureArgs {
    /// The result
    file: PathBuf,
    /// The side's name
    side: String,
    /// The figure's name: rate, per_core, p99_us, …
    figure: String,
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// The folder with the results
    folder: PathBuf,
    /// The page of charts to write
    #[arg(long)]
    html: Option<PathBuf>,
    /// The Markdown file whose part between the two marks is to be written anew
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// A file about the machine and the versions, a line each
    #[arg(long)]
    about: Option<PathBuf>,
    /// The folder of criterion's results, for the targets that are measured inside
    #[arg(long)]
    criterion: Option<PathBuf>,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) async fn run(self) -> Result<(), Error> {
        match self.command {
            Command::Run(args) => run(args).await,
            Command::Fixture(args) => {
                fixture::make(args.counts, args.database.as_deref(), &args.file).await
            }
            Command::Ceiling(args) => ceiling::serve(args.listen, args.like, BEACON).await,
            Command::Figure(args) => figure(&args),
            Command::Report(args) => make_report(&args),
        }
    }
}

async fn run(args: RunArgs) -> Result<(), Error> {
    ensure!(args.rounds > 0, "no rounds, no result");
    let fixture = args.fixture.as_deref().map(Fixture::read).transpose()?;
    let secret = args.secret_file.as_deref().map(std::fs::read_to_string);
    let secret = secret.transpose().context("cannot read the secret")?;
    let world = World {
        fixture: fixture.unwrap_or_default(),
        mint: Mint::new(secret.unwrap_or_default().trim_end()),
        load: Load {
            connections: args.connections,
            rate: args.rate,
            shape: Shape::Even,
            length: Duration::try_from_secs_f64(args.seconds)?,
            warm_up: Duration::try_from_secs_f64(args.warm_up)?,
        },
        rounds: args.rounds,
        devices: args.devices,
    };
    let label = args.label.unwrap_or_else(|| args.scenario.name());
    let results = compare(Measurement {
        scenario: args.scenario,
        label,
        title: args.title,
        world: &world,
        sides: &args.sides,
    })
    .await?;
    println!("{}", report::table::of(args.scenario, &results));
    if let Some(json) = &args.json {
        results.write(json)?;
    }
    Ok(())
}

fn figure(args: &FigureArgs) -> Result<(), Error> {
    let results = Results::read(&args.file)?;
    let side = results.side(&args.side).context("no such side")?;
    let spread = side.figure(&args.figure).context("no such figure")?;
    println!("{}", spread.median);
    Ok(())
}

fn make_report(args: &ReportArgs) -> Result<(), Error> {
    let mut all = Results::read_all(&args.folder)?;
    all.extend(
        args.criterion
            .as_deref()
            .and_then(report::criterion::find_available),
    );
    let about = args.about.as_deref().map(std::fs::read_to_string);
    let about = about.transpose().context("cannot read about the machine")?;
    let about = about.unwrap_or_default();
    if let Some(html) = &args.html {
        let page = report::html::page(&all, &about);
        std::fs::write(html, page).with_context(|| format!("cannot write {}", html.display()))?;
    }
    let section = report::markdown::section(&all, &about);
    match &args.markdown {
        Some(markdown) => report::markdown::replace(markdown, &section),
        None => {
            println!("{section}");
            Ok(())
        }
    }
}
