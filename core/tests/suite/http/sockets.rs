//! Sockets: the handshake, both directions, limits, and good-byes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use halobestie_core::http::ws::{self, Received, SendError, Socket, SocketOptions, close};
use halobestie_core::http::{Access, Reply, Request, Routes};
use halobestie_core::lifecycle::Lifecycle;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{PATIENCE, Served, Site};

const OPTIONS: SocketOptions = SocketOptions {
    message_bytes_max: 64 * 1024,
    write_timeout: Duration::from_millis(300),
};

struct Host {
    lifecycle: Lifecycle,
    outcomes: mpsc::Sender<Result<(), SendError>>,
}

/// Says back what it hears; closes on what it does not speak.
async fn echo(mut socket: Socket) {
    loop {
        match socket.receive().await {
            Received::Text(text) if text == "twice" => {
                let twice = vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")];
                socket.send_all(twice).await.unwrap();
            }
            Received::Text(text) => socket.send(text.into()).await.unwrap(),
            Received::Binary | Received::TooLarge => return socket.close(&close::BAD_FRAME).await,
            Received::Pong => {}
            Received::Closed => return,
        }
    }
}

async fn open_echo(host: Arc<Host>, req: Request) -> Reply {
    ws::upgrade(req, &host.lifecycle, OPTIONS, echo)
}

async fn open_flood(host: Arc<Host>, req: Request) -> Reply {
    let outcomes = host.outcomes.clone();
    ws::upgrade(req, &host.lifecycle, OPTIONS, |mut socket| async move {
        let flood = Bytes::from(vec![b'x'; 60_000]);
        loop {
            if let Err(error) = socket.send(flood.clone()).await {
                outcomes.send(Err(error)).await.unwrap();
                return socket.close(&close::FLOODING).await;
            }
        }
    })
}

async fn served(site: &Site) -> (Served, mpsc::Receiver<Result<(), SendError>>) {
    let (outcomes, receiver) = mpsc::channel(1);
    let host = Host {
        lifecycle: Lifecycle::default(),
        outcomes,
    };
    let routes = Routes::with(Arc::new(host))
        .get("/ws", Access::Anyone, open_echo)
        .get("/flood", Access::Anyone, open_flood);
    (site.serve(routes).await, receiver)
}

type Client = WebSocketStream<TcpStream>;

async fn open(served: &Served, path: &str) -> Client {
    let url = format!("ws://127.0.0.1:{}{path}", served.port);
    client_async(url, served.connect().await).await.unwrap().0
}

async fn next(client: &mut Client) -> Message {
    timeout(PATIENCE, client.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap()
}

async fn close_code(client: &mut Client) -> u16 {
    loop {
        if let Message::Close(Some(CloseFrame { code, .. })) = next(client).await {
            return code.into();
        }
    }
}

#[tokio::test]
async fn carries_text_both_ways_and_answers_pings() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    let mut client = open(&served, "/ws").await;
    assert_eq!(site.metric("halobestie_sockets"), Some(1.0));
    client.send(Message::text("halo")).await.unwrap();
    assert_eq!(next(&mut client).await, Message::text("halo"));
    client
        .send(Message::Ping(Bytes::from_static(b"?")))
        .await
        .unwrap();
    assert_eq!(
        next(&mut client).await,
        Message::Pong(Bytes::from_static(b"?"))
    );
    client.send(Message::text("twice")).await.unwrap();
    assert_eq!(next(&mut client).await, Message::text("one"));
    assert_eq!(next(&mut client).await, Message::text("two"));
    let long = "x".repeat(64 * 1024);
    client.send(Message::text(long.clone())).await.unwrap();
    assert_eq!(next(&mut client).await, Message::text(long));
}

#[tokio::test]
async fn a_good_bye_is_answered_and_the_socket_counted_out() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    let mut client = open(&served, "/ws").await;
    client.close(None).await.unwrap();
    while client.next().await.is_some() {}
    let gone = async {
        while site.metric("halobestie_sockets") != Some(0.0)
            || site.metric(r#"halobestie_http_connections{listener="public"}"#) != Some(0.0)
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn the_subprotocol_is_agreed_on() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    let handshake = async |offer: &str| {
        let mut req = format!("ws://127.0.0.1:{}/ws", served.port)
            .into_client_request()
            .unwrap();
        req.headers_mut()
            .insert("sec-websocket-protocol", offer.parse().unwrap());
        client_async(req, served.connect().await).await
    };
    let (_, answer) = handshake("other, halobestie.v1").await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "halobestie.v1");
    let Err(Error::Http(refusal)) = handshake("other").await else {
        panic!("taken")
    };
    assert_eq!(refusal.status().as_u16(), 400);
}

#[tokio::test]
async fn what_is_no_handshake_is_told_so() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    for (headers, status, code) in [
        ("", "426", "upgrade_required"),
        (
            "connection: upgrade\r\nupgrade: h2c\r\n",
            "426",
            "upgrade_required",
        ),
        (
            &format!("{upgrade}sec-websocket-version: 8\r\n"),
            "426",
            "upgrade_required",
        ),
        (
            &format!("{upgrade}sec-websocket-version: 13\r\n"),
            "400",
            "bad_handshake",
        ),
    ] {
        let mut tcp = served.connect().await;
        let req = format!("GET /ws HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        tcp.write_all(req.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let bytes = timeout(PATIENCE, tcp.read(&mut answer))
            .await
            .unwrap()
            .unwrap();
        let answer = String::from_utf8_lossy(&answer[..bytes]).into_owned();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(code), "{answer}");
        assert_eq!(
            status == "426",
            answer.contains("sec-websocket-version: 13"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn http2_is_no_way_to_a_socket() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    let io = TokioIo::new(served.connect().await);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let req = http::Request::get("http://x/ws")
        .body(Empty::<Bytes>::new())
        .unwrap();
    assert_eq!(
        client.send_request(req).await.unwrap().status().as_u16(),
        426
    );
}

#[tokio::test]
async fn what_is_not_text_is_closed_with_a_code() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    let mut client = open(&served, "/ws").await;
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(close_code(&mut client).await, 4400);
}

#[tokio::test]
async fn a_message_over_the_limit_is_closed_with_a_code_that_arrives() {
    let site = Site::new();
    let (served, _) = served(&site).await;
    for bytes in [64 * 1024 + 1, 3_000_000] {
        let mut client = open(&served, "/ws").await;
        client.send(Message::text("x".repeat(bytes))).await.unwrap();
        assert_eq!(close_code(&mut client).await, 4400);
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_too_slow() {
    let site = Site::new();
    let (served, mut outcomes) = served(&site).await;
    let _client = open(&served, "/flood").await;
    let outcome = timeout(PATIENCE, outcomes.recv()).await.unwrap().unwrap();
    assert_eq!(outcome, Err(SendError::TooSlow));
}

#[tokio::test]
async fn a_socket_has_a_place_among_the_connections() {
    let site = Site::new();
    let (outcomes, _receiver) = mpsc::channel(1);
    let host = Host {
        lifecycle: Lifecycle::default(),
        outcomes,
    };
    let routes = Routes::with(Arc::new(host)).get("/ws", Access::Anyone, open_echo);
    let served = site.serve_at_most(1, routes).await;
    let mut first = open(&served, "/ws").await;
    let mut waiting = std::pin::pin!(open(&served, "/ws"));
    // The second is not let in while the first is there, whatever the first does.
    tokio::select! {
        _ = waiting.as_mut() => panic!("two sockets where one may be"),
        () = async {
            for _ in 0..50 {
                first.send(Message::text("halo")).await.unwrap();
                assert_eq!(next(&mut first).await, Message::text("halo"));
            }
        } => {}
    }
    first.close(None).await.unwrap();
    while first.next().await.is_some() {}
    timeout(PATIENCE, waiting).await.unwrap();
}
