//! Stopping: nobody new is let in, and no request that was accepted fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use halobestie_core::http::{Access, Reply, Request, Routes, reply};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::connections::{HELLO, ask, rest, served};
use super::{PATIENCE, Site};

#[tokio::test]
async fn a_request_in_flight_is_answered_and_told_that_it_is_the_last() {
    struct Gate {
        entered: Notify,
        open: Notify,
    }
    async fn through(gate: Arc<Gate>, _: Request) -> Reply {
        gate.entered.notify_one();
        gate.open.notified().await;
        reply::ok(&"late")
    }
    let gate = Arc::new(Gate {
        entered: Notify::new(),
        open: Notify::new(),
    });
    let site = Site::new();
    let served = site
        .serve(Routes::with(gate.clone()).get("/hello", Access::Anyone, through))
        .await;
    let mut tcp = served.connect().await;
    tcp.write_all(HELLO).await.unwrap();
    gate.entered.notified().await;
    let finished = tokio::spawn({
        let lifecycle = served.lifecycle.clone();
        served.stop();
        async move { lifecycle.finish(PATIENCE).await }
    });
    // Nobody is let in any more, and the one who is in is served to the end.
    while TcpStream::connect(("127.0.0.1", served.port)).await.is_ok() {}
    gate.open.notify_one();
    let answer = rest(&mut tcp).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(finished.await.unwrap());
}

#[tokio::test]
async fn a_request_sent_on_an_idle_connection_while_stopping_is_answered() {
    let served = served().await;
    let mut tcp = served.connect().await;
    ask(&mut tcp).await.unwrap();
    served.stop();
    while TcpStream::connect(("127.0.0.1", served.port)).await.is_ok() {}
    tcp.write_all(HELLO).await.unwrap();
    let last = rest(&mut tcp).await;
    assert!(last.starts_with("HTTP/1.1 200"), "{last}");
    assert!(last.contains("\r\nconnection: close\r\n"), "{last}");
    assert!(served.finish().await);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_stop() {
    let served = served().await;
    let mut tcp = served.connect().await;
    ask(&mut tcp).await.unwrap();
    let begun = Instant::now();
    served.stop();
    assert_eq!(rest(&mut tcp).await, "");
    drop(tcp);
    assert!(served.finish().await);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_head_that_does_not_end_does_not_hold_up_the_stop() {
    let served = served().await;
    let mut fresh = served.connect().await;
    let mut used = served.connect().await;
    ask(&mut used).await.unwrap();
    for tcp in [&mut fresh, &mut used] {
        tcp.write_all(b"GET /hel").await.unwrap();
    }
    assert!(served.finish().await);
}

#[tokio::test]
async fn what_the_kernel_has_accepted_is_served() {
    let served = served().await;
    // On one thread the accept loop has no chance to run between these lines.
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let tcp = std::net::TcpStream::connect(("127.0.0.1", served.port)).unwrap();
        tcp.set_nonblocking(true).unwrap();
        waiting.push(TcpStream::from_std(tcp).unwrap());
    }
    served.stop();
    for mut tcp in waiting {
        tcp.write_all(HELLO).await.unwrap();
        assert!(rest(&mut tcp).await.starts_with("HTTP/1.1 200"));
    }
    assert!(served.finish().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_under_load_fails_no_request() {
    let served = Arc::new(served().await);
    let (answered, stopped) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let clients: Vec<_> = (0..40)
        .map(|_| tokio::spawn(client(served.port, answered.clone(), stopped.clone())))
        .collect();
    while answered.load(Ordering::Relaxed) < 2000 {
        tokio::task::yield_now().await;
    }
    stopped.store(true, Ordering::Relaxed);
    assert!(served.finish().await);
    for client in clients {
        timeout(PATIENCE, client).await.unwrap().unwrap();
    }
}

/// Asks without a pause, on new connections when old ones end, until nobody listens any more.
/// Panics on a request that was sent and not answered.
async fn client(port: u16, answered: Arc<AtomicUsize>, stopped: Arc<AtomicBool>) {
    loop {
        let Ok(mut tcp) = TcpStream::connect(("127.0.0.1", port)).await else {
            assert!(stopped.load(Ordering::Relaxed));
            return;
        };
        loop {
            let answer = ask(&mut tcp).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            answered.fetch_add(1, Ordering::Relaxed);
            if answer.contains("\r\nconnection: close\r\n") {
                break;
            }
        }
    }
}
