//! The description of the API: OpenAPI 3.1, merged from core and the enabled modules, and a page to
//! read it on.
//!
//! Handlers describe themselves (`#[utoipa::path]`); a module lists its handlers in
//! `Module::openapi`. Nothing is described here but what all routes share: how to sign in, and what
//! an error looks like.

mod merge;
mod page;
mod schema;

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use serde::Serialize;
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToSchema};

use crate::http::{Access, Reply, Request, Routes, html, reply};
use crate::module::Entry;
use crate::problem::FieldError;

/// The name of the security scheme that guarded routes refer to.
pub const BEARER: &str = "bearer";
/// The name of the scheme that serves besides, where a module describes it.
pub const COOKIE: &str = "cookie";

/// What an error looks like (RFC 9457); the codes stand in `docs/errors.md`. Some codes bring further
/// members.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `about:blank`: the code says what kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: String,
    /// A short text for people, the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// What happened.
    pub detail: String,
    /// The stable code, for programs.
    #[schema(example = "not_found")]
    pub code: String,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: String,
    /// The fields that are wrong, with `validation_failed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

#[derive(OpenApi)]
#[openapi(
    info(license(name = "MIT"), contact()),
    paths(openapi_json, docs),
    components(schemas(ProblemBody))
)]
struct Description;

/// What holds of every API on this core.
const CONVENTIONS: &str = "Errors are problem+json with a stable `code`; lists take `limit` and `cursor`; \
     instants are RFC 3339 in UTC; ids are UUIDs; money is an integer amount of rupiah.";

/// How a server and its API are called.
#[derive(Clone, Copy, Debug)]
pub struct Title {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Default for Title {
    /// A server that nobody has named.
    fn default() -> Self {
        Self {
            name: "halobestie",
            about: "A server on halobestie's core.",
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The descriptions of core and of these modules in one document.
pub fn merged(title: &Title, entries: &[Entry]) -> Document {
    let mut document = Description::openapi();
    title.name.clone_into(&mut document.info.title);
    document.info.description = Some(format!("{} {CONVENTIONS}", title.about));
    title.version.clone_into(&mut document.info.version);
    document.merge(crate::http::probes::Description::openapi());
    for entry in entries {
        merge::add(&mut document, (entry.openapi)(), entry.name);
    }
    merge::share(&mut document);
    document
}

/// Every operation of a description, as method and path, in order.
pub fn operations(document: &Document) -> Vec<(String, String)> {
    let described = document.paths.paths.iter();
    let mut all: Vec<(String, String)> = described
        .flat_map(|(path, item)| {
            merge::methods(item).map(|method| (method.to_owned(), path.clone()))
        })
        .collect();
    all.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
    all
}

/// The description and the page to read it on, for the internal listener.
///
/// # Errors
/// When the document cannot be written as JSON, which is a bug of ours.
pub fn routes(document: &Document) -> Result<Routes, serde_json::Error> {
    let page = page::render(&serde_json::to_value(document)?);
    let rendered = Rendered {
        json: serde_json::to_vec(document)?.into(),
        policy: page::policy(),
        page: page.into(),
    };
    Ok(Routes::with(Arc::new(rendered))
        .get("/openapi.json", Access::Anyone, openapi_json)
        .get("/docs", Access::Anyone, docs)
        .into())
}

/// Both forms, made once.
struct Rendered {
    json: Bytes,
    page: Bytes,
    policy: HeaderValue,
}

/// The description of this API
///
/// OpenAPI 3.1, of the modules that are enabled in this server. On the internal listener.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses(
    (status = 200, description = "The document", body = Object),
))]
async fn openapi_json(rendered: Arc<Rendered>, _: Request) -> Reply {
    Ok(reply::bytes(
        StatusCode::OK,
        reply::JSON,
        rendered.json.clone(),
    ))
}

/// This page
///
/// The description of the API for people. On the internal listener.
#[utoipa::path(get, path = "/docs", tag = "operations", responses(
    (status = 200, description = "The page", body = String, content_type = "text/html"),
))]
async fn docs(rendered: Arc<Rendered>, _: Request) -> Reply {
    let mut response = reply::bytes(StatusCode::OK, html::HTML, rendered.page.clone());
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, rendered.policy.clone());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn the_problem_schema_is_what_problems_look_like() {
        let described = serde_json::to_value(merged(&Title::default(), &[])).unwrap();
        let described = &described["components"]["schemas"]["Problem"]["properties"];
        let body = Problem::invalid("phone", "is missing").body("an-id");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let names = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(&body), names(described));
    }
}
