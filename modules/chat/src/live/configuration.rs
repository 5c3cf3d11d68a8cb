//! Tells sockets that a runtime setting has changed, where apps may know of it: the key alone, which
//! the app then reads where it always does.

use std::sync::Arc;

use halobestie_core::BoxError;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::events;
use crate::state::State;

/// The settings that apps show. Others are the operator's, and so are their names.
const SHOWN: &[&str] = &["packages"];

/// The service `chat-configuration`. It is told once this process's own cache holds the new value, so
/// an app that asks at once, here, sees it.
pub(crate) async fn run(
    state: Arc<State>,
    mut changes: Receiver<&'static str>,
) -> Result<(), BoxError> {
    loop {
        let change = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            change = changes.recv() => change,
        };
        match change {
            Ok(key) if SHOWN.contains(&key) => tell(&state, key),
            Ok(_) => {}
            // Which ones were missed is not known: to be told once too often costs an app one read.
            Err(RecvError::Lagged(_)) => SHOWN.iter().for_each(|key| tell(&state, key)),
            // The settings live as long as the process.
            Err(RecvError::Closed) => {
                state.lifecycle.soft().cancelled().await;
                return Ok(());
            }
        }
    }
}

fn tell(state: &State, key: &str) {
    let Some(event) = events::config(key) else {
        return;
    };
    for local in state.hub.all() {
        // A full mailbox is that of a socket that is behind; it reads settings when it comes back.
        local.leave(event.clone());
    }
}
