//! What browsers are told: who may call from another origin, and what a page may do.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::http::html::{self, styled};
use halobestie_core::http::{Access, RawRequest, Reply, Request, Routes, reply};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};

use super::layers::shop;
use super::{Site, read, request, with_header};

const OURS: &str = "https://app.example.com";

fn site() -> Site {
    let mut site = Site::new();
    site.options.origins = vec![OURS.to_owned(), "capacitor://localhost".to_owned()];
    site
}

fn from(req: RawRequest, origin: &'static str) -> RawRequest {
    with_header(req, "origin", origin)
}

fn preflight(origin: &'static str, method: &'static str) -> RawRequest {
    let req = request("OPTIONS", "/orders");
    from(
        with_header(req, "access-control-request-method", method),
        origin,
    )
}

#[tokio::test]
async fn a_preflight_of_a_known_origin_says_what_may_be_sent() {
    let stack = site().stack(shop());
    let answer = read(&stack, preflight(OURS, "POST")).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("access-control-allow-origin"), OURS);
    assert_eq!(answer.header("access-control-max-age"), "3600");
    let headers = answer.header("access-control-allow-headers");
    for name in [
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "x-request-id",
    ] {
        assert!(headers.contains(name), "{name} is not in {headers}");
    }
    let methods = answer.header("access-control-allow-methods");
    for name in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(methods.contains(name), "{name} is not in {methods}");
    }
    // No cookies: whoever calls brings a token.
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert!(varies(&answer.headers, "origin"), "{:?}", answer.headers);
    let other = read(&stack, preflight("capacitor://localhost", "DELETE")).await;
    assert_eq!(
        other.header("access-control-allow-origin"),
        "capacitor://localhost"
    );
}

fn varies(headers: &http::HeaderMap, name: &str) -> bool {
    let mut all = headers.get_all("vary").iter();
    all.any(|it| it.to_str().unwrap().to_lowercase().contains(name))
}

#[tokio::test]
async fn a_stranger_is_answered_without_leave() {
    let stack = site().stack(shop());
    for origin in [
        "https://evil.example.com",
        "https://app.example.com.evil.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "null",
    ] {
        for req in [
            preflight(origin, "POST"),
            from(request("GET", "/hello"), origin),
        ] {
            let answer = read(&stack, req).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            // Or a cache would hand this answer to a known origin.
            assert!(varies(&answer.headers, "origin"), "{origin}");
        }
    }
}

#[tokio::test]
async fn without_origins_nothing_is_said_of_them() {
    let stack = Site::new().stack(shop());
    let answer = read(&stack, from(request("GET", "/hello"), OURS)).await;
    assert_eq!(answer.status, 200);
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
    let answer = read(&stack, preflight(OURS, "POST")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn an_options_that_is_no_preflight_is_the_routers() {
    let stack = site().stack(shop());
    let plain = read(&stack, request("OPTIONS", "/orders")).await;
    assert_eq!(
        (plain.status, plain.header("allow")),
        (204, "OPTIONS, POST")
    );
}

#[tokio::test]
async fn a_browser_can_read_every_failure_and_when_to_come_back() {
    let mut site = site();
    site.options.deadline = Duration::from_millis(100);
    site.options.requests_max = Some(0);
    let full = site.stack(shop());
    site.options.requests_max = Some(10);
    let stack = site.stack(shop());
    for (stack, path, status) in [
        (&stack, "/nowhere", 404),
        (&stack, "/mine", 401),
        (&stack, "/panics", 500),
        (&stack, "/hangs", 503),
        (&full, "/hello", 503),
    ] {
        let answer = read(stack, from(request("GET", path), OURS)).await;
        assert_eq!(answer.status, status, "{path}");
        answer.code();
        assert_eq!(answer.header("access-control-allow-origin"), OURS, "{path}");
        let exposed = answer
            .header("access-control-expose-headers")
            .to_lowercase();
        for name in ["x-request-id", "retry-after", "etag"] {
            assert!(exposed.contains(name), "{name} is not in {exposed}");
        }
    }
    // A preflight costs no place, so a full server still says that the call itself may be made.
    assert_eq!(read(&full, preflight(OURS, "POST")).await.status, 200);
}

async fn page(_: Arc<()>, _: Request) -> Reply {
    Ok(reply::bytes(StatusCode::OK, html::HTML, "<p>hello"))
}

async fn missing(_: Arc<()>, _: Request) -> Reply {
    Ok(styled(StatusCode::NOT_FOUND, "<style>p{}</style>", "p{}"))
}

async fn own_mind(_: Arc<()>, _: Request) -> Reply {
    let mut page = reply::bytes(StatusCode::OK, html::HTML, "<p>hello");
    let policy = HeaderValue::from_static("default-src 'self'");
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    let kept = HeaderValue::from_static("max-age=60");
    page.headers_mut().insert(CACHE_CONTROL, kept);
    Ok(page)
}

fn pages() -> Routes {
    let mut routes: Routes = Routes::with(Arc::new(()))
        .get("/page", Access::Anyone, page)
        .get("/missing", Access::Anyone, missing)
        .get("/own-mind", Access::Anyone, own_mind)
        .into();
    routes.append(shop().into());
    routes
}

const SECURITY: &[(&str, &str)] = &[
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

#[tokio::test]
async fn every_page_loads_nothing_stands_in_no_frame_and_is_kept_by_nobody() {
    let stack = Site::new().stack(pages());
    for method in ["GET", "HEAD"] {
        let answer = read(&stack, request(method, "/page")).await;
        for (name, value) in SECURITY {
            assert_eq!(answer.header(name), *value, "{method} {name}");
        }
    }
    let styled = read(&stack, request("GET", "/missing")).await;
    assert_eq!(
        (styled.status, styled.header("x-frame-options")),
        (404, "DENY")
    );
    let policy = styled.header("content-security-policy");
    assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"));
}

#[tokio::test]
async fn a_page_may_say_more_of_itself() {
    let stack = Site::new().stack(pages());
    let answer = read(&stack, request("GET", "/own-mind")).await;
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'self'"
    );
    assert_eq!(answer.header("cache-control"), "max-age=60");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn what_is_no_page_carries_nothing_of_that() {
    let stack = Site::new().stack(pages());
    let answer = read(&stack, request("GET", "/hello")).await;
    assert_eq!(answer.header("content-security-policy"), "");
}
