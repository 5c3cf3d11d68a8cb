//! `GET /playground` and the files beside it

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, html, reply};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};

use crate::assets::ASSETS;
use crate::routes::State;

/// Its own files, and its own server's API and socket: nothing inline, nothing from anywhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const SAME_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The playground
///
/// Customer and mitra side by side, on this very API, with everything that goes over the wire. On a
/// developer's machine alone.
#[utoipa::path(
    operation_id = "playground_page",
    get, path = "/playground", tag = "playground",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
pub(crate) async fn page(state: Arc<State>, _: Request) -> Reply {
    let mut page = reply::bytes(StatusCode::OK, html::HTML, state.page.clone());
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(page)
}

/// A file of the playground
#[utoipa::path(
    operation_id = "playground_file",
    get, path = "/playground/{file}", tag = "playground",
    params(("file" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "A script, a style or a picture."),
        (status = 404, description = "`not_found`: there is none of this name."),
    ),
)]
pub(crate) async fn file(_: Arc<State>, req: Request) -> Reply {
    let name: String = req.param("file")?;
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(Problem::not_found)?;
    let mut file = reply::bytes(StatusCode::OK, asset.content_type(), asset.text);
    let headers = file.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(SAME_ORIGIN, HeaderValue::from_static("same-origin"));
    // The next build's page must not meet this build's scripts.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(file)
}
