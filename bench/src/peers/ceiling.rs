//! The ceiling of HTTP: hyper alone, which answers everything with the body and the headers that another
//! server gave once. It routes nothing, logs nothing, counts nothing. It opens WebSockets too, and leaves
//! them alone: what an idle one costs at least.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Error};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::http_client::{HttpClient, request};

const HELLO: &str = r#"{"type":"hello"}"#;
const BUFFER_BYTES: usize = 2 * 1024;

/// The one answer.
struct Given {
    headers: HeaderMap,
    body: Bytes,
}

/// Serves for ever what `like` answers to `path` now.
pub(crate) async fn serve(address: SocketAddr, like: SocketAddr, path: &str) -> Result<(), Error> {
    let given = Arc::new(ask(like, path).await?);
    let listener = TcpListener::bind(address).await.context("cannot listen")?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        connections.spawn(converse(stream, given.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn ask(like: SocketAddr, path: &str) -> Result<Given, Error> {
    let mut client = HttpClient::connect(like)
        .await
        .context("nobody to be like")?;
    let answer = client.exchange(&request("GET", path, None, "")).await?;
    let head = std::str::from_utf8(answer.head)?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").context("a header without a value")?;
        headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    // hyper writes these itself, as it does for the other server.
    headers.remove(DATE);
    headers.remove(CONTENT_LENGTH);
    let body = Bytes::copy_from_slice(answer.body);
    Ok(Given { headers, body })
}

async fn converse(stream: TcpStream, given: Arc<Given>) {
    // A client that is gone is no concern of a ceiling.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|req| {
        let given = given.clone();
        async move { Ok::<_, Infallible>(answer(req, &given)) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.with_upgrades().await;
}

fn answer(req: Request<Incoming>, given: &Given) -> Response<Full<Bytes>> {
    if let Some(key) = req.headers().get(SEC_WEBSOCKET_KEY) {
        let accept = derive_accept_key(key.as_bytes());
        return upgrade(req, &accept);
    }
    let mut response = Response::new(Full::new(given.body.clone()));
    response.headers_mut().clone_from(&given.headers);
    response
}

fn upgrade(req: Request<Incoming>, accept: &str) -> Response<Full<Bytes>> {
    let subprotocol = req.headers().get("sec-websocket-protocol").cloned();
    let mut sockets = JoinSet::new();
    sockets.spawn(idle(req));
    sockets.detach_all();
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(subprotocol) = subprotocol {
        headers.insert("sec-websocket-protocol", subprotocol);
    }
    response
}

async fn idle(req: Request<Incoming>) {
    let Ok(upgraded) = hyper::upgrade::on(req).await else {
        return;
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0);
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    if socket.send(Message::text(HELLO)).await.is_ok() {
        while let Some(Ok(_)) = socket.next().await {}
    }
}
