//! What can be made to go wrong with an upstream, while it runs.
//!
//! Standing conditions (slow, down) hold until they are taken back; planned faults strike the next
//! calls, one each, in the order of their planning. Nothing here knows an upstream.

mod error;
mod fault;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use error::KnobError;
pub use fault::{Conditions, Fault, Planned};

use crate::upstream::Port;

/// Planned faults at most; further ones are refused.
const PLANNED_MAX: usize = 1_000;

/// What comes over one call.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) delay: Duration,
    pub(crate) slow_body: Duration,
    pub(crate) fault: Option<Fault>,
}

/// The knobs of one upstream. Clones turn the same ones.
#[derive(Clone)]
pub struct Knobs {
    conditions: Arc<Mutex<Conditions>>,
    codes: &'static [&'static str],
    /// Whether an operation can end with a code.
    can_end: fn(&str, &str) -> bool,
    port: Port,
}

impl Knobs {
    pub(crate) fn new(
        codes: &'static [&'static str],
        can_end: fn(&str, &str) -> bool,
        port: Port,
    ) -> Self {
        Self {
            conditions: Arc::default(),
            codes,
            can_end,
            port,
        }
    }

    /// The next `times` calls get this error, as the upstream would word it.
    ///
    /// # Panics
    /// When the upstream has no such code.
    #[track_caller]
    pub fn fail_next(&self, times: u32, code: &str) {
        self.strike(None, times, Fault::error(code));
    }

    /// The work of the next `times` calls is done, and their answers are lost.
    pub fn lose_next(&self, times: u32) {
        self.strike(None, times, Fault::Lost);
    }

    /// The next `times` calls are cut off before anything is done.
    pub fn cut_next(&self, times: u32) {
        self.strike(None, times, Fault::Cut);
    }

    /// Plans a fault for the next `times` calls of one operation, or of any.
    ///
    /// # Panics
    /// When it cannot be planned: see [`Knobs::plan`].
    #[track_caller]
    pub fn strike(&self, operation: Option<&str>, times: u32, fault: Fault) {
        let planned = Planned {
            operation: operation.map(str::to_owned),
            times,
            fault,
        };
        if let Err(error) = self.plan(planned) {
            panic!("cannot plan this fault: {error}");
        }
    }

    /// Plans a fault.
    ///
    /// # Errors
    /// When the upstream has no such code, or too much is planned already.
    pub fn plan(&self, planned: Planned) -> Result<(), KnobError> {
        self.check(&planned)?;
        let mut conditions = self.lock();
        if conditions.planned.len() >= PLANNED_MAX {
            return Err(KnobError::TooMany);
        }
        conditions.planned.push_back(planned);
        Ok(())
    }

    fn check(&self, planned: &Planned) -> Result<(), KnobError> {
        match &planned.fault {
            Fault::Error { code, .. } if !self.codes.contains(&code.as_str()) => {
                Err(KnobError::UnknownCode(self.codes))
            }
            Fault::Raw {
                status,
                content_type,
                ..
            } if !(200..600).contains(status)
                || http::HeaderValue::from_str(content_type).is_err() =>
            {
                Err(KnobError::Unsendable)
            }
            _ => Ok(()),
        }
    }

    /// Lets every answer wait this long, its work done; zero: no longer.
    pub fn delay(&self, delay: Duration) {
        self.lock().delay_ms = ms(delay);
    }

    /// Lets every answer's body take this long after its head; zero: no longer.
    pub fn slow_body(&self, duration: Duration) {
        self.lock().slow_body_ms = ms(duration);
    }

    /// Closes the port: connections break, new ones are refused. Returns when it is so.
    pub async fn down(&self) {
        self.lock().down = true;
        self.port.close().await;
    }

    /// Opens the port again. Returns when it is so.
    pub async fn up(&self) {
        self.lock().down = false;
        self.port.open().await;
    }

    /// Breaks the connections that are open; new ones are taken.
    pub fn cut_connections(&self) {
        self.port.cut();
    }

    /// Closes the connections that are open, each after its last answer (HTTP/2: GOAWAY); new ones are
    /// taken.
    pub fn drain_connections(&self) {
        self.port.drain();
    }

    /// Takes everything back: nothing goes wrong from now on.
    pub async fn reset(&self) {
        *self.lock() = Conditions::default();
        self.port.open().await;
    }

    /// How they are set now.
    pub fn conditions(&self) -> Conditions {
        self.lock().clone()
    }

    /// Sets all of them at once.
    ///
    /// # Errors
    /// When one of the faults cannot be planned; then nothing is changed.
    pub async fn set(&self, conditions: Conditions) -> Result<(), KnobError> {
        if conditions.planned.len() > PLANNED_MAX {
            return Err(KnobError::TooMany);
        }
        conditions
            .planned
            .iter()
            .try_for_each(|it| self.check(it))?;
        let down = conditions.down;
        *self.lock() = conditions;
        if down {
            self.port.close().await;
        } else {
            self.port.open().await;
        }
        Ok(())
    }

    /// What comes over a call of this operation. A planned fault is used up by it.
    pub(crate) fn draw(&self, operation: &str) -> Fate {
        let mut conditions = self.lock();
        let due = conditions.planned.iter().position(|planned| {
            let only = planned.operation.as_deref();
            let possible = match &planned.fault {
                Fault::Error { code, .. } => (self.can_end)(operation, code),
                _ => true,
            };
            possible && only.is_none_or(|only| only == operation)
        });
        let fault = due.and_then(|due| {
            let planned = conditions.planned.get_mut(due)?;
            planned.times = planned.times.saturating_sub(1);
            let fault = planned.fault.clone();
            if planned.times == 0 {
                conditions.planned.remove(due);
            }
            Some(fault)
        });
        Fate {
            delay: Duration::from_millis(conditions.delay_ms),
            slow_body: Duration::from_millis(conditions.slow_body_ms),
            fault,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Conditions> {
        self.conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
