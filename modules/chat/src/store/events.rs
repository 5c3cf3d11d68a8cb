//! The audit: one row a transition, in the transaction of the transition.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use crate::session_state::Actor;

/// A transition of a request or a session.
pub(crate) struct Transition {
    pub(crate) request_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) event: &'static str,
    pub(crate) actor: Actor,
    pub(crate) actor_id: Uuid,
    pub(crate) at: Timestamp,
}

/// Writes it down.
pub(crate) async fn record(tx: &Tx<'_>, it: &Transition) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_events (request_id, session_id, event, actor, actor_id, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let actor = it.actor.as_str();
    tx.execute(
        SQL,
        &[
            &it.request_id,
            &it.session_id,
            &it.event,
            &actor,
            &it.actor_id,
            &it.at,
        ],
    )
    .await?;
    Ok(())
}
