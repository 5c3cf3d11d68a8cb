//! The pump of one kind in one process: takes what is due while there are free slots, lets it run, and
//! writes what became of it. All that ended since the last statement goes into the next one, so the
//! statements of a busy kind are few and large, and those of a quiet one come at once.
//!
//! The invariant to keep: an attempt holds its slot until its end is written, so what a crash can make
//! run again is never more than the slots; and it is dropped well before its lease ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info_span};

use super::attempt::attempt;
use super::handler::Handler;
use super::settling::Settling;
use super::slots::Slots;
use super::store::{self, Taken};
use super::verdict::Outcome;
use crate::clock::Clock;
use crate::module::Context;
use crate::problem::BoxError;
use crate::timestamp::Timestamp;

/// How much longer a lease is than an attempt may take: for the statements before and after it, and
/// for clocks that differ by as much as the doctor lets pass.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// From one try to take what is due to the next, while Postgres is away.
const PAUSE: Duration = Duration::from_secs(1);
/// How long before the hard stop attempts that still run are called back.
const BEFORE_HARD: Duration = Duration::from_secs(3);

/// Does the jobs of a kind.
pub(super) struct Pump {
    handler: Handler,
    cx: Context,
    /// From the scout.
    news: Arc<Notify>,
    slots: Slots,
    look: Look,
    call_back: CancellationToken,
}

/// When to look for jobs that are due.
#[derive(Clone, Copy)]
enum Look {
    Now,
    At(Timestamp),
    WhenTold,
}

impl Look {
    /// At this instant, if not before.
    fn or_at(self, other: Timestamp) -> Self {
        match self {
            Self::Now => Self::Now,
            Self::At(at) => Self::At(at.min(other)),
            Self::WhenTold => Self::At(other),
        }
    }
}

impl Pump {
    pub(super) fn new(handler: Handler, news: Arc<Notify>, cx: &Context) -> Self {
        let slots = Slots::new(handler.kind.policy.concurrency as usize);
        Self {
            handler,
            cx: cx.clone(),
            news,
            slots,
            look: Look::Now,
            call_back: CancellationToken::new(),
        }
    }

    /// Does jobs until the process stops; then finishes what it has, or gives it back.
    pub(super) async fn run(mut self) -> Result<(), BoxError> {
        let soft = self.cx.lifecycle.soft().clone();
        while !soft.is_cancelled() {
            self.take().await;
            let has_room = self.slots.free() > 0;
            tokio::select! {
                () = soft.cancelled() => {}
                () = self.slots.wait() => {}
                () = news(&self.news, self.look, has_room, &self.cx.clock) => self.look = Look::Now,
            }
            self.settle().await;
        }
        self.finish().await;
        Ok(())
    }

    /// Takes what is due into the free slots.
    async fn take(&mut self) {
        let free = self.slots.free();
        if free == 0 || !matches!(self.look, Look::Now) {
            return;
        }
        let (kind, policy) = (self.handler.kind.name, self.handler.kind.policy);
        let (now, begun) = (self.cx.clock.now(), Instant::now());
        let lease_until = now + policy.timeout + LEASE_MARGIN;
        match store::take(&self.cx.db, kind, free, now, lease_until).await {
            Ok(jobs) => {
                let is_all = jobs.len() < free;
                for job in jobs {
                    self.begin(job, now, begun, lease_until);
                }
                if is_all {
                    self.look_ahead().await;
                }
            }
            Err(error) => self.look_later(&error),
        }
    }

    /// Nothing else is due: when will it be?
    async fn look_ahead(&mut self) {
        match store::next_due(&self.cx.db, self.handler.kind.name).await {
            Ok(Some(at)) => self.look = Look::At(at),
            Ok(None) => self.look = Look::WhenTold,
            Err(error) => self.look_later(&error),
        }
    }

    fn look_later(&mut self, error: &(dyn std::error::Error + 'static)) {
        debug!(job.kind = self.handler.kind.name, error, "cannot take jobs");
        self.look = Look::At(self.cx.clock.now() + PAUSE);
    }

    fn begin(&mut self, job: Taken, now: Timestamp, begun: Instant, lease_until: Timestamp) {
        if !self.slots.hold(&job, lease_until) {
            // The clock has jumped past the lease of an attempt that still runs here. It goes on under
            // the new one instead of running beside itself.
            return;
        }
        let kind = &self.handler.kind;
        if job.was_running {
            let recovered = &self.cx.jobs.meters.recovered;
            recovered.with_label_values(&[kind.name]).inc();
        }
        if now >= job.deadline_at {
            self.slots.end_at_once(job.id, Outcome::Late);
        } else if job.attempts > kind.policy.attempts_max {
            self.slots.end_at_once(job.id, Outcome::LostLast);
        } else {
            self.spawn(job, now, begun);
        }
    }

    fn spawn(&self, job: Taken, now: Timestamp, begun: Instant) {
        let kind = self.handler.kind;
        let waited = now.since(job.was_due_at).as_secs_f64();
        let wait_seconds = &self.cx.jobs.meters.wait_seconds;
        wait_seconds.with_label_values(&[kind.name]).observe(waited);
        // From before the lease was asked for: however long that took, the attempt ends first.
        let cut_off = begun + kind.policy.timeout.min(job.deadline_at.since(now));
        let (id, number) = (job.id, job.attempts);
        let span = info_span!("job", job.kind = kind.name, job.id = %id, job.attempt = number);
        let run = (self.handler.run)(job, self.cx.clock.clone());
        let (call_back, ends) = (self.call_back.clone(), self.slots.teller());
        let work = async move {
            let ended = attempt(id, run, cut_off, call_back).await;
            // Without its pump nobody wants to know.
            let _ = ends.send(ended).await;
        };
        self.cx.lifecycle.spawn(kind.name, work.instrument(span));
    }

    /// Writes what became of the attempts that have ended.
    async fn settle(&mut self) {
        let settling = Settling {
            kind: &self.handler.kind,
            cx: &self.cx,
        };
        if let Some(at) = settling.settle(&mut self.slots).await {
            self.look = self.look.or_at(at);
        }
    }

    /// Lets what runs go on for as long as the stop allows, then calls it back.
    async fn finish(&mut self) {
        let stop_within = Duration::from_secs(self.cx.server.shutdown_timeout_seconds);
        let patience = stop_within.saturating_sub(BEFORE_HARD).max(stop_within / 2);
        let over = tokio::time::sleep(patience);
        tokio::pin!(over);
        while !self.slots.are_empty() {
            tokio::select! {
                () = self.slots.wait() => self.settle().await,
                () = &mut over, if !self.call_back.is_cancelled() => self.call_back.cancel(),
            }
        }
    }
}

/// Waits until there may be something to take.
async fn news(told: &Notify, look: Look, has_room: bool, clock: &Clock) {
    let due = async {
        match look {
            Look::Now if has_room => {}
            Look::At(at) => clock.sleep_until(at).await,
            Look::Now | Look::WhenTold => std::future::pending().await,
        }
    };
    tokio::select! {
        () = told.notified() => {}
        () = due => {}
    }
}
