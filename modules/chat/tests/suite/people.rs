//! Many people and requests at once, written straight into the database: what only their number matters
//! for.

use halobestie_core::Timestamp;
use halobestie_core::pg::Query;
use halobestie_testkit::TestApp;
use uuid::Uuid;

/// Makes mitras who are online and shows them to the mirror; their ids.
pub(crate) async fn many_mitras(app: &TestApp, count: i32) -> Vec<Uuid> {
    const SQL: &str = "INSERT INTO mitras (mitra_id, is_online, max_sessions, online_since,
            last_heartbeat_at, updated_at)
        SELECT gen_random_uuid(), true, 3, $2, $2, $2 FROM generate_series(1, $1)
        RETURNING mitra_id";
    let now = app.clock.now();
    let rows = app.database.rows(SQL, &[&count, &now]).await;
    app.run_sweep("valkey-online-mirror").await;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Makes open requests of as many customers, open to everybody and offered to nobody.
pub(crate) async fn many_requests(app: &TestApp, count: i32, expires_at: Timestamp) {
    const SQL: &str = r#"INSERT INTO chat_requests
            (id, customer_id, status, package, created_at, expires_at)
        SELECT gen_random_uuid(), gen_random_uuid(), 'searching',
            '{"id":"15m","name":"15","minutes":15,"amount":0,"currency":"IDR"}', $2, $3
        FROM generate_series(1, $1)"#;
    let now = app.clock.now();
    app.database
        .execute(SQL, &[&count, &now, &expires_at])
        .await;
}

/// How many offers there are.
pub(crate) async fn offer_count(app: &TestApp) -> i64 {
    let row = app.database.row("SELECT count(*) FROM chat_offers", &[]);
    row.await.get(0)
}

/// Changes a runtime setting, as the control center does.
pub(crate) async fn set(app: &TestApp, key: &'static str, value: serde_json::Value) {
    const SQL: &str = "INSERT INTO app_config (key, value) VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    app.database
        .db()
        .execute(SQL, &[&key, &value])
        .await
        .unwrap();
    app.context().settings.announce(&app.context().bus, key);
}

/// A counter's value in the server's metrics.
pub(crate) async fn metric(app: &TestApp, name: &str) -> u64 {
    let page = app.internal_get("/metrics").send().await.expect(200).text();
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|rest| rest.trim().parse().ok());
    value.unwrap_or_else(|| panic!("there is no {name} in {page}"))
}
