//! The WebSocket client, against a server that has no socket to offer.

use halobestie_core::Entry;
use halobestie_testkit::TestApp;

const NO_MODULES: &[Entry] = &[];

#[tokio::test]
async fn a_refused_handshake_is_an_answer_like_any_other() {
    let app = TestApp::start(NO_MODULES).await;
    let refusal = app.try_ws(Some("token")).await.err().unwrap();
    refusal.problem("not_found", 404);
}
