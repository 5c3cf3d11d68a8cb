//! Mitras that are not there for their sessions: gone, barred, silent. Others get the sessions.

use std::time::Duration;

use crate::reroutes::{becomes, go_offline, reroute, search};
use crate::world::{accept, online_mitra, plan, set_active, start, talk};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_mitra_that_goes_offline_loses_its_sessions_to_others() {
    let app = start().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    go_offline(&app, &talk.mitra).await;
    // The clock stands still: the bus has told it.
    becomes(&app, &talk, "rerouting").await;
    let open = search(&app, &other).await;
    accept(&app, &other, &open).await.expect(200);
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
}

#[tokio::test]
async fn so_does_one_that_is_deactivated() {
    let app = start().await;
    let talk = talk(&app).await;
    set_active(&app, talk.mitra.user_id, false).await;
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn so_does_one_that_falls_silent_once_it_is_taken_offline() {
    let app = plan().env("MITRA_STALE_SECONDS", "90").start().await;
    let talk = talk(&app).await;
    app.clock.advance(Duration::from_secs(91));
    app.settle().await;
    app.run_sweep("mitra-auto-offline").await;
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn a_mitra_that_is_gone_is_found_though_the_bus_has_lost_it() {
    let app = start().await;
    let talk = talk(&app).await;
    let sql = "UPDATE mitras SET is_online = false WHERE mitra_id = $1";
    app.database.execute(sql, &[&talk.mitra.user_id]).await;
    app.clock.advance(Duration::from_secs(5));
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn a_mitra_that_leaves_the_first_message_unanswered_loses_the_session() {
    let app = start().await;
    let talk = talk(&app).await;
    // Silence on both sides is nobody's fault.
    app.clock.advance(MINUTE * 4);
    talk.send(&app, &talk.customer, "1").await.expect(201);
    app.clock.advance(Duration::from_secs(179));
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
    app.clock.advance(Duration::from_secs(1));
    let session = becomes(&app, &talk, "rerouting").await;
    assert_eq!(session["remaining_seconds"], (15 - 4 - 3) * 60);
    let sql = "SELECT note FROM chat_events WHERE event = 'session_rerouted'";
    let row = app.database.row(sql, &[]).await;
    assert_eq!(row.get::<_, &str>(0), "unanswered");
}

#[tokio::test]
async fn a_mitra_that_has_answered_may_be_silent_and_one_that_took_over_must_answer_anew() {
    let app = start().await;
    let mut talk = talk(&app).await;
    let other = online_mitra(&app).await;
    talk.send(&app, &talk.customer, "1").await.expect(201);
    app.clock.advance(MINUTE);
    talk.send(&app, &talk.mitra, "2").await.expect(201);
    talk.send(&app, &talk.customer, "3").await.expect(201);
    app.clock.advance(MINUTE * 5);
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");

    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let open = search(&app, &other).await;
    accept(&app, &other, &open).await.expect(200);
    talk.mitra = other;
    app.clock.advance(Duration::from_secs(179));
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
    app.clock.advance(Duration::from_secs(1));
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn without_the_rule_a_mitra_may_take_its_time() {
    let app = plan().env("FIRST_RESPONSE_SECONDS", "0").start().await;
    let talk = talk(&app).await;
    talk.send(&app, &talk.customer, "1").await.expect(201);
    app.clock.advance(MINUTE * 14);
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
}
