//! How hard a side is driven: a round's tasks, and when each of them is to send something.
//!
//! Closed loop: every task sends again as soon as it is answered; what comes of it is the best rate.
//! Open loop: operations have their times beforehand, each task sends its share of them, and what one
//! took runs from when it was to be sent, however late it could be.

use std::time::{Duration, Instant};

use anyhow::Error;
use futures_util::future::try_join_all;

use crate::alarm::Alarm;
use crate::process::{Meter, Used};
use crate::recorder::{Recorder, Seen};
use crate::results::Round;
use crate::schedule::{Schedule, Shape};
use crate::side::Side;

/// How hard.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Connections, sockets or sessions at once: what a scenario counts by.
    pub(crate) connections: usize,
    /// Operations a second over all of them; `None` for as many as it takes.
    pub(crate) rate: Option<f64>,
    /// How the rate goes.
    pub(crate) shape: Shape,
    /// How long a round is measured.
    pub(crate) length: Duration,
    /// How long it runs before that.
    pub(crate) warm_up: Duration,
}

/// When operations are to be sent.
#[derive(Clone)]
pub(crate) enum Pace {
    /// One after the other, until then.
    Closed { until: Instant },
    /// At these times after the start.
    Open { start: Instant, schedule: Schedule },
}

impl Load {
    /// The pace of a warm-up and of what is measured, in that order, beginning now.
    fn pace(&self, length: Duration) -> Pace {
        let start = Instant::now();
        match self.rate {
            None => Pace::Closed {
                until: start + length,
            },
            Some(rate) => Pace::Open {
                start,
                schedule: Schedule::new(self.shape, rate, length),
            },
        }
    }

    /// Runs tasks twice, to warm up and to be measured: what they have seen the second time, and what was
    /// used meanwhile. They run on this thread.
    pub(crate) async fn measure<T>(&self, side: &Side, tasks: &mut [T]) -> Result<Round, Error>
    where
        T: Task,
    {
        let recorder = Recorder::new();
        if !self.warm_up.is_zero() {
            run(tasks, &self.pace(self.warm_up), &recorder).await?;
            recorder.take();
        }
        let meter = Meter::start(side);
        run(tasks, &self.pace(self.length), &recorder).await?;
        Ok(round(meter.stop(), recorder.take()))
    }
}

/// A round of what was used and seen.
pub(crate) fn round(used: Used, seen: Seen) -> Round {
    let p99s = seen.by_kind.iter().filter_map(|(kind, times)| {
        let p99_us = times.latency()?.p99_us;
        Some((format!("p99_us_{kind}"), p99_us as f64))
    });
    Round {
        seconds: used.seconds,
        operations: seen.done,
        failures: seen.failures,
        server_cpu_seconds: used.server_cpu_seconds,
        store_cpu_seconds: used.store_cpu_seconds,
        generator_cpu_seconds: used.generator_cpu_seconds,
        latency: seen.times.latency(),
        generator_late_p99_us: seen.lateness.latency().map(|it| it.p99_us),
        figures: p99s.collect(),
    }
}

/// One of several that work at once.
pub(crate) trait Task {
    /// Works at this pace; `place` is its number among `tasks`.
    async fn work(&mut self, place: Place, pace: &Pace, recorder: &Recorder) -> Result<(), Error>;
}

/// Which of how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

async fn run<T: Task>(tasks: &mut [T], pace: &Pace, recorder: &Recorder) -> Result<(), Error> {
    let of = tasks.len();
    let works = tasks.iter_mut().enumerate().map(|(number, task)| {
        let place = Place { number, of };
        task.work(place, pace, recorder)
    });
    // One thread, no spawning: thousands of tasks wait in one future.
    try_join_all(works).await.map(drop)
}

/// The times at which one task is to send.
pub(crate) struct Ticks(Kind);

enum Kind {
    Closed {
        until: Instant,
    },
    Open {
        alarm: Alarm,
        times: Box<dyn Iterator<Item = Instant>>,
        next: Option<Instant>,
    },
}

impl Pace {
    /// The share of a task.
    pub(crate) fn ticks(&self, place: Place) -> Result<Ticks, Error> {
        Ok(Ticks(match self {
            Self::Closed { until } => Kind::Closed { until: *until },
            Self::Open { start, schedule } => {
                let start = *start;
                let share = schedule.share(place.number, place.of);
                let mut times: Box<dyn Iterator<Item = _>> =
                    Box::new(share.map(move |it| start + it));
                Kind::Open {
                    alarm: Alarm::new()?,
                    next: times.next(),
                    times,
                }
            }
        }))
    }
}

impl Ticks {
    /// Waits for the time of the next operation, which its duration is counted from; `None` when there is
    /// none left. Cancel-safe.
    pub(crate) async fn next(&mut self, recorder: &Recorder) -> Result<Option<Instant>, Error> {
        match &mut self.0 {
            Kind::Closed { until } => {
                let now = Instant::now();
                Ok((now < *until).then_some(now))
            }
            Kind::Open { alarm, times, next } => {
                let asked = Instant::now();
                let Some(intended) = *next else {
                    return Ok(None);
                };
                alarm.at(intended).await?;
                *next = times.next();
                recorder.sending(intended.max(asked));
                Ok(Some(intended))
            }
        }
    }

    /// Whether operations are to be sent whatever became of those before.
    pub(crate) fn are_open(&self) -> bool {
        matches!(self.0, Kind::Open { .. })
    }
}
