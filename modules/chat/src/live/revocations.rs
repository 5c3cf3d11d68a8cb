//! Closes the sockets of sign-in sessions that are revoked, on this or any other replica.

use std::sync::Arc;

use halobestie_core::BoxError;
use tokio::sync::broadcast::error::RecvError;

use crate::state::State;

/// The service `chat-revocations`.
pub(crate) async fn run(state: Arc<State>) -> Result<(), BoxError> {
    let mut revocations = state.authenticator.revocations();
    loop {
        let revocation = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            revocation = revocations.recv() => revocation,
        };
        match revocation {
            Ok(session_id) => close_where(&state, |it| it == session_id),
            Err(RecvError::Lagged(_)) => {
                close_where(&state, |it| state.authenticator.is_revoked(it));
            }
            // The authenticator lives as long as the process.
            Err(RecvError::Closed) => {
                state.lifecycle.soft().cancelled().await;
                return Ok(());
            }
        }
    }
}

fn close_where(state: &State, is_revoked: impl Fn(uuid::Uuid) -> bool) {
    for local in state.hub.all() {
        if is_revoked(local.auth_session_id()) {
            local.revoked.notify_one();
        }
    }
}
