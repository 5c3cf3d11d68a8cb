//! Commands while Valkey is killed, frozen, empty, or does not take writes.

use std::time::{Duration, Instant};

use halobestie_core::valkey::{ValkeyError, redis};
use halobestie_testkit::{ValkeyProcess, eventually};
use tokio::task::JoinSet;

use super::{Process, SLACK, TIMEOUT, ask};

async fn ping(process: &Process) -> Result<(), ValkeyError> {
    process.valkey.run(&redis::Cmd::ping()).await
}

/// A failure, and how long it took.
async fn fails(process: &Process) -> (ValkeyError, Duration) {
    let asked = Instant::now();
    let error = ping(process).await.unwrap_err();
    (error, asked.elapsed())
}

#[tokio::test]
async fn a_killed_server_opens_the_circuit_and_its_return_closes_it() {
    let mut server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    server.kill().await;

    let (_, first) = fails(&process).await;
    assert!(first < TIMEOUT + SLACK, "{first:?}");
    let (error, second) = fails(&process).await;
    assert!(matches!(error, ValkeyError::CircuitOpen), "{error:?}");
    assert!(second < TIMEOUT / 2, "{second:?}");
    assert!(!process.valkey.is_up());
    assert!(process.shows("halobestie_valkey_circuit_open 1"));

    server.restart().await;
    process.has_connected(2).await;
    ping(&process).await.unwrap();
    assert!(process.shows("halobestie_valkey_circuit_open 0"));
}

#[tokio::test]
async fn a_restart_is_noticed_without_any_traffic() {
    let mut server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    server.kill().await;
    server.restart().await;
    process.has_connected(2).await;
}

#[tokio::test]
async fn no_command_reaches_a_server_that_came_back_before_the_reconnect_is_told() {
    let mut server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    for round in 2..5 {
        server.kill().await;
        server.restart().await;
        // The old connections are dead and never replaced one by one: whatever is answered now is
        // answered after the circuit was open and the count has gone up.
        eventually("it answers", || async { ping(&process).await.is_ok() }).await;
        assert_eq!(*process.valkey.connects().borrow(), round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_costs_each_command_one_deadline_at_most() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    server.freeze();

    let asked = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let valkey = process.valkey.clone();
        asking.spawn(async move { valkey.run::<()>(&redis::Cmd::ping()).await });
    }
    for answer in asking.join_all().await {
        assert!(answer.unwrap_err().is_away());
    }
    assert!(asked.elapsed() < TIMEOUT + SLACK, "{:?}", asked.elapsed());
    let (error, later) = fails(&process).await;
    assert!(matches!(error, ValkeyError::CircuitOpen), "{error:?}");
    assert!(later < TIMEOUT / 2, "{later:?}");

    server.thaw();
    process.has_connected(2).await;
    ping(&process).await.unwrap();
}

#[tokio::test]
async fn one_broken_connection_is_a_reconnect_and_not_two() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    // Both connections of the pool die; the second one's failure is the first one's news.
    let _: u64 = ask(&server, "CLIENT KILL TYPE normal");
    process.has_connected(2).await;
    for _ in 0..10 {
        ping(&process).await.unwrap();
    }
    assert_eq!(*process.valkey.connects().borrow(), 2);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_away_until_it_does() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    let set = redis::cmd("SET").arg(process.valkey.key("a")).arg(1).take();
    for (refuse, accept) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ] {
        let before = *process.valkey.connects().borrow();
        let _: () = ask(&server, refuse);
        assert!(
            process.valkey.run::<()>(&set).await.unwrap_err().is_away(),
            "{refuse}"
        );
        // It answers, and is still not connected to: ten attempts' time would be plenty.
        let refused = Instant::now();
        eventually("the time is over", || async {
            assert!(!process.valkey.is_up(), "{refuse}");
            refused.elapsed() > Duration::from_millis(500)
        })
        .await;

        let _: () = ask(&server, accept);
        process.has_connected(before + 1).await;
        process.valkey.run::<()>(&set).await.unwrap();
    }
}
