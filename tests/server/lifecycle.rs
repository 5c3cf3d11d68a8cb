//! How the process ends, with the real binary and real signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use halobestie::modules::COMPILED;
use halobestie_core::clock::Clock;
use halobestie_testkit::{TestApp, TestDb, TestSocket, ValkeyProcess, eventually};
use tokio::task::JoinSet;

use crate::process::{Environment, get};

/// Clients that ask without a pause while the server is told to stop.
const CLIENTS: usize = 16;

#[tokio::test]
async fn sigterm_under_load_fails_no_request_that_was_accepted() {
    let database = TestDb::create(COMPILED).await;
    let server = Environment::over(&database).serve(&["serve"]).await;
    let answered = Arc::new(AtomicU32::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(load::until_told_to_go(server.public, answered.clone()));
    }
    eventually("the load has begun", || async {
        answered.load(Ordering::Relaxed) > 500
    })
    .await;
    assert_eq!(server.terminate().await, Some(0));
    while let Some(client) = clients.join_next().await {
        client.expect("every request that was sent is answered");
    }
}

/// A connection that asks again and again: whoever is let in must be answered, or told to go.
mod load {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    const REQUEST: &[u8] = b"GET /api/customer/availability HTTP/1.1\r\nHost: test\r\n\r\n";

    /// Panics on the first request that is not answered.
    pub(crate) async fn until_told_to_go(address: SocketAddr, answered: Arc<AtomicU32>) {
        let mut stream = TcpStream::connect(address).await.expect("somebody listens");
        loop {
            stream
                .write_all(REQUEST)
                .await
                .expect("the request is sent");
            let answer = one_answer(&mut stream).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            answered.fetch_add(1, Ordering::Relaxed);
            if answer.contains("connection: close") {
                return;
            }
        }
    }

    /// The body is an object without another inside, so its end is the answer's.
    async fn one_answer(stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read = stream
                .read_buf(&mut answer)
                .await
                .expect("the connection holds");
            assert!(read > 0, "closed without an answer");
        }
        String::from_utf8(answer).expect("the answer is text")
    }
}

#[tokio::test]
async fn a_stop_tells_sockets_to_move_and_closes_them_with_1012() {
    let database = TestDb::create(COMPILED).await;
    let app = TestApp::with(COMPILED)
        .database(&database)
        .clock(Clock::system())
        .start()
        .await;
    let customer = halobestie_auth::testing::customer(&app).await;
    let environment = Environment::over(&database);
    let server = environment.serve(&["serve"]).await;

    let opened = TestSocket::open(server.public, Some(&customer.access_token)).await;
    let mut socket = opened.expect("the socket opens");
    socket.expect("hello").await;
    server.signal("TERM").await;
    let told = socket.expect("server.draining").await;
    assert!(told["reconnect_after_ms"].is_u64(), "{told}");
    assert_eq!(socket.close_code().await, 1012);
    assert_eq!(server.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_draining_server_is_not_ready_and_still_answers_during_the_delay() {
    let database = TestDb::create(COMPILED).await;
    let environment = Environment::over(&database).with("SHUTDOWN_DELAY_SECONDS", "2");
    let server = environment.serve(&["serve"]).await;
    server.signal("TERM").await;
    eventually("readiness turns false", || async {
        get(server.public, "/readyz").await.0 == 503
    })
    .await;
    assert_eq!(get(server.public, "/livez").await.0, 200);
    assert_eq!(server.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_worker_serves_probes_and_no_routes() {
    let database = TestDb::create(COMPILED).await;
    let server = Environment::over(&database).serve(&["worker"]).await;
    assert_eq!(get(server.public, "/readyz").await.0, 200);
    assert_eq!(get(server.internal, "/metrics").await.0, 200);
    assert_eq!(get(server.public, "/api/customer/packages").await.0, 404);
    assert_eq!(server.terminate().await, Some(0));
}

#[tokio::test]
async fn readiness_waits_for_a_worker_where_it_is_told_to() {
    let database = TestDb::create(COMPILED).await;
    let environment = Environment::over(&database).with("READY_REQUIRES_WORKER", "true");
    let api = environment.serve(&["serve", "--role", "api"]).await;
    let (status, report) = get(api.public, "/readyz").await;
    assert_eq!(status, 503, "{report}");

    let worker = environment.serve(&["worker"]).await;
    eventually("the worker is seen", || async {
        get(api.public, "/readyz").await.0 == 200
    })
    .await;
    assert_eq!(worker.terminate().await, Some(0));
    assert_eq!(api.terminate().await, Some(0));
}

#[tokio::test]
async fn a_server_without_its_valkey_starts_and_stops() {
    let database = TestDb::create(COMPILED).await;
    let valkey = ValkeyProcess::start().await;
    let environment = Environment::over(&database).with("VALKEY_URL", &valkey.url());
    drop(valkey);
    let server = environment.serve(&["serve"]).await;
    let (status, ready) = get(server.public, "/readyz").await;
    assert_eq!(status, 200);
    let ready: serde_json::Value = serde_json::from_str(&ready).expect("JSON");
    assert_eq!(ready["checks"]["valkey"]["status"], "degraded");
    assert_eq!(server.terminate().await, Some(0));
}
