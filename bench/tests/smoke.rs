//! Every scenario for a moment, by the real program against a real server. What is measured is nobody's
//! business here; that something is, and that nothing fails, is.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

use std::path::{Path, PathBuf};
use std::process::Output;

use halobestie_auth::Auth;
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::Entry;
use halobestie_core::clock::Clock;
use halobestie_testkit::{PostgresProcess, TestApp, TestDb};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
];

const SECRET: &str = "a secret that only the tests of this project know";

/// A server with a fixture in its database, and a folder for files.
struct Stage {
    app: TestApp,
    folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().expect("there is room for files");
        std::fs::write(folder.path().join("secret"), SECRET).expect("the secret is written");
        let database = TestDb::create(ENTRIES).await;
        let counts = ["--mitras=8", "--sessions=8", "--customers=60"];
        let file = folder.path().join("fixture.json");
        let mut arguments = vec!["fixture", "--database", database.url()];
        arguments.extend(["--file", file.to_str().expect("the path is text")]);
        arguments.extend(counts);
        let output = bench(&arguments).await;
        assert!(output.status.success(), "{}", said(&output));
        let app = TestApp::with(ENTRIES)
            .database(&database)
            // Tokens are signed by the machine's time.
            .clock(Clock::system())
            .env("CHAT_FRAMES_PER_SECOND", "0")
            .env("CHAT_MESSAGES_PER_SECOND", "0")
            .env("FIRST_RESPONSE_SECONDS", "0")
            .start()
            .await;
        Self { app, folder }
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().expect("the path is text").to_owned()
    }

    /// The server as a side; its process is the test's own.
    fn side(&self) -> String {
        format!(
            "name=halobestie url=http://{} metrics=http://{} pid={} database={}",
            self.app.public_address(),
            self.app.internal_address(),
            std::process::id(),
            self.app.database.url()
        )
    }

    /// Runs a scenario for a moment; its result.
    async fn run(&self, scenario: &str, further: &[&str]) -> Value {
        let (json, side) = (self.file(&format!("{scenario}.json")), self.side());
        let (fixture, secret) = (self.file("fixture.json"), self.file("secret"));
        let mut arguments = vec!["run", scenario, "--side", &side, "--json", &json];
        arguments.extend(["--fixture", &fixture, "--secret-file", &secret]);
        arguments.extend([
            "--rounds=1",
            "--seconds=0.3",
            "--warm-up=0.1",
            "--connections=4",
        ]);
        arguments.extend(further);
        let output = bench(&arguments).await;
        assert!(output.status.success(), "{}", said(&output));
        let text = std::fs::read(json).expect("the result is written");
        let result: Value = serde_json::from_slice(&text).expect("the result is JSON");
        result["sides"][0]["rounds"][0].clone()
    }
}

async fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_halobestie-bench"))
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .expect("the program runs")
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Something was done, and nothing failed, was lost or came twice.
fn assert_clean(round: &Value) {
    assert!(round["operations"].as_u64() > Some(0), "{round:#}");
    assert_eq!(round["failures"], serde_json::json!({}), "{round:#}");
    for figure in ["lost", "duplicated"] {
        let found = &round["figures"][figure];
        assert!(found.is_null() || found.as_f64() == Some(0.0), "{round:#}");
    }
}

#[tokio::test]
async fn scenarios_of_one_request_each_run_in_closed_and_open_loop() {
    let stage = Stage::set().await;
    for scenario in ["beacon", "heartbeat", "send-http", "send-ws", "otp-refresh"] {
        assert_clean(&stage.run(scenario, &[]).await);
        let open = stage.run(scenario, &["--rate=100"]).await;
        assert_clean(&open);
        assert_eq!(
            open["operations"], 30,
            "as many as were scheduled: {open:#}"
        );
    }
    stage.app.stop().await;
}

#[tokio::test]
async fn what_is_published_is_delivered_to_every_device() {
    let stage = Stage::set().await;
    let further = ["--rate=20", "--devices=3", "--warm-up=0"];
    let round = stage.run("fanout", &further).await;
    assert_clean(&round);
    assert_eq!(round["operations"], 18, "six messages to three devices");
    assert_clean(&stage.run("fanout", &["--devices=2"]).await);
    stage.app.stop().await;
}

#[tokio::test]
async fn sockets_idle_storm_and_pair() {
    let stage = Stage::set().await;
    assert_clean(&stage.run("idle", &["--connections=10"]).await);
    let storm = stage.run("connect-storm", &["--connections=8"]).await;
    assert_clean(&storm);
    assert_eq!(storm["operations"], 8, "all are back");
    let pairing = stage.run("pairing", &[]).await;
    assert_clean(&pairing);
    assert_eq!(pairing["figures"]["winners"], 1.0);
    assert_eq!(pairing["operations"], 4, "all were answered");
    stage.app.stop().await;
}

#[tokio::test]
async fn a_day_and_a_sweep_pass() {
    let stage = Stage::set().await;
    let day = stage.run("mixed", &["--connections=8", "--rate=200"]).await;
    assert_clean(&day);
    assert!(day["figures"]["p99_us_beacon"].is_number(), "{day:#}");
    assert_clean(&stage.run("sweep", &["--rate=50"]).await);
    stage.app.stop().await;
}

#[tokio::test]
async fn results_become_a_page_and_a_section() {
    let stage = Stage::set().await;
    stage.run("beacon", &[]).await;
    let results = stage.folder.path().join("results");
    std::fs::create_dir(&results).expect("a folder is made");
    std::fs::copy(stage.file("beacon.json"), results.join("beacon.json")).expect("it is copied");
    let marks = "before\n<!-- scripts/bench writes from here -->\n<!-- to here -->\nafter\n";
    let (page, markdown) = (stage.file("page.html"), stage.file("BENCHMARKS.md"));
    std::fs::write(&markdown, marks).expect("a file is written");
    let folder = results.to_str().expect("the path is text");
    let output = bench(&["report", folder, "--html", &page, "--markdown", &markdown]).await;
    assert!(output.status.success(), "{}", said(&output));
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).expect("it was written");
    assert!(read(&page).contains("<svg"));
    let markdown = read(&markdown);
    assert!(
        markdown.starts_with("before") && markdown.contains("### beacon"),
        "{markdown}"
    );
    let output = bench(&["figure", &stage.file("beacon.json"), "halobestie", "rate"]).await;
    let rate: f64 = said(&output).trim().parse().expect("a number");
    assert!(rate > 0.0);
    stage.app.stop().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_for_it_is_not_emptied() {
    let postgres = PostgresProcess::start().await;
    let database = TestDb::create_in(&postgres, ENTRIES).await;
    let folder = tempfile::tempdir().expect("there is room for files");
    let file = folder.path().join("fixture.json");
    let file = file.to_str().expect("the path is text");
    let output = bench(&["fixture", "--database", database.url(), "--file", file]).await;
    assert!(!output.status.success());
    assert!(
        said(&output).contains("is not emptied"),
        "{}",
        said(&output)
    );
}
