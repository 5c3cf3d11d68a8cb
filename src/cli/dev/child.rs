//! A server process that `dev` starts and stops.
//!
//! It runs in a process group of its own: the terminal's Ctrl-C reaches `dev` alone, which stops its
//! children in order. Dropping one kills it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child as Process, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::cli::output;

/// How long a server may take until it answers: after a crash it reads its log first.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How long a server may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PACE: Duration = Duration::from_millis(50);
/// How much of a log is shown.
const LOG_LINES: usize = 5;

/// A running server process.
pub(super) struct Child {
    name: &'static str,
    process: Process,
    log: PathBuf,
}

impl Child {
    /// Starts a server that writes its log to a file.
    pub(super) fn spawn(
        name: &'static str,
        mut command: Command,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let file = || OpenOptions::new().create(true).append(true).open(log);
        let cannot_write = || format!("cannot write {}", log.display());
        command
            .stdin(Stdio::null())
            .stdout(file().with_context(cannot_write)?)
            .stderr(file().with_context(cannot_write)?)
            .process_group(0)
            .kill_on_drop(true);
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name,
            process,
            log: log.to_owned(),
        })
    }

    /// Looks until the server answers; fails with the end of its log when it ends instead.
    pub(super) async fn ready(
        &mut self,
        mut answers: impl AsyncFnMut() -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        while !answers().await {
            if self.process.try_wait()?.is_some() {
                bail!("{} does not start:\n{}", self.name, log_end(&self.log));
            }
            if Instant::now() > deadline {
                bail!("{} does not answer:\n{}", self.name, log_end(&self.log));
            }
            sleep(PACE).await;
        }
        Ok(())
    }

    /// Waits for its end; the path of its log.
    pub(super) async fn ended(&mut self) -> PathBuf {
        // An error means that there is no such process, which is an end as well.
        let _ = self.process.wait().await;
        self.log.clone()
    }

    /// Asks it to end, and ends it when it does not in time.
    pub(super) async fn stop(mut self, signal: Signal) {
        let pid = self
            .process
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()));
        // Without an id it has ended already.
        let Some(pid) = pid else { return };
        // The process may end by itself in this very moment.
        let _ = kill_process(pid, signal);
        if timeout(STOP_PATIENCE, self.process.wait()).await.is_err() {
            let _ = output::line(format!("{} does not end; killing it", self.name));
            let _ = self.process.kill().await;
        }
    }
}

/// Runs a program to its end; fails with what it said.
pub(super) async fn run(name: &str, mut command: Command) -> anyhow::Result<()> {
    let output = command
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .output()
        .await;
    let output = output.with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{name} failed:\n{}", last_lines(&said));
    }
    Ok(())
}

fn log_end(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    format!(
        "{}\n  (all of it: {})",
        last_lines(&String::from_utf8_lossy(&text)),
        log.display()
    )
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let start = lines.len().saturating_sub(LOG_LINES);
    lines[start..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Separates the log of this start from those before.
pub(super) fn mark_start(log: &Path) {
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(log) {
        // Only a convenience for the reader.
        let _ = writeln!(file, "--- halobestie dev, process {}", std::process::id());
    }
}
