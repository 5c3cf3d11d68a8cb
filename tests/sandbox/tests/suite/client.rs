//! A small HTTP client, over HTTP/1.1 or HTTP/2 with prior knowledge.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

/// No call of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client with connections of its own.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A request under construction.
pub(crate) struct Call {
    http: Http,
    request: Request<Full<Bytes>>,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(HttpConnector::new()))
    }

    pub(crate) fn http2() -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        Self(builder.http2_only(true).build(HttpConnector::new()))
    }

    pub(crate) fn call(&self, method: &str, url: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(url);
        Call {
            http: self.clone(),
            request: request.body(Full::default()).unwrap(),
        }
    }

    pub(crate) fn get(&self, url: &str) -> Call {
        self.call("GET", url)
    }

    pub(crate) fn post(&self, url: &str) -> Call {
        self.call("POST", url)
    }
}

impl Call {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self.header("content-type", content_type)
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }

    /// None: the connection was refused or broke.
    pub(crate) async fn try_send(self) -> Option<Answer> {
        let answer = async {
            let response = self.http.0.request(self.request).await.ok()?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some(Answer {
                status: head.status.as_u16(),
                headers: head.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        timeout(PATIENCE, answer).await.expect("an end")
    }
}
