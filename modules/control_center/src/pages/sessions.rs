//! Sessions, live and past.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::{Role, SessionFilter};

use super::frame::{Frame, SESSIONS};
use super::list::{Asked, ListView};
use super::{length, page, people, tag, when};
use crate::act::Caller;
use crate::api::sessions::{SessionView, list_of, status};
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/sessions.html")]
struct Sessions {
    frame: Frame,
    list: ListView,
    sessions: Vec<SessionView>,
}

/// The list.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let asked = Asked::of(&req)?;
    let filter = SessionFilter {
        status: asked.read("status", status)?,
        user_id: asked.read("user_id", |text| text.parse().ok())?,
        customer_ids: people::meant(&state, Role::Customer, "customer", &asked).await?,
        mitra_ids: people::meant(&state, Role::Mitra, "mitra", &asked).await?,
    };
    let (sessions, next) = list_of(&state, &filter, asked.window()?).await?;
    let list = ListView::new(asked, next)
        .text("customer", "Customer", "name, phone or id")
        .text("mitra", "Mitra", "name, phone or id")
        .choice("status", "Status", statuses())
        .days();
    page(&Sessions {
        frame: Frame::new(&caller.admin, SESSIONS, "Sessions"),
        list,
        sessions,
    })
}

fn statuses() -> Vec<(&'static str, &'static str)> {
    vec![
        ("open", "open: all but ended"),
        ("pending_payment", "waiting for payment"),
        ("active", "active"),
        ("rerouting", "looking for another mitra"),
        ("ended", "ended"),
    ]
}

/// What is left of a session's time, or how it came to its end.
fn left(session: &SessionView) -> String {
    match (session.remaining_seconds, session.end_reason.as_deref()) {
        (Some(seconds), _) => format!("{} left", length::of_seconds(seconds)),
        (None, Some(reason)) => tag::words(reason),
        (None, None) => "not started".to_owned(),
    }
}
