//! Reports: complaints of one side of a session about the other, and handling them.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::{ReportFilter, ReportStatus};
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::form::{Field, Kind, Wrongs};
use super::frame::{Frame, REPORTS};
use super::list::{Asked, ListView};
use super::said::{self, Said};
use super::{Done, page, page_with, people, see, tag, when};
use crate::act::Caller;
use crate::acts::reports::{self as acts, ChangeReport};
use crate::api::reports::{ReportView, list_of, read};
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/reports.html")]
struct Reports {
    frame: Frame,
    list: ListView,
    reports: Vec<ReportView>,
}

/// The list.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let asked = Asked::of(&req)?;
    let filter = ReportFilter {
        status: asked.read("status", ReportStatus::parse)?,
        user_ids: people::meant_by_either(&state, "person", &asked).await?,
        session_id: asked.read("session", |text| text.parse().ok())?,
    };
    let (reports, next) = list_of(&state, &filter, asked.window()?).await?;
    let list = ListView::new(asked, next)
        .text("person", "By or about", "name, phone or id")
        .text("session", "Session", "its id")
        .choice("status", "Status", statuses())
        .days();
    page(&Reports {
        frame: Frame::new(&caller.admin, REPORTS, "Reports"),
        list,
        reports,
    })
}

fn statuses() -> Vec<(&'static str, &'static str)> {
    vec![
        ("open", "open"),
        ("in_review", "in review"),
        ("resolved", "resolved"),
        ("dismissed", "dismissed"),
    ]
}

#[derive(Template)]
#[template(path = "pages/report.html")]
struct ReportPage {
    frame: Frame,
    it: ReportView,
    evidence: Vec<Said>,
    note: Field,
    wrong: Option<String>,
}

/// One report.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (id, done): (Uuid, Done) = (req.param("id")?, req.query().unwrap_or_default());
    drop(req);
    drawn(&state, &caller, (id, done), None).await
}

async fn drawn(
    state: &State,
    caller: &Caller,
    (id, done): (Uuid, Done),
    refusal: Option<(String, Problem)>,
) -> Reply {
    let it = read(state, caller, id).await?;
    let field = Field::new("note", "What was found and done", Kind::Lines)
        .at_most(Some(4000))
        .hint("For your colleagues; neither side sees it.");
    let (field, status, wrong) = match refusal {
        Some((note, problem)) => {
            let (wrongs, status) = (Wrongs::of(&problem), problem.status());
            let field = field.holding(note).judged(&wrongs);
            let besides = wrongs.besides(std::slice::from_ref(&field));
            (field, status, besides)
        }
        None => {
            let note = it.note.clone().unwrap_or_default();
            (field.holding(note), StatusCode::OK, None)
        }
    };
    let report = ReportPage {
        frame: Frame::new(&caller.admin, REPORTS, "Report").notice(done.text()),
        evidence: said::evidence(&it),
        note: field,
        wrong,
        it,
    };
    page_with(status, &report)
}

/// The form's fields.
#[derive(Deserialize)]
struct Handled {
    status: String,
    #[serde(default)]
    note: String,
}

/// What the form sends.
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let form: Handled = req.form().await?;
    let handled = match change(&form) {
        Ok(change) => acts::change(&state, &caller, id, change).await,
        Err(problem) => Err(problem),
    };
    match handled {
        Ok(()) => see(&format!("/reports/{id}?done=saved")),
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            let refusal = Some((form.note, problem));
            drawn(&state, &caller, (id, Done::default()), refusal).await
        }
        Err(problem) => Err(problem),
    }
}

/// What is asked for.
fn change(form: &Handled) -> Result<ChangeReport, Problem> {
    let wrong = || Problem::invalid("status", "is none of those that there are");
    let status = ReportStatus::parse(&form.status).ok_or_else(wrong)?;
    Ok(ChangeReport {
        status: Some(status),
        note: Some(form.note.clone()),
    })
}
