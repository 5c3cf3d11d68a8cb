//! Writes a group, tells everybody of it, and says what became of each message.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use halobestie_core::bus::Bus;
use halobestie_core::clock::Clock;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Late, Notice, Notifier};
use tracing::warn;
use uuid::Uuid;

use super::{Refusal, Written};
use crate::live::events;
use crate::messages::{NewMessage, Sent};
use crate::metrics::ChatMetrics;
use crate::notices;
use crate::state::topic;
use crate::store::groups::{self, SENT_ONCE, Verdict};

/// How often a group is written again that lost to another process in that instant.
const TRIES: u32 = 3;

/// What it takes to write.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<ChatMetrics>,
    pub(crate) notifier: Late<dyn Notifier>,
}

impl Writer {
    /// Writes a group; what became of each, in the group's order.
    pub(super) async fn write(&self, messages: Vec<NewMessage>) -> Vec<Written> {
        let distinct = Distinct::of(messages);
        let written = self.write_distinct(&distinct.messages).await;
        distinct.of_each(written)
    }

    /// Writes messages, and where Postgres refuses them, their halves: what is left in the end is the
    /// one message that cannot be written.
    async fn write_distinct(&self, messages: &[NewMessage]) -> Vec<Written> {
        let mut written = Vec::with_capacity(messages.len());
        let mut groups = vec![messages];
        while let Some(group) = groups.pop() {
            match self.try_write(group).await {
                Ok(verdicts) => written.extend(self.settle(verdicts)),
                Err(error) if error.is_unavailable() || group.len() < 2 => {
                    let refusal = Refusal::Failed(Arc::new(error));
                    written.extend(group.iter().map(|_| Err(refusal.clone())));
                }
                Err(error) => {
                    warn!(
                        messages = group.len(),
                        error = &error as &dyn std::error::Error,
                        "a group of messages was refused; trying its halves"
                    );
                    let (first, second) = group.split_at(group.len() / 2);
                    groups.extend([second, first]);
                }
            }
        }
        written
    }

    async fn try_write(&self, group: &[NewMessage]) -> Result<Vec<Verdict>, DbError> {
        let mut tries = 1;
        loop {
            match self.commit(group).await {
                Err(error) if tries < TRIES && has_lost_a_race(&error) => tries += 1,
                written => return written,
            }
        }
    }

    /// Writes a group and, where somebody tells sleeping apps, what they are to be told: in one commit.
    async fn commit(&self, messages: &[NewMessage]) -> Result<Vec<Verdict>, DbError> {
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

    /// Tells both sides of each message, in the order of their numbers.
    fn settle(&self, verdicts: Vec<Verdict>) -> impl Iterator<Item = Written> {
        self.metrics.groups.observe(verdicts.len() as f64);
        verdicts.into_iter().map(|verdict| match verdict {
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
        })
    }
}

/// A group in which each message is there once, though a client may send one twice at once.
struct Distinct {
    messages: Vec<NewMessage>,
    /// Of each that was asked for: which of the messages it is.
    places: Vec<usize>,
}

impl Distinct {
    fn of(asked: Vec<NewMessage>) -> Self {
        let mut messages: Vec<NewMessage> = Vec::with_capacity(asked.len());
        let mut places = Vec::with_capacity(asked.len());
        let mut known: HashMap<(Uuid, Uuid, String), usize> = HashMap::with_capacity(asked.len());
        for message in asked {
            let mark = message.client_message_id.clone();
            let place = match known.entry((message.session_id, message.sender_id, mark)) {
                Entry::Occupied(there) => *there.get(),
                Entry::Vacant(there) => {
                    messages.push(message);
                    *there.insert(messages.len() - 1)
                }
            };
            places.push(place);
        }
        Self { messages, places }
    }

    /// What became of each that was asked for. The first to ask has written it; to the others it was
    /// there.
    fn of_each(self, mut written: Vec<Written>) -> Vec<Written> {
        if self.places.len() == written.len() {
            return written;
        }
        let of = |place: usize| {
            let answer = written.get(place).cloned();
            if let Some(Ok(sent)) = written.get_mut(place) {
                sent.is_new = false;
            }
            answer
        };
        self.places.into_iter().filter_map(of).collect()
    }
}

/// The same message was committed elsewhere in that instant, or two transactions waited for each other.
fn has_lost_a_race(error: &DbError) -> bool {
    error.unique_violation() == Some(SENT_ONCE) || error.is_deadlock()
}
