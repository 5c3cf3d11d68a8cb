//! Pages instead of what was asked for: a problem in words, or the way to the sign-in.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::SignedAdmin;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::frame::Frame;
use super::{page_with, see};

/// What tells htmx to go elsewhere as a whole.
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

#[derive(Template)]
#[template(path = "pages/refusal.html")]
struct Refusal<'a> {
    frame: Frame,
    problem: &'a Problem,
}

/// A problem as a page. Its cause goes to the log as any other's does.
///
/// # Errors
/// When the template fails.
pub(crate) fn page(problem: Problem, admin: Option<&SignedAdmin>) -> Reply {
    let title = problem.code().title;
    let frame = match admin {
        Some(admin) => Frame::new(admin, "", title),
        None => Frame::bare(title),
    };
    let refusal = Refusal {
        frame,
        problem: &problem,
    };
    let mut response = page_with(problem.status(), &refusal)?;
    if let Some(seconds) = problem.retry_after_seconds() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Arc::new(problem));
    Ok(response)
}

#[derive(Template)]
#[template(path = "pages/bounce.html")]
struct Bounce<'a> {
    to: &'a str,
}

/// Nobody is signed in, for all that the request says.
///
/// A link on another site comes without the cookie, which is `Strict`. Such a request is sent to the same
/// address once more by a page of our own, and then comes with it.
///
/// # Errors
/// When the template fails.
pub(crate) fn sign_in_first(req: &Request) -> Reply {
    let asked = req.uri().path_and_query().map_or("/", |it| it.as_str());
    let reads = matches!(*req.method(), Method::GET | Method::HEAD);
    let from_elsewhere = matches!(
        req.header("sec-fetch-site"),
        Some("cross-site" | "same-site")
    );
    if reads && from_elsewhere && req.header("sec-fetch-mode") == Some("navigate") {
        return page_with(StatusCode::OK, &Bounce { to: asked });
    }
    let is_part = req.header("hx-request").is_some();
    let mut to = "/sign-in".to_owned();
    if reads && !is_part && asked != "/" {
        to += "?next=";
        to.extend(utf8_percent_encode(asked, NON_ALPHANUMERIC));
    }
    let mut response = see(&to)?;
    if is_part {
        // A part of a page cannot become the sign-in: the page as a whole must.
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().remove(http::header::LOCATION);
        let to = HeaderValue::try_from(to).map_err(Problem::internal)?;
        response.headers_mut().insert(HX_REDIRECT, to);
    }
    Ok(response)
}
