//! The audit: one row a transition, in the transaction of the transition.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use crate::session_state::{Actor, SessionEvent};

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

/// A transition of a session.
#[derive(Clone, Copy)]
pub(crate) struct SessionTransition<'a> {
    pub(crate) session_id: Uuid,
    pub(crate) event: SessionEvent,
    pub(crate) actor: Actor,
    /// Nobody, where the clock or a payment caused it.
    pub(crate) actor_id: Option<Uuid>,
    /// Why: a word of ours, or what the mitra wrote.
    pub(crate) note: Option<&'a str>,
    pub(crate) at: Timestamp,
}

/// Writes it down.
pub(crate) async fn record_session(tx: &Tx<'_>, it: &SessionTransition<'_>) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_events (session_id, event, actor, actor_id, note, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let (event, actor) = (it.event.as_str(), it.actor.as_str());
    tx.execute(
        SQL,
        &[
            &it.session_id,
            &event,
            &actor,
            &it.actor_id,
            &it.note,
            &it.at,
        ],
    )
    .await?;
    Ok(())
}
