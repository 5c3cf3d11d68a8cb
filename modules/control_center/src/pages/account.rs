//! The own account: another password.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use http::StatusCode;
use http::header::RETRY_AFTER;

use super::form::{Field, Kind, Wrongs};
use super::frame::{ACCOUNT, Frame};
use super::{Done, page, page_with, see};
use crate::act::Caller;
use crate::acts::account::{self as acts, ChangePassword};
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/account.html")]
struct Account {
    frame: Frame,
    role: String,
    fields: Vec<Field>,
    wrong: Option<String>,
}

fn of(caller: &Caller, wrongs: &Wrongs) -> Account {
    let fields = [
        Field::new("current", "The password until now", Kind::Line("password"))
            .autocomplete("current-password"),
        Field::new("new", "The new password", Kind::Line("password"))
            .autocomplete("new-password")
            .hint("8 to 71 bytes: a few words that nobody guesses."),
    ];
    let fields = fields.map(|it| it.required().judged(wrongs));
    Account {
        frame: Frame::new(&caller.admin, ACCOUNT, "Your account"),
        role: caller.admin.role.to_string(),
        wrong: wrongs.besides(&fields),
        fields: fields.to_vec(),
    }
}

/// The page.
pub(crate) async fn show(_: Arc<State>, caller: Caller, req: Request) -> Reply {
    let done: Done = req.query().unwrap_or_default();
    let mut account = of(&caller, &Wrongs::default());
    account.frame = account.frame.notice(done.text());
    page(&account)
}

/// What the form sends.
pub(crate) async fn change(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let address = req.client_addr(&state.server.trusted_proxies);
    let asked: ChangePassword = req.form().await?;
    let Err(problem) = acts::change_password(&state, &caller, asked, address).await else {
        return see(&format!("{ACCOUNT}?done=password"));
    };
    let status = problem.status();
    if !matches!(
        status,
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::TOO_MANY_REQUESTS
    ) {
        return Err(problem);
    }
    let mut wrongs = Wrongs::of(&problem);
    let wait = problem.retry_after_seconds();
    if let (Some(whole), Some(seconds)) = (&mut wrongs.whole, wait) {
        *whole += &format!(" Try again in {seconds} s.");
    }
    let mut response = page_with(status, &of(&caller, &wrongs))?;
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}
