//! A Postgres of one test's own, to be frozen, killed and started again with its data.
//!
//! It is made by the programs of the tests' shared Postgres, in a temporary folder, and listens on
//! a port of its own. Postgres refuses to run as root: then it runs as the user `postgres`.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::child::{free_port, signal};
use crate::database::Admin;
use crate::environment;
use crate::eventually::eventually;

/// How often a start is tried: somebody may take the port between our look and the server's, and what
/// a kill has left needs a moment to go away.
const STARTS_TRIED: usize = 100;
/// How long an end may take before it is made one.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// What a test's cluster is run with: nothing is synced, for only processes die here; and nothing is
/// left behind in shared memory by one that is killed.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=16MB",
    "dynamic_shared_memory_type=mmap",
    "unix_socket_directories=",
];

/// The process, with its cluster. Both go with their test.
pub struct PostgresProcess {
    programs: PathBuf,
    home: PathBuf,
    owner: Option<Owner>,
    port: u16,
    child: Option<Child>,
    /// The server's own children that were stopped in their tracks.
    frozen: Mutex<Vec<Pid>>,
}

/// Whom Postgres runs as where we are root.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl PostgresProcess {
    /// Makes an empty cluster and starts its server on a free port.
    pub async fn start() -> Self {
        let programs = Admin::connect(&environment::database_url())
            .await
            .programs()
            .await;
        let name = Entropy::system().uuid(&Clock::system());
        let home = format!("halobestie-postgres.{}", name.simple());
        let mut postgres = Self {
            programs,
            home: std::env::temp_dir().join(home),
            owner: owner(),
            port: free_port(),
            child: None,
            frozen: Mutex::default(),
        };
        postgres.make_cluster().await;
        for _ in 0..STARTS_TRIED {
            if postgres.comes_up().await {
                return postgres;
            }
            postgres.port = free_port();
        }
        panic!("Postgres does not start: {}", postgres.log());
    }

    /// Where it is, now and after a restart: a database whose user may create others.
    pub fn url(&self) -> String {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        format!("postgres://postgres@{address}/postgres?sslmode=disable")
    }

    /// Kills it, as a machine that is out of memory does: nothing is written down or said.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("a child can be killed");
        }
        // Its children end when they see that it is gone; the frozen ones see nothing.
        self.signal_frozen(Signal::KILL);
    }

    /// Starts it again, with its data, on the same port.
    pub async fn restart(&mut self) {
        self.kill().await;
        for _ in 0..STARTS_TRIED {
            if self.comes_up().await {
                return;
            }
        }
        panic!("Postgres does not start again: {}", self.log());
    }

    /// Stops it in its tracks: connections stand, nothing is answered.
    pub async fn freeze(&self) {
        let admin = Admin::connect(&self.url()).await;
        // First, so that it makes no further children.
        signal(self.child.as_ref(), Signal::STOP);
        let children = admin.other_processes().await.into_iter();
        let children: Vec<Pid> = children.filter_map(Pid::from_raw).collect();
        for child in &children {
            // One that has ended meanwhile answers nobody either.
            let _ = kill_process(*child, Signal::STOP);
        }
        self.frozen().extend(children);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal_frozen(Signal::CONT);
        signal(self.child.as_ref(), Signal::CONT);
    }

    fn frozen(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal_frozen(&self, signal: Signal) {
        for child in self.frozen().drain(..) {
            let _ = kill_process(child, signal);
        }
    }

    async fn make_cluster(&self) {
        fs::create_dir(&self.home).expect("the temporary folder takes another");
        if let Some(Owner { uid, gid }) = self.owner {
            chown(&self.home, Some(uid), Some(gid)).expect("root may give its folder away");
        }
        let mut initdb = self.command("initdb");
        initdb.arg("--pgdata").arg(self.data());
        initdb.args(["--username", "postgres", "--auth", "trust", "--no-sync"]);
        initdb.args(["--encoding", "UTF8", "--locale", "C"]);
        let made = initdb.output().await.expect("initdb can be run");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb failed: {said}");
    }

    /// Starts the server and waits until it answers; false when it has ended instead.
    async fn comes_up(&mut self) -> bool {
        let log = File::create(self.log_file()).expect("the folder of the cluster can be written");
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.data()).args(["-h", "127.0.0.1"]);
        server.args(["-p", &self.port.to_string()]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let server = server.stdout(Stdio::null()).stderr(log).spawn();
        let (url, child) = (self.url(), server.expect("postgres can be run"));
        let child = self.child.insert(child);
        let answers = async || Admin::try_connect(&url).await.is_ok();
        tokio::select! {
            () = eventually("Postgres answers", answers) => true,
            _ = child.wait() => false,
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // Its user may not be able to enter our own folder.
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(Owner { uid, gid }) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.home.join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for PostgresProcess {
    fn drop(&mut self) {
        self.signal_frozen(Signal::KILL);
        if let Some(child) = self.child.take() {
            end(child, &self.home);
        } else {
            let _ = fs::remove_dir_all(&self.home);
        }
    }
}

/// Ends a server at once, but by itself, so that it takes its children and its shared memory along;
/// then removes its files.
fn end(mut child: Child, home: &Path) {
    signal(Some(&child), Signal::CONT);
    signal(Some(&child), Signal::QUIT);
    let home = home.to_owned();
    // A thread, because a runtime may not be entered inside another one.
    let ending = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let ended = async { timeout(STOP_PATIENCE, child.wait()).await };
        let _ = runtime.expect("a runtime can be made").block_on(ended);
        let _ = fs::remove_dir_all(home);
    });
    // It does nothing worse than to leave files behind.
    let _ = ending.join();
}

/// Nobody unless we are root.
fn owner() -> Option<Owner> {
    if !geteuid().is_root() {
        return None;
    }
    let ask = |flag| -> Option<u32> {
        let mut id = std::process::Command::new("id");
        let output = id.args([flag, "postgres"]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let (uid, gid) = ask("-u").zip(ask("-g")).expect("there is a user postgres");
    Some(Owner { uid, gid })
}
