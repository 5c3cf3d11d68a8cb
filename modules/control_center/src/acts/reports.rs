//! Handling reports, and reading what was said before them.

use halobestie_core::Problem;
use halobestie_core::ports::{ReportChange, ReportStatus};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::state::State;

const NOTE_CHARS_MAX: usize = 4000;

/// A change of a report. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = control_center::ReportChange)]
pub(crate) struct ChangeReport {
    /// Where it is now.
    pub(crate) status: Option<ReportStatus>,
    /// What was found and done, at most 4,000 characters.
    pub(crate) note: Option<String>,
}

/// Changes a report.
///
/// # Errors
/// `validation_failed`, `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn change(
    state: &State,
    caller: &Caller,
    id: Uuid,
    asked: ChangeReport,
) -> Result<(), Problem> {
    let note = asked.note.map(|it| it.trim().to_owned());
    let is_long = |it: &str| it.chars().count() > NOTE_CHARS_MAX || it.contains('\0');
    if note.as_deref().is_some_and(is_long) {
        let message = format!("must have at most {NOTE_CHARS_MAX} characters");
        return Err(Problem::invalid("note", message));
    }
    let sessions = state.sessions()?;
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let change = ReportChange {
        status: asked.status,
        note,
    };
    let changed = sessions
        .change_report(&act.tx, id, &change, caller.id())
        .await?;
    let (before, after) = changed.ok_or_else(Problem::not_found)?;
    if (before.status, &before.note) == (after.status, &after.note) {
        return act.nothing().await;
    }
    // Nobody closes a report without a word about it.
    let closes = matches!(
        after.status,
        ReportStatus::Resolved | ReportStatus::Dismissed
    );
    if closes && after.note.as_deref().is_none_or(str::is_empty) {
        let message = "Say in a word or two what was found and done.";
        return Err(Problem::invalid("note", message));
    }
    let note = Note {
        action: "report.update",
        subject: subject("report", id),
        before: Some(json!({"status": before.status, "note": before.note})),
        after: Some(json!({"status": after.status, "note": after.note})),
    };
    act.commit(&note).await
}

/// Writes down that an admin reads what was said before a report; before it is shown.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn read(state: &State, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let note = Note {
        action: "report.read",
        subject: subject("report", id),
        before: None,
        after: None,
    };
    act.commit(&note).await
}
