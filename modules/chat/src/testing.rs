//! The way that messages take into Postgres, for the benchmark that measures it without sockets around.

use std::sync::Arc;

use halobestie_core::ports::Role;
use halobestie_core::{BoxError, Context};
use uuid::Uuid;

use crate::messages::{MessageKind, NewMessage};
use crate::metrics::ChatMetrics;
use crate::scribe::{Scribe, Writer};
use crate::store::groups;

/// Writes messages as the server does.
pub struct Pen {
    cx: Context,
    scribe: Scribe,
}

impl Pen {
    /// A pen with this many groups in flight. One a context: it registers metrics.
    pub fn new(cx: &Context, groups: usize) -> Self {
        // Metrics of its own: the server's have these names already.
        let metrics = Arc::new(ChatMetrics::new(
            &halobestie_core::metrics::Metrics::default(),
        ));
        let writer = Writer {
            db: cx.db.clone(),
            bus: cx.bus.clone(),
            clock: cx.clock.clone(),
            metrics: metrics.clone(),
            notifier: cx.ports.notifier.clone(),
        };
        Self {
            cx: cx.clone(),
            scribe: Scribe::start(&cx.lifecycle, groups, writer),
        }
    }

    /// Writes a message with whatever else is written now.
    ///
    /// # Errors
    /// When it is not written.
    pub async fn write(&self, session_id: Uuid, sender_id: Uuid) -> Result<(), BoxError> {
        let message = self.message(session_id, sender_id);
        let written = self.scribe.write(message).await;
        written
            .map(|_| ())
            .map_err(|problem| problem.detail_text().to_owned().into())
    }

    /// Writes a message by a statement and a commit of its own.
    ///
    /// # Errors
    /// When Postgres does not.
    pub async fn write_alone(&self, session_id: Uuid, sender_id: Uuid) -> Result<(), BoxError> {
        let message = self.message(session_id, sender_id);
        groups::write(&self.cx.db, &[message], self.cx.clock.now()).await?;
        Ok(())
    }

    fn message(&self, session_id: Uuid, sender_id: Uuid) -> NewMessage {
        let id = self.cx.entropy.uuid(&self.cx.clock);
        NewMessage {
            id,
            session_id,
            sender_id,
            sender_role: Role::Customer,
            client_message_id: id.to_string(),
            kind: MessageKind::Text,
            body: "what people say to each other, a line of it".into(),
            attachment: None,
        }
    }
}
