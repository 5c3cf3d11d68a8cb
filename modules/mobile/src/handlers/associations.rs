//! `GET /.well-known/apple-app-site-association`, `GET /.well-known/assetlinks.json`

use std::sync::Arc;

use bytes::Bytes;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};

use crate::routes::State;

/// An hour: a mistake in the configuration does not stay for long.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The apps for iOS that may open the site's links
#[utoipa::path(
    get, path = "/.well-known/apple-app-site-association", tag = "mobile",
    responses(
        (status = 200, description = "Apple's association file.", content_type = "application/json"),
        (status = 404, description = "`not_found`: none is configured."),
    ),
)]
pub(crate) async fn apple(state: Arc<State>, _: Request) -> Reply {
    file(state.apple.as_ref())
}

/// The apps for Android that may open the site's links
#[utoipa::path(
    get, path = "/.well-known/assetlinks.json", tag = "mobile",
    responses(
        (status = 200, description = "Google's statement list.", content_type = "application/json"),
        (status = 404, description = "`not_found`: none is configured."),
    ),
)]
pub(crate) async fn android(state: Arc<State>, _: Request) -> Reply {
    file(state.android.as_ref())
}

fn file(rendered: Option<&Bytes>) -> Reply {
    let body = rendered.ok_or_else(Problem::not_found)?;
    let mut response = reply::bytes(StatusCode::OK, reply::JSON, body.clone());
    response.headers_mut().insert(CACHE_CONTROL, CACHED);
    Ok(response)
}
