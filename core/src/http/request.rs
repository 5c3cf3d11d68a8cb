//! A request as a handler gets it: parsed on demand, bounded, with the caller already checked.

use std::net::IpAddr;
use std::str::FromStr;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ipnet::IpNet;
use serde::de::DeserializeOwned;

use crate::http::client_addr;
use crate::http::exchange::{Exchange, RequestId};
use crate::nul;
use crate::ports::Principal;
use crate::problem::{BoxError, Coded, ErrorCode, Problem, codes};

/// The body of a request, still on the wire.
pub type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// A request that reached its route.
#[derive(Debug)]
pub struct Request {
    /// Method, address, headers, extensions.
    pub head: Parts,
    body: RequestBody,
    params: Vec<(String, String)>,
    principal: Option<Principal>,
    body_bytes_max: usize,
}

impl Request {
    /// Puts a request together; the router's work.
    pub fn new(
        head: Parts,
        body: RequestBody,
        params: Vec<(String, String)>,
        principal: Option<Principal>,
        body_bytes_max: usize,
    ) -> Self {
        Self {
            head,
            body,
            params,
            principal,
            body_bytes_max,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The address.
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header as text, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }

    /// Who calls, where the route asks for a signed-in caller. `None` on a route for anyone: a token
    /// that is sent there is not looked at.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// Who calls, on a route that lets only signed-in callers through.
    ///
    /// # Errors
    /// `unauthenticated` on a route that lets anyone through.
    pub fn caller(&self) -> Result<Principal, Problem> {
        self.principal
            .clone()
            .ok_or_else(|| Problem::new(&codes::UNAUTHENTICATED))
    }

    /// Says who calls; the guard's work.
    pub(crate) fn set_principal(&mut self, principal: Principal) {
        self.principal = Some(principal);
    }

    /// The request's name, to be sent on to upstream calls.
    pub fn request_id(&self) -> Option<&RequestId> {
        Exchange::of(&self.head.extensions).map(|exchange| exchange.id())
    }

    /// The client's address. `X-Forwarded-For` is believed as far as trusted proxies have written it.
    pub fn client_addr(&self, trusted_proxies: &[IpNet]) -> IpAddr {
        client_addr::of(&self.head, trusted_proxies)
    }

    /// Whether the client used TLS, by the word of a trusted proxy (`X-Forwarded-Proto`).
    pub fn is_by_tls(&self, trusted_proxies: &[IpNet]) -> bool {
        client_addr::is_by_tls(&self.head, trusted_proxies)
    }

    /// A form's fields, at most the route's limit.
    ///
    /// # Errors
    /// `body_too_large`, or `validation_failed` for what is no such form, or holds a NUL.
    pub async fn form<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        let body = self.bytes().await?;
        nul::refuse_in_pairs(&body, "form")?;
        serde_urlencoded::from_bytes(&body)
            .map_err(|error| Problem::invalid("form", error.to_string()))
    }

    /// The path parameter `name`, such as an id.
    ///
    /// # Errors
    /// `not_found` when it does not parse: an address that cannot exist is one that does not.
    pub fn param<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, value)| value.parse().ok())
            .ok_or_else(Problem::not_found)
    }

    /// The query string.
    ///
    /// # Errors
    /// `validation_failed` naming the query when a value does not parse, or what holds a NUL.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let query = self.head.uri.query().unwrap_or_default();
        nul::refuse_in_pairs(query.as_bytes(), "query")?;
        serde_urlencoded::from_str(query)
            .map_err(|error| Problem::invalid("query", error.to_string()))
    }

    /// The JSON body, at most the route's limit.
    ///
    /// # Errors
    /// `unsupported_media_type`, `body_too_large`, `malformed_json`, or `validation_failed` naming the
    /// field that is missing or of the wrong type.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        let body = self.json_bytes().await?;
        parse_json(&body)
    }

    /// The JSON body as it came, where its bytes matter too (an idempotency key's fingerprint).
    ///
    /// # Errors
    /// As [`Request::json`], short of parsing.
    pub async fn json_bytes(&mut self) -> Result<Bytes, Problem> {
        let content_type = self
            .header(header::CONTENT_TYPE.as_str())
            .unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(&codes::UNSUPPORTED_MEDIA_TYPE));
        }
        self.bytes().await
    }

    /// The raw body, at most the route's limit.
    ///
    /// # Errors
    /// `body_too_large`; `malformed_json` when the client stopped in the middle.
    pub async fn bytes(&mut self) -> Result<Bytes, Problem> {
        // Boxed, so that handlers' futures are found to be `Send` without looking into this one, at which
        // the compiler gives up ("implementation of `From` is not general enough").
        let limit = self.body_bytes_max;
        let collected = self.take_body()?.collect().boxed();
        match collected.await.map_err(|error| BodyError::of(error, limit)) {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(BodyError::Broken(cause)) => Err(Problem::new(&codes::MALFORMED_JSON)
                .detail("The body ended before it was complete.")
                .because(cause)),
            Err(too_large) => Err(too_large.into()),
        }
    }

    /// The body piece by piece, at most the route's limit, for what must not be held in memory.
    ///
    /// # Errors
    /// `body_too_large` for one that declares itself so; the pieces say the rest.
    pub fn chunks(&mut self) -> Result<Chunks, Problem> {
        let limit = self.body_bytes_max;
        let pieces = self.take_body()?.into_data_stream();
        Ok(pieces
            .map_err(move |error| BodyError::of(error, limit))
            .boxed())
    }

    fn take_body(&mut self) -> Result<Limited<RequestBody>, BodyError> {
        let (body, limit) = (std::mem::take(&mut self.body), self.body_bytes_max);
        // A body that declares itself too large is not read up to the limit first.
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(BodyError::TooLarge(limit));
        }
        Ok(Limited::new(body, limit))
    }
}

/// A body piece by piece.
pub type Chunks = BoxStream<'static, Result<Bytes, BodyError>>;

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is over the route's limit, in bytes.
    #[error("the body is over its limit of {0} bytes")]
    TooLarge(usize),
    /// The client stopped in the middle.
    #[error("the body ended before it was complete")]
    Broken(#[source] BoxError),
}

impl BodyError {
    fn of(error: BoxError, limit: usize) -> Self {
        if error.is::<LengthLimitError>() {
            Self::TooLarge(limit)
        } else {
            Self::Broken(error)
        }
    }
}

impl Coded for BodyError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::TooLarge(_) => &codes::BODY_TOO_LARGE,
            Self::Broken(_) => &codes::MALFORMED_REQUEST,
        }
    }

    fn detail(&self) -> Option<String> {
        Some(match self {
            Self::TooLarge(limit) => format!("The body may have at most {limit} bytes."),
            Self::Broken(_) => "The body ended before it was complete.".to_owned(),
        })
    }
}

/// Parses JSON bytes, naming the field where that can be told.
///
/// # Errors
/// `malformed_json` on syntax, `validation_failed` on a missing field, a wrong type or a NUL.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    use serde_json::error::Category;
    nul::refuse_in_json(body)?;
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(_) => Err(Problem::new(&codes::MALFORMED_JSON)
                .detail("There is something after the JSON value.")),
        },
        Err(error) => match error.inner().classify() {
            Category::Data => {
                let message = without_position(&error.inner().to_string());
                Err(Problem::invalid(field_of(error.path(), &message), message))
            }
            _ => Err(Problem::new(&codes::MALFORMED_JSON).detail(format!(
                "The request body is not valid JSON: {}.",
                error.inner()
            ))),
        },
    }
}

/// The field that is wrong. The path of one that is missing ends at the object that lacks it; its name is
/// in serde's message alone (`serde::de::Error::missing_field`).
fn field_of(path: &serde_path_to_error::Path, message: &str) -> String {
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match missing {
        None => path.to_string(),
        Some(name) if path.iter().next().is_none() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
    }
}

/// serde_json ends its messages with a position, which says nothing to somebody filling in a form.
fn without_position(message: &str) -> String {
    message
        .split(" at line ")
        .next()
        .unwrap_or(message)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_named_where_it_is_missing() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only parsed")]
        struct Device {
            platform: String,
        }
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only parsed")]
        struct Body {
            phone: String,
            device: Option<Device>,
        }
        let field = |sent: &str| {
            let problem = parse_json::<Body>(sent.as_bytes()).unwrap_err();
            let body: serde_json::Value = serde_json::from_slice(&problem.body("")).unwrap();
            body["errors"][0]["field"].clone()
        };
        assert_eq!(field("{}"), "phone");
        assert_eq!(
            field(r#"{"phone": "0812", "device": {}}"#),
            "device.platform"
        );
    }

    #[test]
    fn json_errors_name_the_field_and_say_nothing_of_positions() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only parsed")]
        struct Body {
            phone: String,
        }
        let problem = parse_json::<Body>(br#"{"phone": 7}"#).unwrap_err();
        assert_eq!(problem.code(), &codes::VALIDATION_FAILED);
        let body = String::from_utf8(problem.body("")).unwrap();
        assert!(
            body.contains(r#""field":"phone""#) && !body.contains("column"),
            "{body}"
        );
        assert_eq!(
            parse_json::<Body>(b"{").unwrap_err().code(),
            &codes::MALFORMED_JSON
        );
        assert_eq!(
            parse_json::<Body>(b"{} {}").unwrap_err().code(),
            &codes::VALIDATION_FAILED
        );
    }
}
