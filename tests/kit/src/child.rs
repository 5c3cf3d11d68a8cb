//! What processes of a test's own have in common: a port that is free, and signals.

use std::net::{Ipv4Addr, TcpListener};

use halobestie_core::entropy::Entropy;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

/// A port for a server that is to come back to it. It is none of those that the system gives out: any
/// connection could take one of them while the server is down, even its own client's that calls it.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u64 = 12_000;
    let entropy = Entropy::system();
    let mut ports = std::iter::repeat_with(|| FIRST + entropy.below(COUNT) as u16).take(1000);
    ports
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a port is free")
}

/// Signals a child that runs.
pub(crate) fn signal(child: Option<&Child>, signal: Signal) {
    let pid = child.and_then(Child::id).expect("the process runs");
    let pid = Pid::from_raw(pid.cast_signed()).expect("a child has a process id");
    kill_process(pid, signal).expect("a child can be signalled");
}
