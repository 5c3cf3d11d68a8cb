//! Waiting for an instant, to some ten microseconds. The runtime's own timer counts milliseconds: it
//! would be later than many an answer takes.

use std::io;
use std::time::Instant;

/// An alarm clock of one task's own.
pub(crate) struct Alarm(inner::Alarm);

impl Alarm {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no more timers.
    pub(crate) fn new() -> io::Result<Self> {
        inner::Alarm::new().map(Self)
    }

    /// Waits until then. Cancel-safe; waiting for the same instant again costs no further system call.
    pub(crate) async fn at(&mut self, instant: Instant) -> io::Result<()> {
        if instant <= Instant::now() {
            return Ok(());
        }
        self.0.at(instant).await
    }
}

#[cfg(target_os = "linux")]
mod inner {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Instant;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    pub(super) struct Alarm {
        timer: AsyncFd<OwnedFd>,
        set_for: Option<Instant>,
    }

    impl Alarm {
        #[expect(
            deprecated,
            reason = "unsound for descriptors that are lent; an `OwnedFd` is ours, and the replacement is unsafe"
        )]
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self {
                timer: AsyncFd::new(timer)?,
                set_for: None,
            })
        }

        pub(super) async fn at(&mut self, instant: Instant) -> io::Result<()> {
            if self.set_for != Some(instant) {
                self.set(instant)?;
                self.set_for = Some(instant);
            }
            loop {
                let mut ready = self.timer.readable().await?;
                let mut expirations = [0; 8];
                let read = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expirations)?));
                match read {
                    Ok(outcome) => {
                        self.set_for = None;
                        return outcome.map(drop);
                    }
                    // Ready for an instant that was given up; the wait goes on.
                    Err(_would_block) => {}
                }
            }
        }

        fn set(&self, instant: Instant) -> io::Result<()> {
            let wait = instant.saturating_duration_since(Instant::now());
            let setting = Itimerspec {
                it_interval: Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: Timespec {
                    tv_sec: wait.as_secs().cast_signed(),
                    // Zero would switch the timer off.
                    tv_nsec: i64::from(wait.subsec_nanos().max(1)),
                },
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)?;
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod inner {
    use std::io;
    use std::time::Instant;

    pub(super) struct Alarm;

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn at(&mut self, instant: Instant) -> io::Result<()> {
            tokio::time::sleep_until(instant.into()).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_alarm_goes_off_no_sooner_and_again() {
        let mut alarm = Alarm::new().unwrap();
        for _ in 0..3 {
            let then = Instant::now() + Duration::from_micros(300);
            alarm.at(then).await.unwrap();
            assert!(Instant::now() >= then);
        }
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_does_not_shorten_the_next() {
        let mut alarm = Alarm::new().unwrap();
        let soon = Instant::now() + Duration::from_millis(100);
        let given_up = tokio::time::timeout(Duration::ZERO, alarm.at(soon)).await;
        assert!(given_up.is_err());
        tokio::time::sleep(Duration::from_millis(110)).await;
        let then = Instant::now() + Duration::from_millis(5);
        alarm.at(then).await.unwrap();
        assert!(Instant::now() >= then);
    }
}
