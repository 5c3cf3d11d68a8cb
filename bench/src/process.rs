//! Processor time and memory of processes, as Linux tells them in `/proc`. Elsewhere nothing is known.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use crate::side::Side;

/// Processor time, from the beginning of a round.
pub(crate) struct Meter {
    servers: Vec<u32>,
    stores: Vec<u32>,
    began: Reading,
}

#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    servers: Option<f64>,
    stores: Option<f64>,
    generator: f64,
}

/// What was used in a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) seconds: f64,
    pub(crate) server_cpu_seconds: Option<f64>,
    pub(crate) store_cpu_seconds: Option<f64>,
    pub(crate) generator_cpu_seconds: f64,
}

impl Meter {
    /// Starts.
    pub(crate) fn start(side: &Side) -> Self {
        let (servers, stores) = (side.pids.clone(), side.stores.clone());
        let began = Reading::now(&servers, &stores);
        Self {
            servers,
            stores,
            began,
        }
    }

    /// What was used since.
    pub(crate) fn stop(&self) -> Used {
        let (now, began) = (Reading::now(&self.servers, &self.stores), self.began);
        let since = |now: Option<f64>, then: Option<f64>| Some(now? - then?);
        Used {
            seconds: now.at.duration_since(began.at).as_secs_f64(),
            server_cpu_seconds: since(now.servers, began.servers),
            store_cpu_seconds: since(now.stores, began.stores),
            generator_cpu_seconds: now.generator - began.generator,
        }
    }
}

impl Reading {
    fn now(servers: &[u32], stores: &[u32]) -> Self {
        Self {
            at: Instant::now(),
            servers: cpu_seconds(servers),
            stores: cpu_seconds(stores),
            generator: cpu_seconds(&[std::process::id()]).unwrap_or(0.0),
        }
    }
}

/// The processor time that these processes and their children have used. `None` where nothing is known
/// of one of them, or none is given.
fn cpu_seconds(pids: &[u32]) -> Option<f64> {
    if pids.is_empty() {
        return None;
    }
    let children = children();
    let mut ticks = 0;
    let mut left = pids.to_vec();
    while let Some(pid) = left.pop() {
        // A child may end at any moment; one that was asked for is missed.
        match ticks_of(pid) {
            Some(found) => ticks += found,
            None if pids.contains(&pid) => return None,
            None => {}
        }
        left.extend(children.get(&pid).into_iter().flatten());
    }
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Who is whose child.
fn children() -> HashMap<u32, Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes {
        let pid = process.file_name().to_str().and_then(|it| it.parse().ok());
        let parent = pid.and_then(|pid| stat(pid)?.get(1)?.parse().ok());
        if let (Some(pid), Some(parent)) = (pid, parent) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

/// Its own time and that of children that have ended, in ticks.
fn ticks_of(pid: u32) -> Option<u64> {
    // utime, stime, cutime and cstime: the fields 14 to 17, counted from the third.
    let fields = stat(pid)?;
    let times = fields.get(11..15)?.iter();
    times.map(|it| it.parse::<u64>().ok()).sum()
}

/// The fields of `/proc/<pid>/stat` after the name, which may hold anything: state, parent, …
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(") ")?;
    Some(after_name.split(' ').map(str::to_owned).collect())
}

/// The resident memory of processes, in bytes.
pub(crate) fn resident_bytes(pids: &[u32]) -> Option<u64> {
    pids.iter().map(|pid| resident_bytes_of(*pid)).sum()
}

fn resident_bytes_of(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The memory of a process that is not pages of its program's file, which the system may drop and which
/// further processes share.
pub(crate) fn own_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "RssAnon:")
}

fn status_bytes(pid: u32, what: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(what))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn me() -> u32 {
        std::process::id()
    }

    #[test]
    fn a_process_uses_time_and_memory() {
        let began = cpu_seconds(&[me()]).unwrap();
        let start = Instant::now();
        let mut sum = 0_u64;
        while start.elapsed().as_millis() < 100 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(cpu_seconds(&[me()]).unwrap() > began);
        assert!(resident_bytes(&[me()]).unwrap() > own_bytes(me()).unwrap());
    }

    #[test]
    fn of_a_process_that_is_not_there_nothing_is_known() {
        assert_eq!(cpu_seconds(&[]), None);
        assert_eq!(cpu_seconds(&[me(), u32::MAX]), None);
        assert_eq!(resident_bytes(&[u32::MAX]), None);
    }
}
