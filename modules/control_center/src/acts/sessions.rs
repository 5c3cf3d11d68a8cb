//! Ending sessions, and reading what was said in them.

use halobestie_core::Problem;
use halobestie_core::ports::{OverseenSession, TranscriptMessage};
use serde_json::json;
use uuid::Uuid;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::state::State;

/// What an admin writes at most.
const REASON_CHARS_MAX: usize = 500;

/// Ends a session. Nothing happens to one that is over.
///
/// # Errors
/// `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn end(
    state: &State,
    caller: &Caller,
    id: Uuid,
) -> Result<OverseenSession, Problem> {
    let (sessions, control) = (state.sessions()?, state.session_control()?);
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let ended = control.end(&act.tx, id, caller.id()).await?;
    let ended = ended.ok_or_else(Problem::not_found)?;
    match ended.reason {
        // What had come about before anybody wrote it down is so called: it was not the admin who did it.
        Some(reason) => {
            let note = Note {
                action: "session.end",
                subject: subject("session", id),
                before: Some(json!({"status": ended.was})),
                after: Some(json!({"status": "ended", "end_reason": reason})),
            };
            act.commit(&note).await?;
        }
        None => act.nothing().await?,
    }
    drop(connection);
    ended.after_commit.run().await;
    let found = sessions.session(id).await?;
    found.ok_or_else(Problem::not_found)
}

/// What was said in a session, once it is written down who reads it and why.
///
/// # Errors
/// `validation_failed` on a reason that is too long, or that Postgres does not answer.
pub(crate) async fn read(
    state: &State,
    caller: &Caller,
    id: Uuid,
    reason: Option<&str>,
    (after_seq, limit): (i64, i64),
) -> Result<Vec<TranscriptMessage>, Problem> {
    let reason = reason.map(str::trim).filter(|it| !it.is_empty());
    if reason.is_some_and(|it| it.chars().count() > REASON_CHARS_MAX || it.contains('\0')) {
        let message = format!("must have 1 to {REASON_CHARS_MAX} characters");
        return Err(Problem::invalid("reason", message));
    }
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let note = Note {
        action: "session.read",
        subject: subject("session", id),
        before: None,
        after: Some(json!({"reason": reason})),
    };
    act.commit(&note).await?;
    drop(connection);
    Ok(state.sessions()?.transcript(id, after_seq, limit).await?)
}
