//! The way out: a bounded queue, flushed in order, many events in one round trip.
//!
//! There is no task while there is nothing to send: the first event of a burst starts one, and it ends
//! when the queue is empty. So events still get out while the process drains, and the drain waits for
//! them. What cannot be sent is dropped, never sent late or twice; that there was such is owed to the
//! other processes as a notice, and paid as soon as Valkey takes it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::Pipeline;
use tracing::warn;

use super::envelope::Wire;
use super::meters::Meters;
use crate::lifecycle::Lifecycle;
use crate::valkey::Valkey;

/// What may wait, in bytes.
const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What goes out in one round trip, in bytes: little enough for one deadline.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// What an event costs beside its bytes.
const EVENT_OVERHEAD_BYTES: usize = 128;

/// Sends events to the other processes.
pub(super) struct Publisher {
    valkey: Valkey,
    wire: Arc<Wire>,
    lifecycle: Lifecycle,
    meters: Arc<Meters>,
    outbox: Mutex<Outbox>,
    owes_notice: AtomicBool,
}

#[derive(Default)]
struct Outbox {
    events: VecDeque<Outgoing>,
    bytes: usize,
    is_flushing: bool,
}

struct Outgoing {
    channel: String,
    body: Vec<u8>,
}

impl Outgoing {
    fn bytes(&self) -> usize {
        self.channel.len() + self.body.len() + EVENT_OVERHEAD_BYTES
    }
}

impl Publisher {
    pub(super) fn new(
        valkey: Valkey,
        wire: Arc<Wire>,
        lifecycle: Lifecycle,
        meters: Arc<Meters>,
    ) -> Self {
        let (outbox, owes_notice) = Default::default();
        Self {
            valkey,
            wire,
            lifecycle,
            meters,
            outbox,
            owes_notice,
        }
    }

    /// Queues an event, or drops it when the queue is full.
    pub(super) fn enqueue(self: &Arc<Self>, topic: &str, payload: &[u8]) {
        let event = Outgoing {
            channel: self.wire.channel(topic),
            body: self.wire.seal(payload),
        };
        let mut outbox = self.lock();
        if outbox.bytes + event.bytes() > QUEUE_BYTES_MAX {
            drop(outbox);
            self.lose(1);
            return;
        }
        outbox.bytes += event.bytes();
        outbox.events.push_back(event);
        self.start_flush(outbox);
    }

    /// To be called when Valkey is back: pays what is owed.
    pub(super) fn reconnected(self: &Arc<Self>) {
        if self.owes_notice.load(Ordering::Acquire) {
            self.start_flush(self.lock());
        }
    }

    fn start_flush(self: &Arc<Self>, mut outbox: MutexGuard<'_, Outbox>) {
        if !std::mem::replace(&mut outbox.is_flushing, true) {
            drop(outbox);
            let publisher = self.clone();
            self.lifecycle
                .spawn_carrier("bus-flush", async move { publisher.flush().await });
        }
    }

    async fn flush(&self) {
        loop {
            let batch = self.lock().take_batch();
            self.send(batch).await;
            let mut outbox = self.lock();
            let can_pay = self.owes_notice.load(Ordering::Acquire) && self.valkey.is_up();
            if outbox.events.is_empty() && !can_pay {
                outbox.is_flushing = false;
                return;
            }
        }
    }

    async fn send(&self, batch: Vec<Outgoing>) {
        let mut pipeline = Pipeline::with_capacity(batch.len() + 1);
        if self.owes_notice.swap(false, Ordering::AcqRel) {
            let notice = self.wire.seal(b"");
            pipeline
                .cmd("PUBLISH")
                .arg(self.wire.losses())
                .arg(notice)
                .ignore();
        }
        for event in &batch {
            pipeline
                .cmd("PUBLISH")
                .arg(&event.channel)
                .arg(&event.body)
                .ignore();
        }
        if pipeline.is_empty() {
            return;
        }
        match self.valkey.run_all::<()>(&pipeline).await {
            Ok(()) => {}
            Err(error) if error.is_away() => self.lose(batch.len()),
            Err(error) => {
                // No notice would be taken either: publishing is forbidden to this user.
                self.meters.dropped_by_sender.inc_by(batch.len() as u64);
                warn!(
                    error = &error as &dyn std::error::Error,
                    "valkey does not take bus events"
                );
            }
        }
    }

    fn lose(&self, events: usize) {
        self.meters.dropped_by_sender.inc_by(events as u64);
        if !self.owes_notice.swap(true, Ordering::AcqRel) {
            warn!("bus events could not be sent to other processes");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    fn take_batch(&mut self) -> Vec<Outgoing> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES_MAX
            && let Some(event) = self.events.pop_front()
        {
            bytes += event.bytes();
            batch.push(event);
        }
        self.bytes -= bytes;
        batch
    }
}
