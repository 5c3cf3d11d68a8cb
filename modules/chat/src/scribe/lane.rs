//! One lane: takes what waits, writes it as a group, answers everybody, and looks again.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use halobestie_core::bus::Bus;
use halobestie_core::clock::Clock;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Late, Notice, Notifier};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use super::Refusal;
use crate::live::events;
use crate::messages::{NewMessage, Sent};
use crate::metrics::ChatMetrics;
use crate::notices;
use crate::state::topic;
use crate::store::groups::{self, SENT_ONCE, Verdict};

/// How many messages share a statement.
const GROUP_MAX: usize = 256;
/// How often a group is written again that lost to another process in that instant.
const TRIES: u32 = 3;

type Answer = oneshot::Sender<Result<Sent, Refusal>>;

/// A message to be written, and who waits for it: more than one where a client sends it twice at once.
pub(crate) struct Order {
    message: NewMessage,
    answers: Vec<Answer>,
}

impl Order {
    pub(super) fn new(message: NewMessage, answer: Answer) -> Self {
        Self {
            message,
            answers: vec![answer],
        }
    }

    fn is_awaited(&self) -> bool {
        self.answers.iter().any(|answer| !answer.is_closed())
    }

    /// Answers everybody. The first to ask has written it; to the others it was there.
    fn answer(self, written: Result<Sent, Refusal>) {
        let mut written = written;
        for answer in self.answers {
            // Whoever has gone away asks again by the same client_message_id.
            let _ = answer.send(written.clone());
            if let Ok(sent) = &mut written {
                sent.is_new = false;
            }
        }
    }
}

/// What a lane works with.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<ChatMetrics>,
    pub(crate) notifier: Late<dyn Notifier>,
}

impl Lane {
    /// Writes until `last` turns: requests that finish while the server drains still send.
    pub(crate) async fn run(self, mut orders: mpsc::Receiver<Order>, last: CancellationToken) {
        loop {
            let first = tokio::select! {
                first = orders.recv() => first,
                () = last.cancelled() => None,
            };
            let Some(first) = first else { return };
            let group = gather(first, &mut orders);
            // A bug that one group runs into must not end the lane for all that come after it.
            let work = AssertUnwindSafe(self.write(group)).catch_unwind();
            if work.await.is_err() {
                error!("writing a group of messages panicked");
            }
        }
    }

    /// Writes a group, and where Postgres refuses it, its halves: what is left in the end is the one
    /// message that cannot be written.
    async fn write(&self, group: Vec<Order>) {
        let mut groups = vec![group];
        while let Some(mut group) = groups.pop() {
            group.retain(Order::is_awaited);
            if group.is_empty() {
                continue;
            }
            match self.try_write(&group).await {
                Ok(verdicts) => self.settle(group, verdicts),
                Err(error) if error.is_unavailable() || group.len() < 2 => refuse(group, error),
                Err(error) => {
                    warn!(
                        messages = group.len(),
                        error = &error as &dyn std::error::Error,
                        "a group of messages was refused; trying its halves"
                    );
                    let second = group.split_off(group.len() / 2);
                    groups.extend([second, group]);
                }
            }
        }
    }

    async fn try_write(&self, group: &[Order]) -> Result<Vec<Verdict>, DbError> {
        let messages: Vec<&NewMessage> = group.iter().map(|order| &order.message).collect();
        let mut tries = 1;
        loop {
            match self.commit(&messages).await {
                Err(error) if tries < TRIES && has_lost_a_race(&error) => tries += 1,
                written => return written,
            }
        }
    }

    /// Writes a group and, where somebody tells sleeping apps, what they are to be told: in one commit.
    async fn commit(&self, messages: &[&NewMessage]) -> Result<Vec<Verdict>, DbError> {
        let now = self.clock.now();
        let Some(notifier) = self.notifier.get() else {
            return groups::write(&self.db, messages, now).await;
        };
        let mut client = self.db.client().await?;
        let tx = client.begin().await?;
        let verdicts = groups::write(&tx, messages, now).await?;
        let notices: Vec<Notice> = verdicts.iter().filter_map(notices::of_verdict).collect();
        if notices.is_empty() {
            tx.commit().await?;
            return Ok(verdicts);
        }
        let noticed = notifier.notify(&tx, &notices).await?;
        tx.commit().await?;
        drop(client);
        noticed.run().await;
        Ok(verdicts)
    }

    /// Tells both sides of each message, in the order of their numbers, and then who waits.
    fn settle(&self, group: Vec<Order>, verdicts: Vec<Verdict>) {
        self.metrics.groups.observe(group.len() as f64);
        for (order, verdict) in group.into_iter().zip(verdicts) {
            let written = match verdict {
                Verdict::Written { message, sides } => {
                    self.metrics.messages.inc();
                    if let Some(event) = events::message(&message) {
                        let bytes = event.to_bytes();
                        self.bus.publish(&topic(sides.customer_id), bytes.clone());
                        self.bus.publish(&topic(sides.mitra_id), bytes);
                    }
                    Ok(Sent {
                        message,
                        is_new: true,
                    })
                }
                Verdict::Earlier(message) => Ok(Sent {
                    message,
                    is_new: false,
                }),
                Verdict::NotActive => Err(Refusal::NotActive),
                Verdict::NotFound => Err(Refusal::NotFound),
            };
            order.answer(written);
        }
    }
}

/// Takes what waits already, each message once.
fn gather(first: Order, orders: &mut mpsc::Receiver<Order>) -> Vec<Order> {
    let mut places: HashMap<(Uuid, Uuid, String), usize> = HashMap::new();
    let mut group: Vec<Order> = Vec::new();
    let mut next = Some(first);
    while let Some(order) = next {
        let it = &order.message;
        let key = (it.session_id, it.sender_id, it.client_message_id.clone());
        match places.get(&key).and_then(|place| group.get_mut(*place)) {
            Some(same) => same.answers.extend(order.answers),
            None => {
                places.insert(key, group.len());
                group.push(order);
            }
        }
        next = if group.len() < GROUP_MAX {
            orders.try_recv().ok()
        } else {
            None
        };
    }
    group
}

fn refuse(group: Vec<Order>, error: DbError) {
    let cause = Arc::new(error);
    for order in group {
        order.answer(Err(Refusal::Failed(cause.clone())));
    }
}

/// The same message was committed elsewhere in that instant, or two transactions waited for each other.
fn has_lost_a_race(error: &DbError) -> bool {
    error.unique_violation() == Some(SENT_ONCE) || error.is_deadlock()
}
