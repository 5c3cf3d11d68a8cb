//! A Valkey of one test's own, to be frozen, killed and started again empty.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::child::{free_port, signal};
use crate::eventually::eventually;

/// The servers that will do, the first that is installed.
const PROGRAMS: &[&str] = &["valkey-server", "redis-server"];

/// How many ports a start tries.
const PORTS_TRIED: usize = 10;

/// The process. It dies with its test.
pub struct ValkeyProcess {
    port: u16,
    child: Option<Child>,
}

impl ValkeyProcess {
    /// Starts an empty one on a free port.
    pub async fn start() -> Self {
        // Somebody else may take the port between our look and the server's.
        for _ in 0..PORTS_TRIED {
            let port = free_port();
            let mut child = spawn(port);
            if comes_up(&mut child, port).await {
                let child = Some(child);
                return Self { port, child };
            }
        }
        panic!("Valkey does not start");
    }

    /// Its port, now and after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is, now and after a restart.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Starts it again, empty, on the same port.
    pub async fn restart(&mut self) {
        self.kill().await;
        let child = self.child.insert(spawn(self.port));
        assert!(
            comes_up(child, self.port).await,
            "Valkey does not start again"
        );
    }

    /// Kills it: connections break, new ones are refused.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("a child can be killed");
        }
    }

    /// Stops it in its tracks: connections stand, nothing is answered.
    pub fn freeze(&self) {
        signal(self.child.as_ref(), Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal(self.child.as_ref(), Signal::CONT);
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

fn spawn(port: u16) -> Child {
    let port = port.to_string();
    let options = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    for program in PROGRAMS {
        let mut command = Command::new(program);
        command
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if let Ok(child) = command.spawn() {
            return child;
        }
    }
    panic!(
        "neither {} is installed: run the tests with scripts/test",
        PROGRAMS.join(" nor ")
    )
}

/// Waits until it answers; false when it has ended instead.
async fn comes_up(child: &mut Child, port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    tokio::select! {
        () = eventually("Valkey answers", || answers(address)) => true,
        _ = child.wait() => false,
    }
}

async fn answers(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(b"PING\r\n").await.ok()?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.ok()?;
        Some(&answer == b"+PONG")
    };
    timeout(Duration::from_secs(1), ask)
        .await
        .ok()
        .flatten()
        .unwrap_or(false)
}
