//! `POST /api/chat/sessions/{id}/report`

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::state::State;
use crate::store::reports::{self as store, NewReport};
use crate::text;

const REASON_CHARS_MAX: usize = 200;
const DETAILS_CHARS_MAX: usize = 4000;
/// How many of the last messages are kept with a report.
const EVIDENCE_MAX: i64 = 50;
/// How many reports one user may make in a day: each keeps a copy of a conversation.
const REPORTS_A_DAY: i64 = 10;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is wrong.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateReport {
    /// In a word or a sentence: 1 to 200 characters.
    #[schema(example = "harassment")]
    reason: String,
    /// At most 4,000 characters.
    details: Option<String>,
}

/// A report, as its maker sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    id: Uuid,
    session_id: Uuid,
    /// The other side of the session.
    reported_id: Uuid,
    reason: String,
    details: Option<String>,
    created_at: Timestamp,
}

/// Report the other side
///
/// At any time during a session or after it. The last 50 messages are kept with the report, whatever
/// becomes of the conversation. The other side is not told. Ten reports a day and user.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/report", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    request_body = CreateReport,
    responses(
        (status = 201, description = "Reported", body = Report),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 422, description = "`validation_failed`"),
        (status = 429, description = "`rate_limited`: ten a day"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let (session_id, caller): (Uuid, _) = (req.param("id")?, req.caller()?);
    let CreateReport { reason, details } = req.json().await?;
    text::check("reason", &reason, REASON_CHARS_MAX)?;
    let details = text::optional("details", details, DETAILS_CHARS_MAX)?;
    let now = state.clock.now();
    check_rate(&state, caller.user_id, now).await?;
    let report = NewReport {
        id: state.entropy.uuid(&state.clock),
        session_id,
        reporter_id: caller.user_id,
        reporter_role: caller.role,
        reason: &reason,
        details: details.as_deref(),
        created_at: now,
    };
    let reported_id = store::insert(&state.db, &report, EVIDENCE_MAX)
        .await?
        .ok_or(ChatError::NotFound)?;
    state.metrics.reports.inc();
    info!(report.id = %report.id, session.id = %session_id, "somebody was reported");
    let id = report.id;
    reply::created(&Report {
        id,
        session_id,
        reported_id,
        reason,
        details,
        created_at: now,
    })
}

/// Calls at once may each see the last free place: the bound is on growth, not to the row.
async fn check_rate(state: &State, reporter_id: Uuid, now: Timestamp) -> Result<(), Problem> {
    let tenth = store::nth_latest(&state.db, reporter_id, REPORTS_A_DAY, now - DAY).await?;
    match tenth {
        Some(made_at) => Err(ChatError::RateLimited((made_at + DAY).since(now)).into()),
        None => Ok(()),
    }
}
