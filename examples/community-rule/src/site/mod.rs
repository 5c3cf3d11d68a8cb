//! The page of the application: what a browser needs to sign in by a link, write a draft and publish it.
//!
//! Everything it does goes through the API, signed in by the cookie; no script ever keeps a token. It loads
//! nothing from anywhere else.

use std::sync::Arc;

use halobestie_core::config::NoConfig;
use halobestie_core::http::html::HTML;
use halobestie_core::http::{Access, Reply, Request, Routes, reply};
use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use utoipa::OpenApi;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");
const ICON: &str = include_str!("icon.svg");

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
const ASKED_FOR_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The module.
pub struct Site;

/// The description of its routes.
#[derive(OpenApi)]
#[openapi(paths(page, opened, script, style, icon))]
struct Described;

impl Module for Site {
    const NAME: &'static str = "site";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        Described::openapi()
    }

    async fn build(_: NoConfig, _: &mut Context) -> Result<Contribution, BoxError> {
        let public = Routes::with(Arc::new(()))
            .get("/", Access::Anyone, page)
            .get("/auth/email", Access::Anyone, opened)
            .get("/page.js", Access::Anyone, script)
            .get("/page.css", Access::Anyone, style)
            .get("/icon.svg", Access::Anyone, icon)
            .into();
        Ok(Contribution {
            public,
            ..Contribution::default()
        })
    }
}

/// The application
#[utoipa::path(
    operation_id = "site_page",
    get, path = "/", tag = "site",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
async fn page(_: Arc<()>, _: Request) -> Reply {
    let mut response = reply::bytes(StatusCode::OK, HTML, PAGE);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// The application, opened by an emailed link
///
/// `APP_DEEP_LINK` is this server's own address, so that the link's button leads here.
#[utoipa::path(
    operation_id = "site_opened",
    get, path = "/auth/email", tag = "site",
    params(("token" = String, Query, description = "For `/api/auth/email/verify`.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
async fn opened(state: Arc<()>, req: Request) -> Reply {
    page(state, req).await
}

/// Its script
#[utoipa::path(
    operation_id = "site_script",
    get, path = "/page.js", tag = "site",
    responses((status = 200, description = "The script.", body = String, content_type = "text/javascript")),
)]
async fn script(_: Arc<()>, _: Request) -> Reply {
    Ok(part(JAVASCRIPT, SCRIPT))
}

/// Its style
#[utoipa::path(
    operation_id = "site_style",
    get, path = "/page.css", tag = "site",
    responses((status = 200, description = "The style.", body = String, content_type = "text/css")),
)]
async fn style(_: Arc<()>, _: Request) -> Reply {
    Ok(part(CSS, STYLE))
}

/// What a tab shows of it
#[utoipa::path(
    operation_id = "site_icon",
    get, path = "/icon.svg", tag = "site",
    responses((status = 200, description = "The icon.", body = String, content_type = "image/svg+xml")),
)]
async fn icon(_: Arc<()>, _: Request) -> Reply {
    Ok(part(SVG, ICON))
}

fn part(content_type: HeaderValue, text: &'static str) -> halobestie_core::http::Response {
    let mut response = reply::bytes(StatusCode::OK, content_type, text);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, ASKED_FOR_AGAIN);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    response
}
