//! Heartbeats over the WebSocket: as cheap as over HTTP.

use halobestie::modules::COMPILED;
use halobestie_auth::testing;
use halobestie_testkit::TestApp;
use serde_json::json;

/// What a socket costs by itself meanwhile: its rounds of catching up, and the settings, now and then.
const BACKGROUND_STATEMENTS: u64 = 20;

#[tokio::test]
async fn heartbeats_over_a_socket_send_no_statement() {
    const BEATS: u64 = 300;
    let app = TestApp::with(COMPILED)
        .env("CHAT_FRAMES_PER_SECOND", "0")
        .start()
        .await;
    let mitra = testing::mitra(&app).await;
    let online = app.post("/api/mitra/status/online");
    online.bearer(&mitra.access_token).send().await.expect(200);
    let mut socket = app.ws(Some(&mitra.access_token)).await;
    socket.expect("hello").await;

    let before = app.statement_count();
    for _ in 0..BEATS {
        socket.send(&json!({"type": "heartbeat"})).await;
        let taken = socket.expect("heartbeat").await;
        assert_eq!(
            taken,
            json!({"type": "heartbeat", "online": true, "next_heartbeat_seconds": 30})
        );
    }
    let sent = app.statement_count() - before;
    assert!(
        sent <= BACKGROUND_STATEMENTS,
        "{sent} statements for {BEATS} heartbeats"
    );
}
