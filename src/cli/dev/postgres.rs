//! A private Postgres cluster from the machine's own programs.
//!
//! It listens on a socket in a folder that nobody else can enter, and on no port. Postgres refuses to
//! run as root: then it runs as the user `postgres`, who owns the cluster.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use halobestie_core::metrics::Metrics;
use halobestie_core::pg::{Db, PgOptions, Query};
use rustix::process::Signal;
use tokio::net::UnixStream;
use tokio::process::Command;

use super::binaries;
use super::child::{self, Child};
use super::environment::encode;
use super::home::{Home, make_private};
use crate::cli::output;

/// The role that owns everything in the cluster, and the database.
const NAME: &str = "halobestie";
/// Only a part of the socket's name: no port is opened.
const PORT: u16 = 5432;

/// The cluster, and its server once it is started.
pub(super) struct Postgres {
    programs: PathBuf,
    data: PathBuf,
    sockets: PathBuf,
    log: PathBuf,
    owner: Option<Owner>,
    child: Option<Child>,
}

/// Whom Postgres runs as where we are root.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Postgres {
    /// Finds the programs and the places; starts nothing.
    pub(super) fn plan(home: &Home, path: &str) -> anyhow::Result<Self> {
        let folders = binaries::postgres_folders(path);
        if folders.is_empty() {
            bail!("Postgres is not installed: scripts/dev installs it (or set DATABASE_URL)");
        }
        let owner = owner()?;
        let folder = folder(home, owner);
        let data = folder.join("data");
        let programs = programs(folders, &data)?;
        make_private(&folder)?;
        let sockets = home.socket_folder(folder.join("run"))?;
        for place in [&folder, &sockets] {
            give(place, owner)?;
        }
        let log = home.path().join("postgres.log");
        Ok(Self {
            programs,
            data,
            sockets,
            log,
            owner,
            child: None,
        })
    }

    /// Where the server is, or will be.
    pub(super) fn url(&self) -> String {
        self.url_of(NAME)
    }

    /// Where its files are.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Makes the cluster at the first start, and starts its server.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        if !self.data.join("PG_VERSION").exists() {
            self.make_cluster().await?;
        }
        self.end_leftover().await?;
        child::mark_start(&self.log);
        let mut server = self.command("postgres");
        server
            .arg("-D")
            .arg(&self.data)
            .arg("-k")
            .arg(&self.sockets);
        server.args(["-p", &PORT.to_string(), "-h", ""]);
        let child = self
            .child
            .insert(Child::spawn("Postgres", server, &self.log)?);
        let db = open(&url(&self.sockets, "postgres"))?;
        child.ready(async || db.ping().await.is_ok()).await?;
        make_database(&db).await.context("cannot make the database")
    }

    /// Waits for an end that nobody asked for; the path of the log.
    pub(super) async fn ended(&mut self) -> PathBuf {
        match &mut self.child {
            Some(child) => child.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Stops the server: what is committed is on the disk.
    pub(super) async fn stop(&mut self) {
        if let Some(child) = self.child.take() {
            // SIGINT is the fast shutdown: it does not wait for clients.
            child.stop(Signal::INT).await;
        }
    }

    async fn make_cluster(&self) -> anyhow::Result<()> {
        output::line(format!(
            "Making a Postgres cluster in {} ...",
            self.data.display()
        ))?;
        // Made beside and renamed, so that a cluster which exists is whole.
        let new = self.data.with_extension("new");
        if new.exists() {
            fs::remove_dir_all(&new).context("cannot remove what an earlier start left")?;
        }
        let mut initdb = self.command("initdb");
        initdb
            .arg("--pgdata")
            .arg(&new)
            .args(["--username", NAME, "--auth", "trust"]);
        initdb.args(["--encoding", "UTF8", "--locale", "C"]);
        child::run("initdb", initdb).await?;
        fs::rename(&new, &self.data).context("cannot move the new cluster into its place")
    }

    /// A `dev` that was killed leaves its server behind, or a pid file that names nobody.
    async fn end_leftover(&self) -> anyhow::Result<()> {
        let pid_file = self.data.join("postmaster.pid");
        if UnixStream::connect(self.socket()).await.is_ok() {
            let mut stop = self.command("pg_ctl");
            stop.arg("stop")
                .arg("-D")
                .arg(&self.data)
                .args(["-m", "fast", "-w", "-t", "60"]);
            child::run("pg_ctl stop", stop)
                .await
                .context("an earlier Postgres does not end")?;
        } else if names_another_program(&pid_file) {
            // Postgres itself forgets a dead process, but not a number that somebody else has now.
            fs::remove_file(&pid_file).context("cannot remove a stale pid file")?;
        }
        Ok(())
    }

    fn socket(&self) -> PathBuf {
        self.sockets.join(format!(".s.PGSQL.{PORT}"))
    }

    fn url_of(&self, database: &str) -> String {
        url(&self.sockets, database)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // Its user may not be able to enter our own folder.
        command.current_dir("/");
        if let Some(Owner { uid, gid }) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }
}

fn url(sockets: &Path, database: &str) -> String {
    let host = encode(&sockets.to_string_lossy());
    format!("postgres://{NAME}@{host}:{PORT}/{database}?sslmode=disable")
}

fn open(url: &str) -> anyhow::Result<Db> {
    let options = PgOptions {
        url: url.into(),
        ca: None,
        pool_size: 1,
        timeout: Duration::from_secs(30),
    };
    Db::new(&options, &Metrics::default()).map_err(anyhow::Error::from_boxed)
}

async fn make_database(db: &Db) -> anyhow::Result<()> {
    const EXISTS: &str = "SELECT 1 FROM pg_database WHERE datname = 'halobestie'";
    if db.row_opt(EXISTS, &[]).await?.is_none() {
        db.execute("CREATE DATABASE halobestie", &[]).await?;
    }
    db.close();
    Ok(())
}

/// The programs that made the cluster, or the newest where there is no cluster yet.
fn programs(folders: Vec<PathBuf>, data: &Path) -> anyhow::Result<PathBuf> {
    let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
    let made_by = made_by.as_deref().map(str::trim);
    let fits = |folder: &PathBuf| match made_by {
        Some(version) => {
            binaries::major_of(folder).is_some_and(|major| major.to_string() == version)
        }
        None => true,
    };
    folders.into_iter().find(fits).with_context(|| {
        format!(
            "{} was made by Postgres {}, which is not installed: install it, or remove that folder to \
             start afresh",
            data.display(),
            made_by.unwrap_or_default(),
        )
    })
}

/// Nobody unless we are root.
fn owner() -> anyhow::Result<Option<Owner>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let ask = |flag| -> Option<u32> {
        let output = std::process::Command::new("id")
            .args([flag, "postgres"])
            .output()
            .ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    match (ask("-u"), ask("-g")) {
        (Some(uid), Some(gid)) => Ok(Some(Owner { uid, gid })),
        _ => bail!("Postgres does not run as root, and there is no user postgres to run it as"),
    }
}

fn give(path: &Path, owner: Option<Owner>) -> anyhow::Result<()> {
    let Some(Owner { uid, gid }) = owner else {
        return Ok(());
    };
    chown(path, Some(uid), Some(gid))
        .with_context(|| format!("cannot give {} to the user postgres", path.display()))
}

/// The cluster's folder: inside the home, unless its owner cannot get there (a project in /root).
fn folder(home: &Home, owner: Option<Owner>) -> PathBuf {
    if owner.is_none_or(|owner| home.path().ancestors().all(|it| may_enter(it, owner))) {
        return home.path().join("postgres");
    }
    let name = home
        .path()
        .to_string_lossy()
        .trim_start_matches('/')
        .replace('/', "+");
    Path::new("/var/lib/halobestie-dev").join(name)
}

fn may_enter(folder: &Path, owner: Owner) -> bool {
    let Ok(found) = fs::metadata(folder) else {
        return false;
    };
    let bit = match (found.uid() == owner.uid, found.gid() == owner.gid) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    found.mode() & bit != 0
}

/// Whether a pid file holds the number of a process that is alive and no Postgres.
fn names_another_program(pid_file: &Path) -> bool {
    let text = fs::read_to_string(pid_file).unwrap_or_default();
    let Some(Ok(pid)) = text.lines().next().map(str::parse::<u32>) else {
        return false;
    };
    let by_proc = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    let name = by_proc.or_else(|| {
        let ps = std::process::Command::new("ps")
            .args(["-o", "comm=", "-p", &pid.to_string()])
            .output();
        String::from_utf8(ps.ok()?.stdout).ok()
    });
    let name = name.unwrap_or_default();
    !name.trim().is_empty() && !name.contains("postgres")
}
