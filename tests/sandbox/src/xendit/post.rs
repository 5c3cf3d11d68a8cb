//! Posting a webhook over plain HTTP. The receiver is on this machine.

use std::time::Duration;

use bytes::Bytes;
use halobestie_core::lifecycle::Lifecycle;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioTimer;
use tokio::time::timeout;

use super::webhook::Outcome;
use crate::upstream::TrackedExecutor;

/// Of an answer no more is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A client.
pub(crate) struct Post(Client<HttpConnector, Full<Bytes>>);

/// What is posted.
pub(super) struct Letter {
    pub(super) url: Option<String>,
    pub(super) timeout: Duration,
    pub(super) token: Option<String>,
    pub(super) id: Option<String>,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Post {
    pub(crate) fn new(lifecycle: &Lifecycle) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = Client::builder(TrackedExecutor(lifecycle.clone()));
        builder.pool_timer(TokioTimer::new());
        Self(builder.build(connector))
    }

    pub(super) async fn send(&self, letter: Letter) -> Outcome {
        let Some(url) = letter.url.as_deref() else {
            return Outcome::UrlNotSet;
        };
        let deadline = letter.timeout;
        let Some(request) = request(url, &letter) else {
            return Outcome::Unreachable;
        };
        match timeout(deadline, self.exchange(request)).await {
            Ok(Some(status)) => Outcome::Answered(status),
            Ok(None) => Outcome::Unreachable,
            Err(_) => Outcome::TimedOut,
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Option<u16> {
        let response = self.0.request(request).await.ok()?;
        let status = response.status().as_u16();
        // Read to its end, so that the connection can be used again.
        let _ = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        Some(status)
    }
}

fn request(url: &str, letter: &Letter) -> Option<Request<Full<Bytes>>> {
    let body = Full::new(Bytes::copy_from_slice(&letter.body));
    let mut request = Request::post(url).body(body).ok()?;
    let mut set = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).ok()?;
        request.headers_mut().insert(name, value);
        Some(())
    };
    set("content-type", &letter.content_type)?;
    if let Some(token) = &letter.token {
        set("x-callback-token", token)?;
    }
    if let Some(id) = &letter.id {
        set("webhook-id", id)?;
    }
    Some(request)
}
