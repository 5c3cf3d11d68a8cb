//! Connections: what the listener takes, refuses and drops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use halobestie_core::http::routes::Table;
use halobestie_core::http::{Access, Reply, Request, Routes, reply};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PATIENCE, Served, Site};

pub(super) const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";

async fn hello(_: Arc<()>, req: Request) -> Reply {
    reply::ok(&req.client_addr(&[]).to_string())
}

async fn length(_: Arc<()>, mut req: Request) -> Reply {
    reply::ok(&req.bytes().await?.len())
}

pub(super) fn routes() -> Table<()> {
    Routes::with(Arc::new(()))
        .get("/hello", Access::Anyone, hello)
        .post("/length", Access::Anyone, length)
}

pub(super) async fn served() -> Served {
    Site::new().serve(routes()).await
}

/// Everything until the server closes.
pub(super) async fn rest(tcp: &mut TcpStream) -> String {
    let mut all = Vec::new();
    timeout(PATIENCE, tcp.read_to_end(&mut all))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(all).unwrap()
}

/// One answer with a Content-Length.
async fn answer(tcp: &mut TcpStream) -> std::io::Result<String> {
    let mut read = String::new();
    while !is_whole(&read) {
        let mut chunk = [0; 1024];
        let bytes = timeout(PATIENCE, tcp.read(&mut chunk)).await??;
        if bytes == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        read += std::str::from_utf8(&chunk[..bytes]).unwrap();
    }
    Ok(read)
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    body.len() >= length.parse().unwrap()
}

pub(super) async fn ask(tcp: &mut TcpStream) -> std::io::Result<String> {
    tcp.write_all(HELLO).await?;
    answer(tcp).await
}

#[tokio::test]
async fn answers_on_one_connection_again_and_again() {
    let served = served().await;
    let mut tcp = served.connect().await;
    for _ in 0..3 {
        let answer = ask(&mut tcp).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\"127.0.0.1\""), "{answer}");
    }
}

#[tokio::test]
async fn speaks_http2_with_prior_knowledge_and_stops_politely() {
    let served = served().await;
    let io = TokioIo::new(served.connect().await);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let get = || {
        http::Request::get("http://x/hello")
            .body(Empty::<Bytes>::new())
            .unwrap()
    };
    let answer = client.send_request(get()).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, http::Version::HTTP_2)
    );
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], b"\"127.0.0.1\"");
    let head = http::Request::head("http://x/hello")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = client.send_request(head).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "11");
    assert!(
        answer
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
    assert!(served.finish().await);
    timeout(PATIENCE, connection)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn drops_connections_that_never_begin_a_request() {
    let served = Site::impatient().serve(routes()).await;
    let beginnings: [&[u8]; 5] = [
        b"",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /hel",
        b"GET /hello HTTP/1.1\r\nhost: x\r\nslow: ",
    ];
    for beginning in beginnings {
        let mut tcp = served.connect().await;
        tcp.write_all(beginning).await.unwrap();
        let begun = Instant::now();
        let mut ignored = Vec::new();
        // A reset is as good as an end.
        let _ = timeout(PATIENCE, tcp.read_to_end(&mut ignored))
            .await
            .unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{beginning:?}");
        assert!(!String::from_utf8_lossy(&ignored).contains("200 OK"));
    }
}

#[tokio::test]
async fn a_slow_head_does_not_live_on_its_trickle() {
    let served = Site::impatient().serve(routes()).await;
    let mut tcp = served.connect().await;
    tcp.write_all(b"GET /hello HTTP/1.1\r\n").await.unwrap();
    let (mut read, mut write) = tcp.split();
    let trickle = async {
        while write.write_all(b"a: b\r\n").await.is_ok() {
            // The client's pace, not a wait of the test.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = async {
        let mut ignored = Vec::new();
        let _ = read.read_to_end(&mut ignored).await;
    };
    let either = async {
        tokio::select! { () = trickle => {}, () = ended => {} }
    };
    timeout(Duration::from_secs(3), either).await.unwrap();
}

#[tokio::test]
async fn drops_later_heads_that_do_not_end_and_connections_that_fall_silent() {
    let served = Site::impatient().serve(routes()).await;
    for beginning in ["GET /hel", ""] {
        let mut tcp = served.connect().await;
        ask(&mut tcp).await.unwrap();
        tcp.write_all(beginning.as_bytes()).await.unwrap();
        let mut ignored = Vec::new();
        let end = timeout(Duration::from_secs(4), tcp.read_to_end(&mut ignored)).await;
        assert!(end.is_ok(), "{beginning:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_told_so_in_our_words() {
    let site = Site::new();
    let served = site.serve(routes()).await;
    let huge = format!(
        "GET /hello HTTP/1.1\r\nhost: x\r\nhuge: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000));
    let cases: [(&str, &str, &str); 4] = [
        (
            "hello there, this is not http\r\n\r\n",
            "400",
            "malformed_request",
        ),
        (
            "GET / HTTP/1.1\r\nbad header\r\n\r\n",
            "400",
            "malformed_request",
        ),
        (&huge, "431", "headers_too_large"),
        (&long, "4", "_too_l"),
    ];
    for (sent, status, code) in cases {
        let mut tcp = served.connect().await;
        tcp.write_all(sent.as_bytes()).await.unwrap();
        let answer = rest(&mut tcp).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(
            answer.contains("content-type: application/problem+json\r\n"),
            "{answer}"
        );
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(problem["code"].as_str().unwrap().contains(code), "{answer}");
        let named = format!("x-request-id: {}", problem["request_id"].as_str().unwrap());
        assert!(answer.contains(&named), "{answer}");
    }
    let counted = site.metric(
        r#"halobestie_http_requests_total{listener="public",method="other",route="(none)",status="400"}"#,
    );
    assert_eq!(counted, Some(2.0));
}

#[tokio::test]
async fn a_refused_body_does_not_cost_the_client_its_answer() {
    let served = served().await;
    for declared in [true, false] {
        let mut tcp = served.connect().await;
        let length = 5_000_000;
        let framing = match declared {
            true => format!("content-length: {length}"),
            false => "transfer-encoding: chunked".to_owned(),
        };
        let head = format!("POST /length HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n");
        tcp.write_all(head.as_bytes()).await.unwrap();
        if !declared {
            tcp.write_all(format!("{length:x}\r\n").as_bytes())
                .await
                .unwrap();
        }
        // Like many clients: everything is written before anything is read.
        tcp.write_all(&vec![b'x'; length]).await.unwrap();
        let answer = rest(&mut tcp).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("\"code\":\"body_too_large\""), "{answer}");
    }
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_place() {
    let site = Site::new();
    let served = site.serve_at_most(1, routes()).await;
    let mut first = served.connect().await;
    ask(&mut first).await.unwrap();
    let mut second = served.connect().await;
    second.write_all(HELLO).await.unwrap();
    assert_eq!(
        site.metric(r#"halobestie_http_connections{listener="public"}"#),
        Some(1.0)
    );
    drop(first);
    assert!(
        answer(&mut second)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn a_large_body_within_its_limit_arrives_whole() {
    let routes = Routes::with(Arc::new(()))
        .post("/length", Access::Anyone, length)
        .body_limit(1 << 20);
    let served = Site::new().serve(routes).await;
    let io = TokioIo::new(served.connect().await);
    let (mut client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let body = Full::new(Bytes::from(vec![b'x'; 1 << 20]));
    let req = http::Request::post("/length")
        .header("host", "x")
        .body(body)
        .unwrap();
    let answer = client
        .send_request(req)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!(&answer.to_bytes()[..], b"1048576");
}
