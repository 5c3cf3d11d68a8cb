//! A private Valkey (or Redis) that keeps its data. It listens on a socket and on no port.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::binaries;
use super::child::{self, Child};
use super::environment::encode;
use super::home::{Home, make_private};

/// The deadline of a question.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often an earlier server is looked after while it ends.
const END_LOOKS: u32 = 100;

/// The server, once it is started.
pub(super) struct Valkey {
    program: PathBuf,
    data: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Valkey {
    /// Finds the program and the places; `None` where no program is installed.
    pub(super) fn plan(home: &Home, path: &str) -> anyhow::Result<Option<Self>> {
        let Some(program) = binaries::valkey_server(path) else {
            return Ok(None);
        };
        let data = home.path().join("valkey");
        make_private(&data)?;
        let socket = home.socket_folder(data.clone())?.join("valkey.sock");
        let log = home.path().join("valkey.log");
        Ok(Some(Self {
            program,
            data,
            socket,
            log,
            child: None,
        }))
    }

    /// Where the server is, or will be.
    pub(super) fn url(&self) -> String {
        let path = self.socket.to_string_lossy();
        let segments: Vec<String> = path.split('/').map(encode).collect();
        format!("redis+unix://{}", segments.join("/"))
    }

    /// Starts the server.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        self.end_leftover().await;
        child::mark_start(&self.log);
        let mut server = Command::new(&self.program);
        server
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--dir"])
            .arg(&self.data);
        server
            .arg("--unixsocket")
            .arg(&self.socket)
            .args(["--unixsocketperm", "700"]);
        let child = self
            .child
            .insert(Child::spawn("Valkey", server, &self.log)?);
        let socket = &self.socket;
        child
            .ready(async || {
                ask(socket, "PING")
                    .await
                    .is_some_and(|it| it.starts_with("+PONG"))
            })
            .await
    }

    /// Stops the server; its data is on the disk.
    pub(super) async fn stop(&mut self) {
        if let Some(child) = self.child.take() {
            child.stop(Signal::TERM).await;
        }
    }

    /// A `dev` that was killed leaves its server behind. Two must not write the same files.
    async fn end_leftover(&self) {
        for _ in 0..END_LOOKS {
            if UnixStream::connect(&self.socket).await.is_err() {
                return;
            }
            ask(&self.socket, "SHUTDOWN").await;
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Sends an inline command; the start of the answer.
async fn ask(socket: &Path, command: &str) -> Option<String> {
    let question = async {
        let mut stream = UnixStream::connect(socket).await.ok()?;
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .await
            .ok()?;
        let mut answer = [0; 64];
        let count = stream.read(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer[..count]).into_owned())
    };
    timeout(PATIENCE, question).await.ok().flatten()
}
