//! The sandbox as a program, for `dev`: four ports in a row, the first with the pages.
//!
//! When everything listens it prints the environment for a server, a variable a line, then `ready`.
//! SIGTERM or SIGINT end it. Nothing is kept.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use halobestie_sandbox::Sandbox;
use halobestie_sandbox::xendit::{Account, Delivery};
use tokio::signal::unix::{SignalKind, signal};

/// Fazpass, Xendit and Google on this machine, as strict as the real ones.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Where to listen: the pages here, Fazpass, Xendit and Google at the three ports that follow.
    /// Port 0 takes any that are free.
    #[arg(long, default_value = "127.0.0.1:3900")]
    addr: SocketAddr,

    /// How browsers reach the pages, if not at --addr.
    #[arg(long, value_name = "URL")]
    pages_url: Option<String>,

    /// Where to write the service account's file. Its key is made anew at each start.
    #[arg(long, value_name = "PATH")]
    service_account: Option<PathBuf>,

    /// Where webhooks of Xendit go: <http://127.0.0.1:3000/api/webhooks/xendit>.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,

    /// How much faster than in reality a webhook is sent again; at 900 the first time after a second.
    #[arg(long, default_value_t = 900.0, value_parser = speed)]
    webhook_speed: f64,

    /// Calls a minute that Xendit takes at each endpoint, instead of its usual 60 for a test key.
    #[arg(long, value_name = "COUNT")]
    xendit_rate: Option<usize>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if speed.is_finite() && speed > 0.0 {
        Ok(speed)
    } else {
        Err("must be more than 0".to_owned())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "halobestie-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    // Listened to before anybody is told that we are ready.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let sandbox = start(&arguments).await?;
    let mut variables = sandbox.variables();
    if let Some(path) = &arguments.service_account {
        sandbox.google.write_service_account(path)?;
        variables.extend(sandbox.google.variables(path));
    }
    announce(&sandbox, &variables)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn start(arguments: &Arguments) -> io::Result<Sandbox> {
    let xendit = Account {
        calls_per_minute: arguments.xendit_rate,
        delivery: Delivery {
            urls: arguments.webhook_url.iter().cloned().collect(),
            speed: arguments.webhook_speed,
            ..Delivery::default()
        },
        ..Account::default()
    };
    let mut builder = Sandbox::builder().address(arguments.addr).xendit(xendit);
    if let Some(url) = &arguments.pages_url {
        builder = builder.pages_url(url);
    }
    builder.start().await
}

fn announce(sandbox: &Sandbox, variables: &[(&str, String)]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "# pages: {}/", sandbox.pages_url())?;
    for (name, value) in variables {
        writeln!(out, "{name}={value}")?;
    }
    writeln!(out, "ready")?;
    out.flush()
}
