//! CORS for a listener's known origins: tower-http's layer, which answers every OPTIONS, put behind a
//! check that lets through to the router those that are no preflight.

use std::time::Duration;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, Cors, CorsLayer};

use futures_util::future::Either;
use std::task::{Context, Poll};

use super::request_id::X_REQUEST_ID;
use crate::http::{RawRequest, Response};

/// How long a browser may remember a preflight's answer.
const PREFLIGHT_LIFE: Duration = Duration::from_secs(3600);

/// An origin that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an origin such as https://example.com")]
pub struct BadOrigin(String);

/// Whether a listener's routes take a browser's cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// They do, so pages of known origins may have them sent.
    Taken,
    /// Whoever calls brings a token.
    Ignored,
}

/// The layer.
#[derive(Clone, Debug)]
pub struct KnownOrigins(CorsLayer);

impl KnownOrigins {
    /// Lets browsers on pages of these origins call us. `None` when there are none.
    ///
    /// # Errors
    /// On a text that is not an origin.
    pub fn new(origins: &[String], cookies: Cookies) -> Result<Option<Self>, BadOrigin> {
        if origins.is_empty() {
            return Ok(None);
        }
        let known: Vec<HeaderValue> = origins
            .iter()
            .map(|it| parse(it))
            .collect::<Result<_, _>>()?;
        // A predicate, because a list would be copied with the stack for every request.
        let is_known = AllowOrigin::predicate(move |origin, _| known.contains(origin));
        let layer = CorsLayer::new()
            .allow_origin(is_known)
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                HeaderName::from_static("idempotency-key"),
                X_REQUEST_ID,
            ])
            .expose_headers([header::ETAG, header::RETRY_AFTER, X_REQUEST_ID])
            .allow_credentials(cookies == Cookies::Taken)
            .max_age(PREFLIGHT_LIFE);
        Ok(Some(Self(layer)))
    }
}

fn parse(origin: &str) -> Result<HeaderValue, BadOrigin> {
    let bad = || BadOrigin(origin.to_owned());
    let uri: http::Uri = origin.parse().map_err(|_| bad())?;
    let is_origin = uri.scheme().is_some() && uri.authority().is_some() && uri.path() == "/";
    if !is_origin || origin.ends_with('/') {
        return Err(bad());
    }
    HeaderValue::from_str(origin).map_err(|_| bad())
}

impl<S: Clone> Layer<S> for KnownOrigins {
    type Service = CorsForKnownOrigins<S>;
    fn layer(&self, inner: S) -> Self::Service {
        CorsForKnownOrigins {
            cors: self.0.layer(inner),
        }
    }
}

/// A service with CORS around it.
#[derive(Clone, Debug)]
pub struct CorsForKnownOrigins<S> {
    cors: Cors<S>,
}

impl<S> Service<RawRequest> for CorsForKnownOrigins<S>
where
    S: Service<RawRequest, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<<Cors<S> as Service<RawRequest>>::Future, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.cors.poll_ready(cx)
    }

    fn call(&mut self, req: RawRequest) -> Self::Future {
        if req.method() == Method::OPTIONS && !is_preflight(&req) {
            Either::Right(self.cors.get_mut().call(req))
        } else {
            Either::Left(self.cors.call(req))
        }
    }
}

fn is_preflight(req: &RawRequest) -> bool {
    req.headers().contains_key(header::ORIGIN)
        && req
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_origins_and_nothing_else() {
        for good in ["https://app.example.com", "http://localhost:8080"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "app.example.com",
            "https://app.example.com/",
            "https://a.b/c",
            "null",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
