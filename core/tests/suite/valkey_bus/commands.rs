//! Commands while Valkey is well.

use std::time::Instant;

use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::metrics::Metrics;
use halobestie_core::valkey::{Valkey, ValkeyError, redis};
use halobestie_testkit::ValkeyProcess;
use tokio::task::JoinSet;

use super::{PATIENCE, Process, TIMEOUT, ask, options, soon};

#[tokio::test]
async fn a_command_and_a_pipeline_are_answered() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    let key = process.valkey.key("greeting");
    assert_eq!(key, "test:greeting");

    let set = redis::cmd("SET").arg(&key).arg("hello").take();
    process.valkey.run::<()>(&set).await.unwrap();
    let mut both = redis::pipe();
    both.cmd("GET").arg(&key).cmd("STRLEN").arg(&key);
    let (greeting, length): (String, u64) = process.valkey.run_all(&both).await.unwrap();

    assert_eq!((greeting.as_str(), length), ("hello", 5));
    assert_eq!(ask::<String>(&server, "GET test:greeting"), "hello");
    assert!(process.shows("halobestie_valkey_commands_total 3"));
    assert!(process.shows("halobestie_valkey_circuit_open 0"));
}

#[tokio::test]
async fn connecting_leaves_nothing_behind() {
    let server = ValkeyProcess::start().await;
    let _process = Process::connected(&server).await;
    assert_eq!(ask::<Vec<String>>(&server, "KEYS *"), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_command_is_its_callers_problem_alone() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    let _: () = ask(&server, "SET test:text hello");

    let wrong = redis::cmd("SADD")
        .arg(process.valkey.key("text"))
        .arg(1)
        .take();
    let error = process.valkey.run::<()>(&wrong).await.unwrap_err();
    assert!(matches!(error, ValkeyError::Command(_)), "{error:?}");
    let get = redis::cmd("GET").arg(process.valkey.key("text")).take();
    process.valkey.run::<u64>(&get).await.unwrap_err();

    assert!(process.valkey.is_up());
    assert_eq!(process.valkey.run::<String>(&get).await.unwrap(), "hello");
    assert_eq!(*process.valkey.connects().borrow(), 1);
    assert!(process.shows(r#"halobestie_valkey_errors_total{kind="command"} 2"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_share_few_connections() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    let mut asking = JoinSet::new();
    for _ in 0..2_000 {
        let valkey = process.valkey.clone();
        asking.spawn(async move {
            let add = redis::cmd("INCR").arg(valkey.key("count")).take();
            valkey.run::<u64>(&add).await.unwrap()
        });
    }
    let mut answers = asking.join_all().await;
    answers.sort_unstable();

    assert_eq!(answers, (1..=2_000).collect::<Vec<_>>());
    // Two in the pool, one of the bus, and the one that asks.
    assert_eq!(ask::<String>(&server, "CLIENT LIST").lines().count(), 4);
}

#[tokio::test]
async fn a_start_without_valkey_does_not_wait_and_connects_later() {
    let mut server = ValkeyProcess::start().await;
    server.kill().await;
    let process = Process::start(server.port());
    assert!(!process.valkey.first_connect(TIMEOUT).await);

    let asked = Instant::now();
    let error = process
        .valkey
        .run::<()>(&redis::Cmd::ping())
        .await
        .unwrap_err();
    assert!(matches!(error, ValkeyError::CircuitOpen), "{error:?}");
    assert!(asked.elapsed() < TIMEOUT / 2);
    assert_eq!(*process.valkey.connects().borrow(), 0);

    server.restart().await;
    assert!(process.valkey.first_connect(PATIENCE).await);
    process.valkey.run::<()>(&redis::Cmd::ping()).await.unwrap();
}

#[tokio::test]
async fn urls_are_read_at_the_start() {
    for url in [
        "redis://h",
        "rediss://h",
        "valkey://u:p@h:1/2",
        "valkeys://h",
        "redis://[::1]",
    ] {
        assert!(read(url).is_ok(), "{url}");
    }
    for url in ["", "nonsense", "http://h", "redis://h/not-a-number"] {
        assert!(read(url).is_err(), "{url}");
    }
    let error = read("redis://user:secret@h/x").err().unwrap().to_string();
    assert!(!error.contains("secret"), "{error}");
}

fn read(url: &str) -> Result<Valkey, halobestie_core::BoxError> {
    let mut options = options(1, "");
    options.url = url.into();
    Valkey::new(options, &Metrics::default(), &Lifecycle::default())
}

#[tokio::test]
async fn commands_go_on_while_the_process_drains_and_the_keeper_ends_with_it() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    process.lifecycle.drain();
    process.valkey.run::<()>(&redis::Cmd::ping()).await.unwrap();
    assert!(soon(process.lifecycle.finish(PATIENCE)).await);
}
