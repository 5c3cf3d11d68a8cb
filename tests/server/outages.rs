//! What a server does while Postgres or Valkey is away, and once it is back.

use std::time::{Duration, Instant};

use halobestie::modules::COMPILED;
use halobestie_auth::testing;
use halobestie_testkit::{TcpProxy, TestApp, TestDb, ValkeyProcess, eventually};

/// The server's deadline for Postgres in these tests, and what a busy machine may add.
const DEADLINE: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(3);

#[tokio::test]
async fn postgres_cut_off_is_503_within_the_deadline_and_recovers_by_itself() {
    let database = TestDb::create(COMPILED).await;
    let proxy = TcpProxy::to_postgres().await;
    let app = TestApp::with(COMPILED)
        .database(&database)
        .postgres_through(&proxy)
        .env("DATABASE_TIMEOUT_SECONDS", "1")
        .start()
        .await;
    let customer = testing::customer(&app).await;
    let me = || {
        app.get("/api/auth/me")
            .bearer(&customer.access_token)
            .send()
    };
    me().await.expect(200);

    for fail in [TcpProxy::cut, TcpProxy::freeze] {
        fail(&proxy);
        let asked = Instant::now();
        let refused = me().await;
        refused.problem("dependency_unavailable", 503);
        assert!(refused.retry_after() > 0);
        // A checkout and a statement, each with the deadline.
        assert!(
            asked.elapsed() < DEADLINE * 2 + SLACK,
            "{:?}",
            asked.elapsed()
        );
        app.get("/livez").send().await.expect(200);
        eventually("readiness is lost", || async {
            app.get("/readyz").send().await.status == 503
        })
        .await;

        proxy.mend();
        eventually("it recovers", || async { me().await.status == 200 }).await;
        eventually("it is ready again", || async {
            app.get("/readyz").send().await.status == 200
        })
        .await;
    }
    app.stop().await;
}

#[tokio::test]
async fn a_frozen_valkey_costs_no_answer_and_one_deadline_at_most() {
    let valkey = ValkeyProcess::start().await;
    let app = TestApp::with(COMPILED)
        .valkey_at(&valkey.url())
        .env("VALKEY_TIMEOUT_MS", "500")
        .start()
        .await;
    let mitra = testing::mitra(&app).await;
    let online = || {
        app.post("/api/mitra/status/online")
            .bearer(&mitra.access_token)
            .send()
    };
    online().await.expect(200);

    valkey.freeze();
    for _ in 0..5 {
        let asked = Instant::now();
        online().await.expect(200);
        assert!(asked.elapsed() < Duration::from_millis(500) + SLACK);
    }
    app.get("/api/customer/availability")
        .send()
        .await
        .expect(200);
    valkey.thaw();
    eventually("valkey is used again", || async {
        let ready = app.get("/readyz").send().await.json();
        ready["checks"]["valkey"]["status"] == "ok"
    })
    .await;
    app.stop().await;
}
