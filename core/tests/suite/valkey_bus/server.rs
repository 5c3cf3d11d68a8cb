//! A Valkey server process of a test's own.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use halobestie_core::valkey::redis::{Client, Cmd, FromRedisValue};

static SERVERS: AtomicU32 = AtomicU32::new(0);

/// A running server; killed when dropped. It keeps nothing: started anew, it is empty.
pub(super) struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// Starts a server on a free port.
    pub(super) fn start() -> Self {
        let id = SERVERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("halobestie-valkey-{}-{id}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        // Somebody else may take the port between our look and the server's.
        for _ in 0..10 {
            let port = free_port();
            let mut child = spawn(port, &folder);
            if answers(&mut child, port) {
                return Self {
                    child,
                    port,
                    folder,
                };
            }
        }
        panic!("the server does not start");
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Asks the server directly.
    pub(super) fn ask<T: FromRedisValue>(&self, words: &str) -> T {
        let mut words = words.split(' ');
        let mut command = Cmd::new();
        words.by_ref().for_each(|word| {
            command.arg(word);
        });
        let client = Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        command
            .query(&mut client.get_connection().unwrap())
            .unwrap()
    }

    /// Kills the server at once.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew, empty, where it was.
    pub(super) fn restart(&mut self) {
        let started = Instant::now();
        loop {
            self.child = spawn(self.port, &self.folder);
            if answers(&mut self.child, self.port) {
                return;
            }
            assert!(
                started.elapsed() < super::PATIENCE,
                "the server does not start again"
            );
        }
    }

    /// Lets it stand still: connections are taken, nothing is answered.
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(super) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port on which nobody listens.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn spawn(port: u16, folder: &PathBuf) -> Child {
    for program in ["valkey-server", "redis-server"] {
        let started = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(folder)
            .args(["--save", "", "--appendonly", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => return child,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => panic!("cannot start {program}: {error}"),
        }
    }
    panic!("neither valkey-server nor redis-server is in the PATH");
}

/// Waits until the server takes connections; false when it has ended instead.
fn answers(child: &mut Child, port: u16) -> bool {
    let started = Instant::now();
    while started.elapsed() < super::PATIENCE {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}
