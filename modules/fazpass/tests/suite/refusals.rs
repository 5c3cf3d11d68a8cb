//! Fazpass says no: the caller is told, and the phone pays nothing.

use halobestie_auth::testing::fresh_phone;

use crate::server::{World, show};

#[tokio::test]
async fn a_refused_message_is_otp_not_sent() {
    let world = World::start().await;
    let phone = fresh_phone();
    world.sandbox.fazpass.refuse(&phone);
    let answer = world.ask(&phone).await;
    let problem = answer.problem("otp_not_sent", 502);
    // What Fazpass said is for the log.
    assert!(!problem.to_string().contains("provider"), "{problem}");
}

#[tokio::test]
async fn every_way_of_saying_no_is_one() {
    let world = World::start().await;
    for code in ["400", "401", "403", "404", "422", "refused"] {
        world.sandbox.fazpass.knobs.fail_next(1, code);
        let answer = world.ask(&fresh_phone()).await;
        assert_eq!(answer.status, 502, "{code}: {answer}");
        answer.problem("otp_not_sent", 502);
    }
    assert_eq!(world.calls(), 6);
}

#[tokio::test]
async fn a_refused_message_is_not_charged_to_its_phone() {
    let world = World::with(&[("OTP_PHONE_HOURLY", "2")]).await;
    let phone = fresh_phone();
    world.sandbox.fazpass.refuse(&phone);
    for _ in 0..4 {
        world.ask(&phone).await.problem("otp_not_sent", 502);
    }
    world.sandbox.fazpass.accept(&phone);
    // At once: not even the pause between two codes is left of it.
    world.ask(&phone).await.expect(202);
    world.app.clock.advance(std::time::Duration::from_secs(30));
    world.ask(&phone).await.expect(202);
}

#[tokio::test]
async fn a_refused_message_is_not_charged_to_the_budget_and_is_to_its_network() {
    let world = World::with(&[("OTP_DAILY_BUDGET", "1"), ("OTP_ADDRESS_HOURLY", "3")]).await;
    let phone = fresh_phone();
    world.sandbox.fazpass.refuse(&phone);
    world.ask(&phone).await.problem("otp_not_sent", 502);
    world.ask(&phone).await.problem("otp_not_sent", 502);
    world.ask(&fresh_phone()).await.expect(202);
    let refused = world.ask(&phone).await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 3600, "by the network");
}

#[tokio::test]
async fn what_was_refused_opens_nothing() {
    let world = World::start().await;
    let phone = fresh_phone();
    world.sandbox.fazpass.refuse(&phone);
    world.ask(&phone).await.expect(502);
    let calls = world.sandbox.fazpass.calls();
    let code = calls[0].json()["otp"].as_str().unwrap().to_owned();
    let row = "SELECT id::text, phone FROM auth_otps";
    let row = world.app.database.row(row, &[]).await;
    assert_eq!(row.get::<_, Option<String>>("phone"), None);
    let otp_id = serde_json::json!(row.get::<_, String>("id"));
    show(&world.app, &otp_id, &code)
        .await
        .problem("otp_expired", 410);
}

#[tokio::test]
async fn too_many_calls_are_a_pause_and_cost_nothing() {
    use halobestie_sandbox::Fault;
    let world = World::start().await;
    let phone = fresh_phone();
    let wait = std::time::Duration::from_secs(7);
    let knobs = &world.sandbox.fazpass.knobs;
    knobs.strike(None, 1, Fault::error_for("429", wait));
    let answer = world.ask(&phone).await;
    answer.problem("dependency_unavailable", 503);
    assert_eq!(answer.retry_after(), 7);
    world.ask(&phone).await.expect(202);
}
