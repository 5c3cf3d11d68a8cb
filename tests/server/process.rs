//! The real binary as a process of the test's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::Duration;

use halobestie_testkit::TestDb;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// Longer than any start, stop or command of a test takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the binary is configured with: nothing of the surrounding environment.
#[derive(Clone)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// No more than what every start needs.
    pub(crate) fn minimal() -> Self {
        let defaults = [
            ("APP_ENV", "test"),
            (
                "AUTH_JWT_SECRET",
                "a secret that only the tests of this project know",
            ),
            ("AUTH_BCRYPT_COST", "4"),
            ("INTERNAL_ADDR", "127.0.0.1:0"),
            ("LOG_FORMAT", "json"),
            ("PUBLIC_ADDR", "127.0.0.1:0"),
        ];
        Self(
            defaults
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        )
    }

    /// Over this database, without Valkey.
    pub(crate) fn over(database: &TestDb) -> Self {
        Self::minimal().with("DATABASE_URL", database.url())
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs one command to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).stdin(Stdio::null()).output();
        timeout(PATIENCE, output)
            .await
            .expect("the command ends")
            .expect("the binary runs")
    }

    /// Runs one command to its end, with this on its standard input.
    pub(crate) async fn run_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut command = self.command(args);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("piped");
        // A command that reads nothing may have ended already.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        timeout(PATIENCE, child.wait_with_output())
            .await
            .expect("the command ends")
            .expect("the binary runs")
    }

    /// Starts one command whose output is read line by line.
    pub(crate) fn spawn(&self, args: &[&str]) -> Running {
        let mut child = self
            .command(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Running {
            child,
            lines,
            printed: Vec::new(),
        }
    }

    /// Starts a server and waits until it serves.
    pub(crate) async fn serve(&self, args: &[&str]) -> Server {
        Server::start(self.command(args)).await
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halobestie"));
        command
            .args(args)
            .env_clear()
            .envs(&self.0)
            .kill_on_drop(true);
        command
    }
}

/// A command that goes on while the test does something else.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    printed: Vec<String>,
}

impl Running {
    /// Reads until a line holds `text`.
    pub(crate) async fn until(&mut self, text: &str) {
        let found = timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await.expect("the output is text") {
                self.printed.push(line);
                if self.printed.last().is_some_and(|line| line.contains(text)) {
                    return true;
                }
            }
            false
        });
        assert!(
            found.await.unwrap_or(false),
            "{text} was not printed: {:#?}",
            self.printed
        );
    }

    /// Waits for the end; the exit code and everything printed.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        let rest = async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                self.printed.push(line);
            }
            self.child
                .wait()
                .await
                .expect("the command is a child of this test")
                .code()
        };
        let code = timeout(PATIENCE, rest).await.expect("the command ends");
        (code, self.printed.join("\n"))
    }
}

/// What a command printed, for an assertion's message.
pub(crate) fn shown(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Asks any server; the status and the body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is sent");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("the answer is text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// A serving process.
pub(crate) struct Server {
    /// Where the public listener is.
    pub(crate) public: SocketAddr,
    /// Where the internal listener is.
    pub(crate) internal: SocketAddr,
    child: Child,
}

impl Server {
    async fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let serving = async {
            while let Some(line) = lines.next_line().await.expect("the log is text") {
                let line: Value = serde_json::from_str(&line).expect("a log line is JSON");
                if line["message"] == "serving" {
                    return (address(&line["public"]), address(&line["internal"]));
                }
            }
            panic!("the server ended instead of serving");
        };
        let (public, internal) = timeout(PATIENCE, serving).await.expect("the server starts");
        // A log that nobody reads would block the server once the pipe is full.
        #[expect(
            clippy::disallowed_methods,
            reason = "the test is outside of the server's tracker"
        )]
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            public,
            internal,
            child,
        }
    }

    /// The address of a path on the public listener.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// Sends a signal by name: `TERM`, `INT`, `KILL`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("the server runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.expect("kill runs").success(), "the signal was sent");
    }

    /// Waits for the end; the exit code.
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        let ended = timeout(PATIENCE, self.child.wait())
            .await
            .expect("the server ends");
        ended.expect("the server is a child of this test").code()
    }

    /// SIGTERM, and the exit code.
    pub(crate) async fn terminate(self) -> Option<i32> {
        self.signal("TERM").await;
        self.exit_code().await
    }
}

fn address(value: &Value) -> SocketAddr {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("an address")
}
