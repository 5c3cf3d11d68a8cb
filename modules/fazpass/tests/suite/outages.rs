//! Fazpass is away, slow, or forgets to answer: nobody waits long, nobody gets two messages, and lost
//! answers do not add up to a flood.

use std::time::Duration;

use halobestie_auth::testing::fresh_phone;
use halobestie_sandbox::Fault;
use halobestie_testkit::eventually;

use crate::server::World;

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn who_asks_while_fazpass_is_away_is_told_when_to_come_back_and_pays_nothing() {
    let variables = [("OTP_PHONE_HOURLY", "1"), ("OTP_DAILY_BUDGET", "1")];
    let world = World::with(&variables).await;
    let phone = fresh_phone();
    world.sandbox.fazpass.knobs.down().await;
    for _ in 0..3 {
        let answer = world.ask(&phone).await;
        answer.problem("dependency_unavailable", 503);
        assert!(answer.retry_after() <= 10, "{answer}");
    }
    world.sandbox.fazpass.knobs.up().await;
    world.ask(&phone).await.expect(202);
    assert_eq!(world.messages_to(&phone), 1);
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_tried_once_more() {
    let world = World::start().await;
    world.sandbox.fazpass.knobs.down().await;
    world.ask(&fresh_phone()).await.expect(503);
    let tries = "halobestie_fazpass_call_seconds_count";
    assert_eq!(world.metric(tries).await, 2);
}

#[tokio::test]
async fn a_lost_answer_is_one_message_and_keeps_the_phone_waiting() {
    let world = World::start().await;
    let phone = fresh_phone();
    world.sandbox.fazpass.knobs.lose_next(1);
    let answer = world.ask(&phone).await;
    answer.problem("dependency_unavailable", 503);
    assert_eq!(answer.retry_after(), 30);
    assert_eq!((world.calls(), world.messages_to(&phone)), (1, 1));
    world.ask(&phone).await.problem("rate_limited", 429);
    assert_eq!(world.calls(), 1);
    world.app.clock.advance(HALF_A_MINUTE);
    world.ask(&phone).await.expect(202);
}

#[tokio::test]
async fn lost_answers_count_against_every_limit() {
    let world = World::with(&[("OTP_PHONE_HOURLY", "3"), ("OTP_DAILY_BUDGET", "4")]).await;
    let phone = fresh_phone();
    world.sandbox.fazpass.knobs.lose_next(4);
    for _ in 0..3 {
        world.ask(&phone).await.expect(503);
        world.app.clock.advance(HALF_A_MINUTE);
    }
    world.ask(&phone).await.problem("rate_limited", 429);
    world.ask(&fresh_phone()).await.expect(503);
    world.ask(&fresh_phone()).await.problem("rate_limited", 429);
    assert_eq!((world.calls(), world.messages_to(&phone)), (4, 3));
}

#[tokio::test]
async fn whatever_leaves_it_open_counts_as_sent() {
    let world = World::start().await;
    let knobs = &world.sandbox.fazpass.knobs;
    let page = |status, body: &str| Fault::Raw {
        status,
        content_type: "text/html".to_owned(),
        body: body.to_owned(),
    };
    // An answer between them, so that the gate stays open.
    for fault in [
        Fault::error("500"),
        Fault::error("503"),
        Fault::bad_gateway(),
        Fault::Cut,
        page(200, "<html>all is well</html>"),
        page(200, "{\"status\": tr"),
    ] {
        world.ask(&fresh_phone()).await.expect(202);
        let phone = fresh_phone();
        knobs.strike(None, 1, fault.clone());
        let answer = world.ask(&phone).await;
        assert_eq!(answer.status, 503, "{fault:?}: {answer}");
        assert_eq!(world.ask(&phone).await.status, 429, "{fault:?}");
    }
    assert_eq!(world.calls(), 12);
}

#[tokio::test]
async fn a_fazpass_that_hangs_costs_one_deadline_and_no_second_message() {
    let world = World::with(&[("FAZPASS_TIMEOUT_MS", "300")]).await;
    let phone = fresh_phone();
    let knobs = &world.sandbox.fazpass.knobs;
    knobs.delay(Duration::from_secs(60));
    let answer = world.ask(&phone).await;
    answer.problem("dependency_unavailable", 503);
    assert_eq!(answer.retry_after(), 30);
    assert_eq!(world.messages_to(&phone), 1);
    // And one whose answer never ends.
    knobs.delay(Duration::ZERO);
    knobs.slow_body(Duration::from_secs(60));
    let phone = fresh_phone();
    world.ask(&phone).await.expect(503);
    assert_eq!(world.messages_to(&phone), 1);
}

#[tokio::test]
async fn after_five_failures_nobody_calls_until_one_has_tried_for_all() {
    let world = World::start().await;
    // The page is looked up anew once a second.
    let health_is = async |status: &str| {
        eventually("the page says so", || async {
            let page = world.app.get("/readyz").send().await.expect(200).json();
            page["checks"]["fazpass"]["status"] == status
        })
        .await;
    };
    health_is("ok").await;
    world.sandbox.fazpass.knobs.fail_next(6, "502");
    for _ in 0..5 {
        world.ask(&fresh_phone()).await.expect(503);
    }
    assert_eq!(world.calls(), 5);
    let phone = fresh_phone();
    let answer = world.ask(&phone).await;
    answer.problem("dependency_unavailable", 503);
    assert_eq!((answer.retry_after(), world.calls()), (10, 5));
    health_is("degraded").await;
    // The sixth failure is the one that tries for all.
    world.app.clock.advance(Duration::from_secs(10));
    world.ask(&fresh_phone()).await.expect(503);
    world.ask(&fresh_phone()).await.expect(503);
    assert_eq!(world.calls(), 6);
    world.app.clock.advance(Duration::from_secs(10));
    // Who was turned away at the gate has paid nothing.
    world.ask(&phone).await.expect(202);
    health_is("ok").await;
}

#[tokio::test]
async fn who_hangs_up_while_fazpass_works_has_paid() {
    let world = World::start().await;
    let phone = fresh_phone();
    let knobs = &world.sandbox.fazpass.knobs;
    knobs.delay(Duration::from_secs(60));
    let asking = world.ask(&phone);
    let hung_up = tokio::time::timeout(Duration::from_secs(1), asking).await;
    assert!(hung_up.is_err(), "{hung_up:?}");
    assert_eq!(world.messages_to(&phone), 1);
    knobs.delay(Duration::ZERO);
    world.ask(&phone).await.problem("rate_limited", 429);
}
