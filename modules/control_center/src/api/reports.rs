//! Reports: complaints of one side of a session about the other.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{OverseenReport, ReportFilter, ReportStatus, Window};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Page, PageQuery, one_of};
use crate::act::Caller;
use crate::acts::reports::{self as acts, ChangeReport};
use crate::names::{Named, Names};
use crate::state::State;

/// A report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Report)]
pub(crate) struct ReportView {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) reporter: Named,
    /// `customer` or `mitra`.
    pub(crate) reporter_role: String,
    pub(crate) reported: Named,
    pub(crate) reason: String,
    pub(crate) details: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) status: ReportStatus,
    /// What admins wrote about it.
    pub(crate) note: Option<String>,
    /// Who last changed it.
    pub(crate) handled_by: Option<Named>,
    pub(crate) handled_at: Option<Timestamp>,
    /// The messages before it, oldest first; empty in lists, and in the answer of a change.
    pub(crate) evidence: Value,
}

impl ReportView {
    fn new(it: OverseenReport, names: &Names) -> Self {
        Self {
            id: it.id,
            session_id: it.session_id,
            reporter: names.named(it.reporter_id),
            reporter_role: it.reporter_role,
            reported: names.named(it.reported_id),
            reason: it.reason,
            details: it.details,
            created_at: it.created_at,
            status: it.status,
            note: it.note,
            handled_by: it.handled_by.map(|id| names.named(id)),
            handled_at: it.handled_at,
            evidence: it.evidence,
        }
    }

    fn has_evidence(&self) -> bool {
        self.evidence.as_array().is_some_and(|it| !it.is_empty())
    }
}

/// A page of reports; `window.limit` is the page's.
///
/// # Errors
/// `module_off`, or that Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    filter: &ReportFilter,
    window: Window,
) -> Result<(Vec<ReportView>, Option<String>), Problem> {
    let one_more = Window {
        limit: window.limit + 1,
        ..window
    };
    let mut found = state.sessions()?.reports(filter, one_more).await?;
    let next = paging::cut(&mut found, window.limit, |it| it.id);
    Ok((named(state, found).await?, next))
}

/// One report with its evidence, once it is written down who reads it.
///
/// # Errors
/// `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn read(state: &State, caller: &Caller, id: Uuid) -> Result<ReportView, Problem> {
    let report = find(state, id).await?;
    if report.has_evidence() {
        acts::read(state, caller, id).await?;
    }
    Ok(report)
}

async fn find(state: &State, id: Uuid) -> Result<ReportView, Problem> {
    let found = state.sessions()?.report(id).await?;
    let found = named(state, found.into_iter().collect()).await?;
    found.into_iter().next().ok_or_else(Problem::not_found)
}

async fn named(state: &State, found: Vec<OverseenReport>) -> Result<Vec<ReportView>, Problem> {
    let people = found.iter().flat_map(|it| {
        [it.reporter_id, it.reported_id]
            .into_iter()
            .chain(it.handled_by)
    });
    let names = Names::of(state, people).await?;
    let view = |it| ReportView::new(it, &names);
    Ok(found.into_iter().map(view).collect())
}

/// Which reports to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// `open`, `in_review`, `resolved` or `dismissed`.
    status: Option<String>,
    /// By or about this person.
    user_id: Option<Uuid>,
    /// Of this session.
    session_id: Option<Uuid>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List reports
#[utoipa::path(
    operation_id = "admin_reports",
    get, path = "/api/admin/reports", tag = "admin", security(("bearer" = [])),
    params(ReportQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<ReportView>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let query: ReportQuery = req.query()?;
    let filter = ReportFilter {
        status: one_of("status", query.status.as_deref(), ReportStatus::parse)?,
        user_ids: query.user_id.map(|id| vec![id]),
        session_id: query.session_id,
    };
    let window = Window {
        limit: query.page.limit()?,
        ..query.page.window()?
    };
    let (items, next_cursor) = list_of(&state, &filter, window).await?;
    reply::ok(&Page { items, next_cursor })
}

/// Show a report with its evidence
///
/// Who reads what was said stands in the audit: `report.read`.
#[utoipa::path(
    operation_id = "admin_report",
    get, path = "/api/admin/reports/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The report")),
    responses(
        (status = 200, description = "The report", body = ReportView),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    drop(req);
    reply::ok(&read(&state, &caller, id).await?)
}

/// Handle a report
///
/// One that is resolved or dismissed has a note. A change that asks for nothing new leaves all as it is.
#[utoipa::path(
    operation_id = "admin_report_update",
    patch, path = "/api/admin/reports/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The report")),
    request_body = ChangeReport,
    responses(
        (status = 200, description = "The report", body = ReportView),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let change: ChangeReport = req.json().await?;
    acts::change(&state, &caller, id, change).await?;
    let mut report = find(&state, id).await?;
    // What was said is shown to nobody without a row in the audit.
    report.evidence = Value::Array(Vec::new());
    reply::ok(&report)
}
