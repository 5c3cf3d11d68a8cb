//! The real binary: its commands, its name.

use std::process::{Output, Stdio};
use std::time::Duration;

use aspectavy::COMPILED;
use halobestie_testkit::TestDb;
use tokio::process::Command;
use tokio::time::timeout;

const JWT_SECRET: &str = "a secret that only the tests of this project know";

async fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aspectavy"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
        .env("APP_ENV", "test")
        .env("AUTH_JWT_SECRET", JWT_SECRET);
    command.env("FORECAST_FEED_URL", "http://127.0.0.1:1/forecasts");
    command.envs(variables.iter().copied()).kill_on_drop(true);
    let output = timeout(Duration::from_secs(60), command.output()).await;
    output.expect("the command ends").expect("the binary runs")
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[tokio::test]
async fn it_migrates_seeds_and_looks_at_itself() {
    let database = TestDb::create(COMPILED).await;
    let url = [("DATABASE_URL", database.url())];
    for args in [&["migrate", "status"][..], &["seed"], &["config", "check"]] {
        let output = run(args, &url).await;
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output));
    }
}

#[tokio::test]
async fn it_speaks_of_itself_by_its_own_name_and_has_no_module_of_others() {
    let help = text(&run(&["--help"], &[]).await);
    assert!(
        help.contains("Avalanche forecasts") && help.contains("aspectavy"),
        "{help}"
    );
    assert!(!help.contains("halobestie"), "{help}");
    let modules = text(&run(&["modules"], &[]).await);
    for name in ["auth", "analytics", "forecast", "routes", "tours"] {
        assert!(
            modules.lines().any(|line| line.starts_with(name)),
            "{name}: {modules}"
        );
    }
    assert!(
        !modules.contains("chat") && !modules.contains("not compiled in"),
        "{modules}"
    );
}

#[tokio::test]
async fn a_mistake_is_named_and_exits_2() {
    let output = run(
        &["serve"],
        &[
            ("FORECAST_FEED_URL", "nowhere"),
            ("ROUTES_ENABLED", "maybe"),
        ],
    )
    .await;
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for name in ["DATABASE_URL", "FORECAST_FEED_URL", "ROUTES_ENABLED"] {
        assert!(text.contains(name), "{text}");
    }
}
