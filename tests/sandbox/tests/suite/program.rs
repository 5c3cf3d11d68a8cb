//! The program that `dev` runs.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Http;

struct Program {
    child: Child,
    lines: Vec<String>,
}

impl Program {
    /// Starts it at free ports, and reads what it says until it is ready.
    async fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halobestie-sandbox"));
        command.args(["--addr", "127.0.0.1:0"]).args(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = Vec::new();
        while let Some(line) = out.next_line().await.unwrap() {
            if line == "ready" {
                return Self { child, lines };
            }
            lines.push(line);
        }
        panic!("it ended: {lines:?}");
    }

    fn value(&self, prefix: &str) -> &str {
        let mut values = self.lines.iter().filter_map(|it| it.strip_prefix(prefix));
        values
            .next()
            .unwrap_or_else(|| panic!("{prefix} in {:?}", self.lines))
    }
}

#[tokio::test]
async fn it_says_where_it_is_serves_and_stops() {
    let name = format!("sandbox-{}.json", std::process::id());
    let file: PathBuf = std::env::temp_dir().join(name);
    let mut program = Program::start(&["--service-account", file.to_str().unwrap()]).await;
    let http = Http::new();
    let home = http
        .get(program.value("# pages: "))
        .send()
        .await
        .expect(200);
    assert!(home.body.contains("Nothing yet."));
    let send = format!("{}/send", program.value("FAZPASS_BASE_URL="));
    http.post(&send).send().await.expect(401);
    let account = std::fs::read_to_string(program.value("FIREBASE_SERVICE_ACCOUNT_PATH="));
    std::fs::remove_file(&file).unwrap();
    let account: serde_json::Value = serde_json::from_str(&account.unwrap()).unwrap();
    let token_uri = account["token_uri"].as_str().unwrap();
    assert!(token_uri.starts_with(program.value("FCM_BASE_URL=")));
    let pid = program.child.id().unwrap().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(killed.unwrap().success());
    assert!(program.child.wait().await.unwrap().success());
}

#[tokio::test]
async fn nonsense_is_refused_at_the_start() {
    for arguments in [["--webhook-speed", "0"], ["--addr", "here"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halobestie-sandbox"));
        let output = command.args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
}
