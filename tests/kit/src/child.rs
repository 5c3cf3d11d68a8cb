//! What processes of a test's own have in common: a port that is free, and signals.

use std::net::{Ipv4Addr, TcpListener};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener
        .local_addr()
        .expect("a bound listener has an address")
        .port()
}

/// Signals a child that runs.
pub(crate) fn signal(child: Option<&Child>, signal: Signal) {
    let pid = child.and_then(Child::id).expect("the process runs");
    let pid = Pid::from_raw(pid.cast_signed()).expect("a child has a process id");
    kill_process(pid, signal).expect("a child can be signalled");
}
