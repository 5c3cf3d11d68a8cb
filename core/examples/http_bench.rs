#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout
)]
use bytes::Bytes;
use halobestie_core::http::{
    Access, Reply, Request, Routes, Traffic, reply,
    router::Router,
    server::{ServerOptions, serve},
    stack::{self, StackOptions},
};
use halobestie_core::{
    clock::Clock, entropy::Entropy, lifecycle::Lifecycle, metrics::Metrics, ports::Ports,
};
use http::StatusCode;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

static BODY: &[u8] = br#"{"available":true,"available_mitras":12,"as_of":"2025-11-21T08:00:00.000Z","source":"snapshot"}"#;

async fn cached(_: Arc<()>, _: Request) -> Reply {
    let mut r = reply::bytes(StatusCode::OK, reply::JSON, Bytes::from_static(BODY));
    r.headers_mut()
        .insert("etag", http::HeaderValue::from_static("\"abc\""));
    r.headers_mut().insert(
        "cache-control",
        http::HeaderValue::from_static("public, max-age=5"),
    );
    Ok(r)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let level = std::env::args().nth(2).unwrap_or("warn".into());
    let filter = tracing_subscriber::EnvFilter::new(level);
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let socket = TcpListener::bind("127.0.0.1:4000").await.unwrap();
    if mode == "bare" {
        loop {
            let (tcp, _) = socket.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let service = service_fn(|_req| async {
                    let mut r = http::Response::new(Full::new(Bytes::from_static(BODY)));
                    r.headers_mut().insert(
                        "content-type",
                        http::HeaderValue::from_static("application/json"),
                    );
                    r.headers_mut()
                        .insert("etag", http::HeaderValue::from_static("\"abc\""));
                    r.headers_mut().insert(
                        "cache-control",
                        http::HeaderValue::from_static("public, max-age=5"),
                    );
                    Ok::<_, Infallible>(r)
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(tcp), service)
                    .await;
            });
        }
    }
    let metrics = Metrics::default();
    let traffic = Traffic::new(&metrics, Clock::system(), &Entropy::system());
    let routes =
        Routes::with(Arc::new(())).get("/api/customer/availability", Access::Anyone, cached);
    let router = Router::new("public", routes.into(), &Ports::default(), &traffic).unwrap();
    let options = StackOptions {
        listener: "public",
        deadline: Duration::from_secs(15),
        requests_max: Some(1024),
        origins: vec![],
    };
    let stack = stack::build(router, options, &traffic).unwrap();
    let lifecycle = Lifecycle::default();
    let options = ServerOptions {
        listener: "public",
        connections_max: 10000,
        header_timeout: Duration::from_secs(10),
        stop_accepting: lifecycle.soft().clone(),
    };
    serve(socket, stack, options, &lifecycle, &traffic);
    std::future::pending::<()>().await
}
