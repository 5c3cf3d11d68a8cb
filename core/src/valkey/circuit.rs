//! The circuit: closed while there is a session to send commands through, open while there is none.

use std::sync::Arc;

use tokio::sync::watch;

use super::session::Session;

/// Whether commands are sent, and through what. Starts open.
pub(super) struct Circuit {
    session: watch::Sender<Option<Arc<Session>>>,
    connects: watch::Sender<u64>,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            session: watch::Sender::new(None),
            connects: watch::Sender::new(0),
        }
    }
}

impl Circuit {
    /// The current session, if the circuit is closed.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone()
    }

    /// Counts how often the circuit was closed.
    pub(super) fn connects(&self) -> watch::Receiver<u64> {
        self.connects.subscribe()
    }

    /// Closes the circuit. Commands are sent before anybody is told, so that who reseeds can.
    pub(super) fn close(&self, session: Arc<Session>) {
        self.session.send_replace(Some(session));
        self.connects.send_modify(|connects| *connects += 1);
    }

    /// Opens the circuit because `failed` did; true for the first of its failures. The late failure of
    /// a session that has been replaced says nothing about the one that replaced it.
    pub(super) fn open(&self, failed: &Arc<Session>) -> bool {
        self.session.send_if_modified(|current| {
            let is_current = current
                .as_ref()
                .is_some_and(|session| Arc::ptr_eq(session, failed));
            if is_current {
                *current = None;
            }
            is_current
        })
    }

    /// Waits until the circuit is open.
    pub(super) async fn opened(&self) {
        // The sender is ours: it cannot be gone while it is being waited for.
        let _ = self.session.subscribe().wait_for(Option::is_none).await;
    }
}
