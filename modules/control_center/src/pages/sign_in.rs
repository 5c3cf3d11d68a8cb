//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use http::StatusCode;
use http::header::SET_COOKIE;
use secrecy::SecretString;
use serde::Deserialize;

use super::frame::{DASHBOARD, Frame};
use super::{Done, page_with, see};
use crate::act::Caller;
use crate::cookies;
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct SignIn {
    frame: Frame,
    email: String,
    next: String,
    problem: Option<Problem>,
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    next: Option<String>,
    #[serde(flatten)]
    done: Done,
}

/// The form.
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let wanted: Wanted = req.query().unwrap_or_default();
    if let Some(token) = cookies::token(&req, &state.server.trusted_proxies)
        && state.admin_sessions.by_cookie(&token).await?.is_some()
    {
        return see(local(wanted.next.as_deref()));
    }
    let page = SignIn {
        frame: Frame::bare("Sign in").notice(wanted.done.text()),
        email: String::new(),
        next: local(wanted.next.as_deref()).to_owned(),
        problem: None,
    };
    page_with(StatusCode::OK, &page)
}

/// The form's fields.
#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: SecretString,
    next: Option<String>,
}

/// What the form sends.
pub(crate) async fn sign_in(state: Arc<State>, mut req: Request) -> Reply {
    let proxies = &state.server.trusted_proxies;
    let (address, is_secure) = (req.client_addr(proxies), req.is_by_tls(proxies));
    let form: Credentials = req.form().await?;
    let next = local(form.next.as_deref()).to_owned();
    let signed_in = state
        .admin_sessions
        .sign_in(&form.email, form.password, address)
        .await;
    match signed_in {
        Ok(session) => {
            let mut response = see(&next)?;
            let cookie = cookies::kept(&session.token, is_secure);
            response.headers_mut().insert(SET_COOKIE, cookie);
            Ok(response)
        }
        // What the person can do something about is said beside the form.
        Err(problem) if problem.status().is_client_error() => again(form.email, next, problem),
        Err(problem) => Err(problem),
    }
}

fn again(email: String, next: String, problem: Problem) -> Reply {
    let status = problem.status();
    let retry_after = problem.retry_after_seconds();
    let page = SignIn {
        frame: Frame::bare("Sign in"),
        email,
        next,
        problem: Some(problem),
    };
    let mut response = page_with(status, &page)?;
    if let Some(seconds) = retry_after {
        let seconds = http::HeaderValue::from(seconds);
        response
            .headers_mut()
            .insert(http::header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

/// Ends the session.
pub(crate) async fn sign_out(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    state.admin_sessions.sign_out(&caller.admin).await?;
    let mut response = see("/sign-in?done=signed-out")?;
    let is_secure = req.is_by_tls(&state.server.trusted_proxies);
    let cookie = cookies::forgotten(is_secure);
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// An address of ours: a sign-in never leads elsewhere.
fn local(next: Option<&str>) -> &str {
    let is_local = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && !path.chars().any(char::is_control)
            && path.is_ascii()
    };
    next.filter(is_local).unwrap_or(DASHBOARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_nowhere_else() {
        assert_eq!(local(Some("/mitras?q=ayu")), "/mitras?q=ayu");
        for elsewhere in [
            "https://evil.test",
            "//evil.test",
            "/\\evil.test",
            "evil",
            "",
            "/a\r\nset-cookie: x=y",
        ] {
            assert_eq!(local(Some(elsewhere)), "/", "{elsewhere:?}");
        }
        assert_eq!(local(None), "/");
    }
}
