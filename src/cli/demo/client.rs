//! A small HTTP client: JSON over plain http, every call and every body bounded.
//!
//! It follows no redirect and retries nothing: the demo wants to see what the server really answers.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, header};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

use super::PATIENCE;
use super::address::Address;
use super::trouble::{SERVER_AT_FAULT, wrong};

/// The largest answer read.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request to be sent.
pub(crate) struct Call {
    method: Method,
    path: String,
    idempotency_key: Option<String>,
    body: Option<Value>,
}

impl Call {
    /// Reads something.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            idempotency_key: None,
            body: None,
        }
    }

    /// Does something.
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self {
            method: Method::POST,
            ..Self::get(path)
        }
    }

    /// Sends this JSON along.
    pub(crate) fn body(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// Makes the call safe to repeat.
    pub(crate) fn idempotency_key(self, key: &str) -> Self {
        Self {
            idempotency_key: Some(key.to_owned()),
            ..self
        }
    }

    fn into_request(self, to: &Address, token: Option<&str>) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("{to}{}", self.path));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let body = match self.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        request
            .body(Full::new(body))
            .context("cannot make a request")
    }
}

/// One running server.
#[derive(Clone)]
pub(crate) struct Server {
    address: Address,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Server {
    /// The server at an address; nothing is sent yet.
    pub(crate) fn at(address: &Address) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            address: address.clone(),
            http,
        }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a request, signed in where there is a token, and reads the answer whatever its status.
    pub(crate) async fn send(&self, call: Call, token: Option<&str>) -> Result<Answer> {
        let asked = format!("{} {}", call.method, call.path);
        let request = call.into_request(&self.address, token)?;
        match timeout(PATIENCE, self.exchange(asked.clone(), request)).await {
            Ok(answer) => answer,
            Err(_) => Err(wrong(
                format!("an answer to {asked} within {} s", PATIENCE.as_secs()),
                "silence",
                format!(
                    "see whether the server at {} is overloaded or stuck",
                    self.address
                ),
            )),
        }
    }

    async fn exchange(&self, asked: String, request: Request<Full<Bytes>>) -> Result<Answer> {
        match self.http.request(request).await {
            Ok(response) => Answer::read(asked, response).await,
            Err(error) if error.is_connect() => Err(unreachable(&self.address, error.into())),
            Err(error) => Err(wrong(
                format!("an answer to {asked}"),
                format!("a broken connection ({:#})", anyhow::Error::new(error)),
                "see whether the server is still running; its log says why it stopped",
            )),
        }
    }
}

/// Nobody listens at this address.
pub(crate) fn unreachable(address: &Address, cause: anyhow::Error) -> anyhow::Error {
    wrong(
        format!("a server at {address}"),
        format!("no connection ({cause:#})"),
        "start it with scripts/dev, or name its address with --public, --second or --sandbox",
    )
}

/// What a server answered.
pub(crate) struct Answer {
    asked: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The JSON body; `null` when there was none.
    pub(crate) body: Value,
    retry_after: Option<String>,
}

impl Answer {
    async fn read(asked: String, response: Response<Incoming>) -> Result<Self> {
        let (head, body) = response.into_parts();
        let retry_after = head.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                let came = format!("a body that broke off ({error})");
                return Err(wrong(
                    format!("the answer to {asked}"),
                    came,
                    SERVER_AT_FAULT,
                ));
            }
        };
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok(Self {
            asked,
            status: head.status.as_u16(),
            body,
            retry_after,
        })
    }

    /// The body, when the status is the expected one.
    pub(crate) fn expect(self, status: u16) -> Result<Value> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(wrong(
            format!("{} from {}", status, self.asked),
            self.summary(),
            self.advice(),
        ))
    }

    /// Checks that the call was refused with this status and error code.
    pub(crate) fn expect_refusal(self, status: u16, code: &str) -> Result<()> {
        if self.status == status && self.code() == code {
            return Ok(());
        }
        let expected = format!("{status} {code} from {}", self.asked);
        Err(wrong(expected, self.summary(), SERVER_AT_FAULT))
    }

    /// The error code, empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Status, error code and detail: never the whole body, which may hold tokens.
    pub(crate) fn summary(&self) -> String {
        let mut summary = self.status.to_string();
        for part in [
            self.code(),
            self.body["detail"].as_str().unwrap_or_default(),
        ] {
            if !part.is_empty() {
                summary = format!("{summary} {part}");
            }
        }
        match &self.retry_after {
            Some(seconds) => format!("{summary} (again in {seconds} s)"),
            None => summary,
        }
    }

    fn advice(&self) -> String {
        match (self.status, self.code()) {
            (429, _) => "wait until the limit lets you through, or raise it for this server".into(),
            (503, _) => "see /readyz: something the server depends on is down".into(),
            (404, "") => "see whether this address is a halobestie server's public listener".into(),
            (404, _) => "see whether the server has the modules auth, availability and chat".into(),
            _ => match self.body["request_id"].as_str() {
                Some(id) => format!("look for request {id} in the server's log"),
                None => SERVER_AT_FAULT.into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_is_told_by_status_code_and_detail() {
        let answer = |status, body| {
            let (asked, retry_after) = ("POST /x".to_owned(), Some("7".to_owned()));
            Answer {
                asked,
                status,
                body,
                retry_after,
            }
        };
        let body = json!({"code": "rate_limited", "detail": "Too many.", "secret": "s"});
        assert_eq!(
            answer(429, body).summary(),
            "429 rate_limited Too many. (again in 7 s)"
        );
        let taken = json!({"code": "offer_taken"});
        assert!(
            answer(409, taken.clone())
                .expect_refusal(409, "offer_taken")
                .is_ok()
        );
        assert!(
            answer(409, taken.clone())
                .expect_refusal(409, "offer_expired")
                .is_err()
        );
        let error = answer(409, taken).expect(200).unwrap_err().to_string();
        assert!(
            error.starts_with("expected 200 from POST /x, got 409 offer_taken"),
            "{error}"
        );
    }
}
