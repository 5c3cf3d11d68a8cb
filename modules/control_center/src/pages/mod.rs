//! The pages: one file and its template each, in one frame.
//!
//! A page is made on the server and works without script; htmx fetches the moving parts of it again, and
//! `assets/cc.js` does the few things that a server cannot (the viewer's own time, opening a dialog).
//! Nothing is inline, so the policy below lets nothing inline run.

pub(crate) mod account;
pub(crate) mod admins;
pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod confirm;
pub(crate) mod customers;
pub(crate) mod dashboard;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod length;
pub(crate) mod lights;
pub(crate) mod list;
pub(crate) mod mitras;
pub(crate) mod payment;
pub(crate) mod payments;
pub(crate) mod people;
pub(crate) mod refusal;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod said;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod setting_form;
pub(crate) mod sign_in;
pub(crate) mod svg;
pub(crate) mod sweeps;
pub(crate) mod system;
pub(crate) mod tag;
pub(crate) mod transcript;
pub(crate) mod when;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Body, Reply, Response, html, reply};
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY};
use serde::Deserialize;

/// What a page of ours may load and do: our own files, our own forms, requests to us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// Without it a browser would send `Origin: null` with our own forms.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");
const ROBOTS: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-robots-tag"),
    HeaderValue::from_static("noindex"),
);

/// A page, or a part of one.
///
/// # Errors
/// When the template fails, which is a bug of ours.
pub(crate) fn page(template: &impl Template) -> Reply {
    page_with(StatusCode::OK, template)
}

/// The same with another status.
///
/// # Errors
/// As [`page`].
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Reply {
    let text = template.render().map_err(Problem::internal)?;
    let mut response = reply::bytes(status, html::HTML, text);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, REFERRER);
    headers.insert(ROBOTS.0, ROBOTS.1);
    Ok(response)
}

/// To another page, by GET: what a form's answer is once it is done.
///
/// # Errors
/// When the path is no header's value, which is a bug of ours.
pub(crate) fn see(path: &str) -> Reply {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(path).map_err(Problem::internal)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// What a page says about the act that led to it: `?done=`, a word of [`done`].
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Done {
    done: Option<String>,
}

impl Done {
    /// The sentence.
    pub(crate) fn text(&self) -> Option<&'static str> {
        done(self.done.as_deref()?)
    }
}

/// What was done, in a sentence. Only these words are known, so an address cannot make a page say anything.
fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "made" => "Made.",
        "saved" => "Saved.",
        "activated" => "Activated.",
        "deactivated" => "Deactivated, and signed out everywhere.",
        "ended" => "The session has ended; both sides are told.",
        "password" => "The password is changed; you are signed out everywhere else.",
        "refunded" => "The refund is taken down and on its way.",
        "by-hand" => "The refund is written down.",
        "ran" => "The sweep ran.",
        "runs" => "The sweep runs on; its result shows here when it is done.",
        "signed-out" => "You are signed out.",
        _ => return None,
    })
}
