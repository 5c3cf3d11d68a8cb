//! One session: where it is, its time, what was paid, what happened; ending it.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::{Happening, OverseenExtension, TimeEntry};
use http::StatusCode;
use uuid::Uuid;

use super::confirm::Confirm;
use super::dashboard::rupiah;
use super::form::{Field, Kind, Wrongs};
use super::frame::{Frame, SESSIONS};
use super::{Done, length, page_with, people, see, tag, when};
use crate::act::Caller;
use crate::acts::sessions as acts;
use crate::api::payments::{self, PaymentView};
use crate::api::sessions::{SessionView, find};
use crate::names::Names;
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/session.html")]
struct Session {
    frame: Frame,
    it: SessionView,
    books: Books,
    extensions: Vec<OverseenExtension>,
    payments: Vec<PaymentView>,
    events: Vec<Line>,
    end: Confirm,
    /// Why the transcript is wanted.
    reason: Field,
}

impl Session {
    /// What is left of its time.
    fn remaining(&self) -> Option<String> {
        self.it.remaining_seconds.map(length::of_seconds)
    }
}

/// What an entry in the books says.
fn booked(entry: &TimeEntry, session: &SessionView) -> &'static str {
    match entry.kind.as_str() {
        "consumed" => "used",
        "returned" => "given back",
        _ if entry.subject_id == Some(session.id) => "bought with the session",
        _ => "bought by an extension",
    }
}

/// The books of a session's time.
struct Books {
    entries: Vec<TimeEntry>,
}

impl Books {
    /// All entries of a kind, in words.
    fn all(&self, kind: &str) -> String {
        let entries = self.entries.iter().filter(|it| it.kind == kind);
        length::of_ms(entries.map(|it| it.ms).sum())
    }
}

/// Something that happened, and who did it.
struct Line {
    what: Happening,
    who: String,
}

/// The page.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (id, done): (Uuid, Done) = (req.param("id")?, req.query().unwrap_or_default());
    drop(req);
    let frame = Frame::new(&caller.admin, SESSIONS, "Session").notice(done.text());
    drawn(&state, frame, id, None).await
}

/// The page, where the transcript was not shown for this problem.
///
/// # Errors
/// `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn refused(
    state: &State,
    caller: &Caller,
    id: Uuid,
    refusal: (String, Problem),
) -> Reply {
    let frame = Frame::new(&caller.admin, SESSIONS, "Session");
    drawn(state, frame, id, Some(refusal)).await
}

async fn drawn(state: &State, frame: Frame, id: Uuid, refusal: Option<(String, Problem)>) -> Reply {
    let it = find(state, id).await?;
    let sessions = state.sessions()?;
    let entries = sessions.time_books(id).await?;
    let status = refusal.as_ref().map_or(StatusCode::OK, |it| it.1.status());
    let session = Session {
        frame,
        books: Books { entries },
        extensions: sessions.extensions(id).await?,
        payments: payments::of_session(state, id).await?,
        events: told(state, sessions.session_history(id).await?).await?,
        end: end_button(&it),
        reason: reason_field(refusal),
        it,
    };
    page_with(status, &session)
}

async fn told(state: &State, events: Vec<Happening>) -> Result<Vec<Line>, Problem> {
    let names = Names::of(state, events.iter().filter_map(|it| it.actor_id)).await?;
    let line = |what: Happening| {
        let name = what.actor_id.map(|id| names.named(id).display_name);
        let who = match name.filter(|name| !name.is_empty()) {
            Some(name) => format!("{name}, {}", what.actor),
            None => what.actor.clone(),
        };
        Line { what, who }
    };
    Ok(events.into_iter().map(line).collect())
}

fn end_button(it: &SessionView) -> Confirm {
    let (customer, mitra) = (&it.customer.display_name, &it.mitra.display_name);
    let left = match it.remaining_seconds {
        Some(seconds) => format!(
            "What is left of its time ({}) is credited to the customer.",
            length::of_seconds(seconds)
        ),
        None => "Its clock has not started; a payment that is still open expires.".to_owned(),
    };
    Confirm {
        id: "end".to_owned(),
        button: "End session",
        question: format!("End the session of {customer} and {mitra}?"),
        consequence: format!(
            "It ends for both sides at once, and they are told so. {left} Nobody can open it again."
        ),
        action: format!("/sessions/{}/end", it.id),
        hidden: Vec::new(),
        asked: Vec::new(),
        is_danger: true,
    }
}

fn reason_field(refusal: Option<(String, Problem)>) -> Field {
    let field = Field::new("reason", "Why do you read it?", Kind::Line("text"))
        .required()
        .at_most(Some(500))
        .hint("Written into the audit with your name before anything is shown.");
    match refusal {
        Some((reason, problem)) => field.holding(reason).judged(&Wrongs::of(&problem)),
        None => field,
    }
}

/// What the button sends.
pub(crate) async fn end(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    acts::end(&state, &caller, id).await?;
    see(&format!("/sessions/{id}?done=ended"))
}
