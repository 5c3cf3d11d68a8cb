//! What was said in a session: shown to whoever says why, once that is written down.
//!
//! The reason comes by a form, so it stands in no address and no log; the page is kept by no cache, and
//! asked for again it asks again.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{Frame, SESSIONS};
use super::said::Said;
use super::{page, session};
use crate::act::Caller;
use crate::acts::sessions as acts;
use crate::api::sessions::{SessionView, find};
use crate::state::State;

/// Messages of one page.
const MESSAGES_MAX: i64 = 500;

#[derive(Template)]
#[template(path = "pages/transcript.html")]
struct Transcript {
    frame: Frame,
    it: SessionView,
    reason: String,
    messages: Vec<Said>,
    /// The last message of this page, where there are more.
    more_after: Option<i64>,
}

/// The form's fields.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    reason: String,
    /// Messages after this one.
    after_seq: Option<i64>,
}

/// What the form sends.
pub(crate) async fn read(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let wanted: Wanted = req.form().await?;
    let it = find(&state, id).await?;
    let reason = wanted.reason.trim();
    if reason.is_empty() {
        let problem = Problem::invalid("reason", "Say why: without a reason nothing is shown.");
        return session::refused(&state, &caller, id, (String::new(), problem)).await;
    }
    let from = (wanted.after_seq.unwrap_or(0), MESSAGES_MAX);
    let messages = match acts::read(&state, &caller, id, Some(reason), from).await {
        Ok(messages) => messages,
        Err(problem) if problem.status().is_client_error() => {
            return session::refused(&state, &caller, id, (reason.to_owned(), problem)).await;
        }
        Err(problem) => return Err(problem),
    };
    let last = messages.last().map(|it| it.seq);
    let messages = messages.into_iter().map(|message| Said::new(message, &it));
    page(&Transcript {
        frame: Frame::new(&caller.admin, SESSIONS, "Conversation"),
        reason: reason.to_owned(),
        messages: messages.collect(),
        more_after: last.filter(|last| *last < it.last_seq),
        it,
    })
}
