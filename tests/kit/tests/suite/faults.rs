//! Breaking what a server depends on.

use std::time::{Duration, Instant};

use halobestie_core::Entry;
use halobestie_testkit::{PostgresProcess, TcpProxy, TestApp, TestDb, ValkeyProcess, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const NO_MODULES: &[Entry] = &[];

/// Asks a Valkey on a connection that stands; false when it is broken or does not answer.
async fn is_answered(connection: &mut TcpStream) -> bool {
    let mut answer = [0; 7];
    let exchange = async {
        connection.write_all(b"PING\r\n").await?;
        connection.read_exact(&mut answer).await
    };
    matches!(
        timeout(Duration::from_millis(200), exchange).await,
        Ok(Ok(_))
    )
}

async fn answers(proxy: &TcpProxy) -> bool {
    match TcpStream::connect(proxy.address()).await {
        Ok(mut connection) => is_answered(&mut connection).await,
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_proxy_freezes_cuts_blinks_and_mends() {
    let proxy = TcpProxy::to_valkey().await;
    let mut connection = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(is_answered(&mut connection).await);
    proxy.freeze();
    assert!(!is_answered(&mut connection).await);
    proxy.cut();
    assert!(!answers(&proxy).await);
    proxy.mend();
    assert!(
        !is_answered(&mut connection).await,
        "a connection that was cut stays cut"
    );
    let mut connection = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(is_answered(&mut connection).await);
    proxy.blink();
    assert!(!is_answered(&mut connection).await);
    assert!(answers(&proxy).await);
}

#[tokio::test]
async fn a_slow_wire_is_late_and_loses_nothing() {
    let delay = Duration::from_millis(50);
    let proxy = TcpProxy::to_valkey().await;
    let mut connection = TcpStream::connect(proxy.address()).await.unwrap();
    proxy.slow(delay);
    let asked = Instant::now();
    assert!(is_answered(&mut connection).await);
    assert!(asked.elapsed() >= delay * 2, "there and back");
    proxy.slow(Duration::from_secs(10));
    assert!(!is_answered(&mut connection).await, "too late");
}

#[tokio::test]
async fn a_valkey_of_ones_own_freezes_dies_and_comes_back() {
    let mut valkey = ValkeyProcess::start().await;
    let app = TestApp::with(NO_MODULES)
        .valkey_at(&valkey.url())
        .start()
        .await;
    let is_up = || async { app.context().valkey.as_ref().unwrap().is_up() };
    eventually("the server finds its Valkey", is_up).await;
    valkey.freeze();
    let address = valkey.url().replace("redis://", "");
    let mut connection = TcpStream::connect(&address).await.unwrap();
    assert!(!is_answered(&mut connection).await);
    valkey.thaw();
    valkey.kill().await;
    assert!(TcpStream::connect(&address).await.is_err());
    valkey.restart().await;
    eventually("the server finds its Valkey again", is_up).await;
}

#[tokio::test]
async fn postgres_behind_a_proxy_can_go_and_come_back() {
    let proxy = TcpProxy::to_postgres().await;
    let app = TestApp::with(NO_MODULES)
        .postgres_through(&proxy)
        .start()
        .await;
    let health = || async { app.get("/api/health").send().await.status.as_u16() };
    assert_eq!(health().await, 200);
    proxy.cut();
    eventually("the server misses Postgres", || async {
        health().await == 503
    })
    .await;
    proxy.mend();
    eventually("the server finds Postgres again", || async {
        health().await == 200
    })
    .await;
}

#[tokio::test]
async fn a_postgres_of_ones_own_freezes_dies_and_comes_back_with_its_data() {
    let mut postgres = PostgresProcess::start().await;
    let database = TestDb::create_in(&postgres, NO_MODULES).await;
    database.execute("CREATE TABLE kept (it int)", &[]).await;
    database.execute("INSERT INTO kept VALUES (7)", &[]).await;
    let app = TestApp::with(NO_MODULES)
        .database(&database)
        .env("DATABASE_TIMEOUT_SECONDS", "1")
        .start()
        .await;
    let is_connected = async || app.get("/api/health").send().await.status == 200;
    assert!(is_connected().await);

    postgres.freeze().await;
    eventually("the server misses Postgres", async || !is_connected().await).await;
    postgres.thaw();
    eventually("it goes on", is_connected).await;
    postgres.kill().await;
    eventually("the server misses it again", async || !is_connected().await).await;
    postgres.restart().await;
    eventually("it is back", is_connected).await;
    let row = database.row("SELECT it FROM kept", &[]).await;
    assert_eq!(row.get::<_, i32>(0), 7);
    app.stop().await;

    postgres.freeze().await;
    postgres.restart().await;
    assert_eq!(
        database.rows("SELECT it FROM kept", &[]).await.len(),
        1,
        "what was frozen holds nothing back"
    );
}
