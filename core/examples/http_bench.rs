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
    if mode == "layers" {
        use halobestie_core::http::layers::*;
        use tower::{ServiceBuilder, ServiceExt, Service};
        use around::AroundLayer;
        let routes = || Routes::with(Arc::new(())).get("/api/customer/availability", Access::Anyone, cached);
        let router = Router::new("v", routes().into(), &Ports::default(), &traffic).unwrap();
        async fn run<S>(name: &str, svc: S) where S: Service<halobestie_core::http::RawRequest> + Clone, S::Error: std::fmt::Debug {
            let uri: http::Uri = "/api/customer/availability".parse().unwrap();
            let mut best = f64::MAX;
            for _ in 0..5 {
                let t = std::time::Instant::now();
                let n = 200_000;
                for _ in 0..n {
                    let mut req = http::Request::new(halobestie_core::http::request::RequestBody::default());
                    *req.uri_mut() = uri.clone();
                    req.headers_mut().insert("host", http::HeaderValue::from_static("127.0.0.1:4000"));
                    let fut = Box::pin(svc.clone().oneshot(req));
                    let r = fut.await.unwrap();
                    std::hint::black_box(r);
                }
                best = best.min(t.elapsed().as_nanos() as f64 / n as f64);
            }
            println!("{name}: {best:.0} ns, future {} bytes", std::mem::size_of::<tower::util::Oneshot<S, halobestie_core::http::RawRequest>>());
        }
        run("noop", tower::service_fn(|_r: halobestie_core::http::RawRequest| async { Ok::<_, Infallible>(halobestie_core::http::Response::default()) })).await;
        run("router", router.clone()).await;
        let b = ServiceBuilder::new().layer(AroundLayer(body_limit::RefuseHugeBodies{largest: 1})).service(router.clone());
        run("+bodylimit", b.clone()).await;
        let c = ServiceBuilder::new().layer(compression::CompressLayer).service(b.clone());
        run("+compress", c.clone()).await;
        let d = ServiceBuilder::new().layer(deadline::layer(Duration::from_secs(10))).service(c);
        run("+deadline", d.clone()).await;
        let e = ServiceBuilder::new().layer(shed::layer(1000)).service(d);
        run("+shed", e.clone()).await;
        let f = ServiceBuilder::new().layer(failure::FailureLayer).service(e);
        run("+failure", f.clone()).await;
        let g = ServiceBuilder::new().layer(catch_panic::CatchPanicLayer).service(f);
        run("+catch", g.clone()).await;
        let h = ServiceBuilder::new().layer(AroundLayer(render::RenderProblems)).service(g);
        run("+render", h.clone()).await;
        let i = ServiceBuilder::new().layer(AroundLayer(head::BodilessHead)).service(h);
        run("+head", i.clone()).await;
        let j = ServiceBuilder::new().layer(AroundLayer(trace::TraceRequests::new("public", &traffic))).service(i);
        run("+trace", j.clone()).await;
        let k = ServiceBuilder::new().layer(span::SpanLayer).service(j);
        run("+span", k.clone()).await;
        let l = ServiceBuilder::new().layer(AroundLayer(request_id::NameRequest(traffic.clone()))).service(k);
        run("+id", l.clone()).await;
        return;
    }
    if mode == "micro" {
        let uri: http::Uri = "/api/customer/availability".parse().unwrap();
        for _ in 0..5 {
            let t = std::time::Instant::now();
            let n = 300_000;
            for _ in 0..n {
                let mut req = http::Request::new(halobestie_core::http::request::RequestBody::default());
                *req.uri_mut() = uri.clone();
                req.headers_mut().insert("host", http::HeaderValue::from_static("127.0.0.1:4000"));
                let r = stack.answer(req).await.unwrap();
                std::hint::black_box(r);
            }
            println!("{:.0} ns/req", t.elapsed().as_nanos() as f64 / n as f64);
        }
        return;
    }
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
