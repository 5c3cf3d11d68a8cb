//! One HTTP call of a test: built in a line, answered in full, with assertions that show the answer.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::eventually::PATIENCE;

/// The connections of one test's client.
#[derive(Clone)]
pub struct Client(Http<HttpConnector, Full<Bytes>>);

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// No connections yet.
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Http::builder(TokioExecutor::new()).build(connector))
    }

    /// POST on any server, such as a process of the test's own.
    pub fn post(&self, address: SocketAddr, path: &str) -> Call {
        Call::new(self.clone(), address, Method::POST, path)
    }
}

/// A call under construction.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    client: Client,
    request: Request<Bytes>,
    patience: Duration,
}

impl Call {
    pub(crate) fn new(client: Client, address: SocketAddr, method: Method, path: &str) -> Self {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .body(Bytes::new())
            .expect("the path of a test's call is a path");
        Self {
            client,
            request,
            patience: PATIENCE,
        }
    }

    /// Waits longer than usual for the answer: it is one of very many at once.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Signs the call in.
    pub fn bearer(self, access_token: &str) -> Self {
        self.header("authorization", &format!("Bearer {access_token}"))
    }

    /// Sets a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header's value of a test is one");
        self.request.headers_mut().insert(name, value);
        self
    }

    /// Sends a JSON body.
    pub fn json(self, body: &impl Serialize) -> Self {
        let text = serde_json::to_vec(body).expect("a test's body is JSON");
        self.body("application/json", text)
    }

    /// Sends any body.
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = body.into();
        self.header("content-type", content_type)
    }

    /// Sends the call and reads the whole answer; panics when there is none.
    pub async fn send(self) -> TestResponse {
        let call = format!("{} {}", self.request.method(), self.request.uri().path());
        let answer = self.try_send().await;
        answer.unwrap_or_else(|error| panic!("no answer to {call}: {error}"))
    }

    /// Sends the call, for a test in which the server may be gone.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn try_send(self) -> Result<TestResponse, String> {
        let call = format!("{} {}", self.request.method(), self.request.uri().path());
        let exchange = async {
            let response = self.client.0.request(self.request.map(Full::new)).await;
            let (head, body) = response.map_err(|error| format!("{error:?}"))?.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|error| format!("{error:?}"))?
                .to_bytes();
            Ok(TestResponse {
                call,
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        timeout(self.patience, exchange)
            .await
            .map_err(|_| format!("not within {:?}", self.patience))?
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct TestResponse {
    /// What was asked, for messages.
    pub(crate) call: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl TestResponse {
    /// Asserts the status, and shows the whole answer when it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    /// Asserts a problem of this code and status, in the form that every error has; the body.
    #[track_caller]
    pub fn problem(&self, code: &str, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self}"
        );
        let body = self.json();
        assert_eq!(body["code"], code, "{self}");
        assert_eq!(body["status"], status, "{self}");
        for member in ["type", "title", "detail", "request_id"] {
            assert!(body[member].is_string(), "a problem has {member}: {self}");
        }
        assert_eq!(
            body["request_id"].as_str(),
            self.header("x-request-id"),
            "{self}"
        );
        body
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.read()
    }

    /// The body as a type.
    #[track_caller]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {self}"),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The whole seconds of `Retry-After`; panics when there are none.
    #[track_caller]
    pub fn retry_after(&self) -> u64 {
        let value = self.header(header::RETRY_AFTER.as_str());
        let seconds = value.and_then(|value| value.parse().ok());
        seconds.unwrap_or_else(|| panic!("there is no Retry-After in {self}"))
    }
}

impl fmt::Display for TestResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} answered {} {}",
            self.call,
            self.status,
            self.text()
        )
    }
}
