//! The pulse of a connection: what its stream and its service tell the task that watches over it.
//!
//! The parts only set flags, which costs a busy connection nothing; the watcher looks at them once in
//! a header timeout. So a slow head is found after one or two of them, except for a connection's very
//! first, which has exactly one.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Duration;

use tokio::time::sleep;

/// Why a connection should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// A request's head did not come, or not to its end.
    NoHead,
    /// Nothing was asked for too long.
    Idle,
}

/// Shared by a connection's stream, service and task.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    begun: AtomicU32,
    in_flight: AtomicU32,
    heard: AtomicBool,
    is_http2: AtomicBool,
    is_last: AtomicBool,
}

/// What the watcher remembers from one look to the next.
struct Watch {
    header_timeout: Duration,
    idle_timeout: Duration,
    before: Option<Beat>,
    silence: Duration,
}

impl Watch {
    /// Compares the pulse with that of a header timeout ago.
    fn look_at(&mut self, now: Beat) -> Option<Lapse> {
        let Some(before) = self.before.replace(now) else {
            return (now.begun == 0).then_some(Lapse::NoHead);
        };
        let is_silent = before.is_waiting && now.is_waiting && before.begun == now.begun;
        if is_silent && before.has_part_of_a_head {
            return Some(Lapse::NoHead);
        }
        self.silence = if is_silent {
            self.silence + self.header_timeout
        } else {
            Duration::ZERO
        };
        (self.silence >= self.idle_timeout).then_some(Lapse::Idle)
    }
}

/// The pulse at one moment.
#[derive(Clone, Copy, Debug)]
struct Beat {
    begun: u32,
    is_waiting: bool,
    has_part_of_a_head: bool,
}

impl Pulse {
    /// The stream has read something.
    pub(crate) fn hear(&self) {
        self.heard.store(true, Relaxed);
    }

    /// A request has come with all of its head.
    pub(crate) fn begin(&self, is_http2: bool) {
        self.begun.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        self.heard.store(false, Relaxed);
        if is_http2 {
            self.is_http2.store(true, Relaxed);
        }
    }

    /// It has been answered, or given up.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.heard.store(false, Relaxed);
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.is_http2.load(Relaxed)
    }

    /// Lets the next answer be the last.
    pub(crate) fn make_last(&self) {
        self.is_last.store(true, Relaxed);
    }

    pub(crate) fn is_last(&self) -> bool {
        self.is_last.load(Relaxed)
    }

    /// Watches until the connection should end.
    pub(crate) async fn watch(&self, header_timeout: Duration, idle_timeout: Duration) -> Lapse {
        let mut watch = Watch {
            header_timeout,
            idle_timeout,
            before: None,
            silence: Duration::ZERO,
        };
        loop {
            sleep(header_timeout).await;
            if let Some(lapse) = watch.look_at(self.beat()) {
                return lapse;
            }
        }
    }

    fn beat(&self) -> Beat {
        let is_waiting = self.in_flight.load(Relaxed) == 0;
        Beat {
            begun: self.begun.load(Relaxed),
            is_waiting,
            // On HTTP/2 there are frames that belong to no request.
            has_part_of_a_head: is_waiting && self.heard.load(Relaxed) && !self.is_http2(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the watcher says of a pulse that stays as it is, and after how many looks.
    fn lapse_of(pulse: &Pulse) -> Option<(Lapse, usize)> {
        let (header_timeout, idle_timeout) = (Duration::from_secs(10), Duration::from_secs(60));
        let mut watch = Watch {
            header_timeout,
            idle_timeout,
            before: None,
            silence: Duration::ZERO,
        };
        (1..100).find_map(|looks| Some((watch.look_at(pulse.beat())?, looks)))
    }

    #[test]
    fn the_first_head_has_one_timeout() {
        let pulse = Pulse::default();
        assert_eq!(lapse_of(&pulse), Some((Lapse::NoHead, 1)));
        pulse.hear();
        assert_eq!(lapse_of(&pulse), Some((Lapse::NoHead, 1)));
    }

    #[test]
    fn a_later_head_has_at_most_two() {
        let pulse = Pulse::default();
        pulse.begin(false);
        pulse.end();
        pulse.hear();
        assert_eq!(lapse_of(&pulse), Some((Lapse::NoHead, 2)));
    }

    #[test]
    fn a_request_in_flight_may_take_its_time_and_an_idle_connection_may_not() {
        let pulse = Pulse::default();
        pulse.begin(false);
        pulse.hear();
        assert_eq!(lapse_of(&pulse), None);
        pulse.end();
        assert_eq!(lapse_of(&pulse), Some((Lapse::Idle, 7)));
    }

    #[test]
    fn http2_frames_are_no_heads() {
        let pulse = Pulse::default();
        pulse.begin(true);
        pulse.end();
        pulse.hear();
        assert_eq!(lapse_of(&pulse), Some((Lapse::Idle, 7)));
    }
}
