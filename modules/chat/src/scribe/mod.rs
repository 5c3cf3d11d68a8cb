//! Writes the messages of concurrent senders in groups: one statement and one commit for many of them.
//!
//! A session is a key of the groups, so its messages keep their order. The invariants: whoever is
//! answered is committed; one message that Postgres refuses fails alone.

mod writer;

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::grouped::{Grouped, Shape};
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::DbError;

pub(crate) use self::writer::Writer;
use crate::error::ChatError;
use crate::messages::{NewMessage, Sent};

/// How many messages may wait: at 16 KiB a body this bounds the memory.
const WAITING_MAX: usize = 2048;

/// Why a message was not written.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// There is no such session of this sender.
    NotFound,
    /// The session does not take messages.
    NotActive,
    /// Postgres did not do it; the same cause for everybody whom it hit.
    Failed(Arc<DbError>),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => ChatError::NotFound.into(),
            Refusal::NotActive => ChatError::SessionNotActive.into(),
            Refusal::Failed(cause) => cause.into(),
        }
    }
}

/// What became of one message.
type Written = Result<Sent, Refusal>;

/// The way of messages into Postgres.
pub(crate) struct Scribe(Grouped<NewMessage, Written>);

impl Scribe {
    /// Opens the way, for this many groups at once while many wait.
    pub(crate) fn start(lifecycle: &Lifecycle, groups: usize, writer: Writer) -> Self {
        let waiting = writer.metrics.waiting.clone();
        let write = move |messages| {
            let writer = writer.clone();
            async move { writer.write(messages).await }
        };
        let shape = Shape {
            name: "chat-scribe",
            groups,
            waiting_max: WAITING_MAX,
        };
        Self(Grouped::start(lifecycle, shape, waiting, write))
    }

    /// Writes a message with whatever else is to be written now, and tells both sides. When this
    /// returns, it is committed.
    ///
    /// # Errors
    /// `not_found`, `session_not_active`; `overloaded` when too many wait already, or this one has
    /// waited for too long; Postgres's own.
    pub(crate) async fn write(&self, message: NewMessage) -> Result<Sent, Problem> {
        Ok(self.0.ask(message.session_id, message).await??)
    }
}
