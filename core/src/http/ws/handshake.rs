//! The opening handshake (RFC 6455 §4.2), checked by hand because hyper has parsed it already.

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::SUBPROTOCOL;
use crate::http::{Body, Reply, Request, Response, reply};
use crate::problem::{Problem, codes};

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Whether this is a handshake of the version that we speak.
pub(super) fn is_asked_for(req: &Request) -> bool {
    req.method() == Method::GET
        && has_token(req, header::CONNECTION, "upgrade")
        && has_token(req, header::UPGRADE, "websocket")
        && req.headers().get(header::SEC_WEBSOCKET_VERSION) == Some(&VERSION)
}

/// The answer to everything else: what would be right stands in its headers.
pub(super) fn required() -> Response {
    let mut response = reply::problem(Problem::new(&codes::UPGRADE_REQUIRED));
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, WEBSOCKET);
    headers.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
    response
}

/// The 101.
///
/// # Errors
/// `bad_handshake` without a key, or when subprotocols are offered and ours is not among them.
pub(super) fn answer(req: &Request) -> Reply {
    let key = req.headers().get(header::SEC_WEBSOCKET_KEY);
    // 16 bytes in base64: anything else was not made by a WebSocket client.
    let Some(key) = key.filter(|key| key.len() == 24) else {
        return Err(Problem::new(&codes::BAD_HANDSHAKE).detail("Sec-WebSocket-Key is missing."));
    };
    let accept =
        HeaderValue::try_from(derive_accept_key(key.as_bytes())).map_err(Problem::internal)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, WEBSOCKET);
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if req.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        if !has_token(req, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
            return Err(Problem::new(&codes::BAD_HANDSHAKE));
        }
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
    }
    Ok(response)
}

fn has_token(req: &Request, name: HeaderName, token: &str) -> bool {
    let lines = req
        .headers()
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|it| it.trim().eq_ignore_ascii_case(token))
}
