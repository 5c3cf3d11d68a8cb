//! A code on its way: what Fazpass is told, and that nobody else is.

use halobestie_auth::testing::fresh_phone;

use crate::server::{World, show};

#[tokio::test]
async fn a_code_reaches_its_phone_and_signs_its_owner_in() {
    let world = World::start().await;
    let phone = fresh_phone();
    let sent = world.ask(&phone).await.expect(202).json();
    assert_eq!(sent["channel"], "fazpass");
    let code = world.sandbox.fazpass.last_code(&phone).unwrap();
    assert_eq!(code.len(), 6);
    let tokens = show(&world.app, &sent["otp_id"], &code).await.expect(200);
    assert_eq!(tokens.json()["user"]["phone"], phone);
    // It is good once.
    show(&world.app, &sent["otp_id"], &code)
        .await
        .problem("otp_expired", 410);
}

#[tokio::test]
async fn fazpass_is_told_the_phone_the_code_and_whose_request_it_was() {
    let world = World::start().await;
    let phone = fresh_phone();
    let body = serde_json::json!({"phone": phone, "role": "mitra"});
    let asked = world.app.post("/api/auth/otp/request").json(&body);
    asked
        .header("x-request-id", "a-request-of-mine")
        .send()
        .await
        .expect(202);
    let calls = world.sandbox.fazpass.calls();
    assert_eq!(calls.len(), 1);
    let (call, fazpass) = (&calls[0], &world.sandbox.fazpass);
    assert_eq!((call.operation, call.method.as_str()), ("send", "POST"));
    assert_eq!(call.header("x-request-id"), Some("a-request-of-mine"));
    let bearer = format!("Bearer {}", fazpass.merchant_key());
    assert_eq!(call.header("authorization"), Some(bearer.as_str()));
    let expected = serde_json::json!({
        "phone": phone.trim_start_matches('+'),
        "otp": fazpass.last_code(&phone).unwrap(),
        "gateway_key": fazpass.gateway_key(),
    });
    assert_eq!(call.json(), expected);
}

#[tokio::test]
async fn each_request_has_a_code_of_its_own_and_the_bypass_code_opens_none() {
    let world = World::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    let phone = fresh_phone();
    let first = world.ask(&phone).await.expect(202).json()["otp_id"].clone();
    let second = world.ask(&phone).await.expect(202).json()["otp_id"].clone();
    let messages = world.sandbox.fazpass.messages_to(&phone);
    let (of_first, of_second) = (&messages[0].code, &messages[1].code);
    // One in a million that they are the same.
    if of_first != of_second {
        show(&world.app, &second, of_first)
            .await
            .problem("otp_invalid", 401);
    }
    if of_first != "000000" {
        show(&world.app, &first, "000000")
            .await
            .problem("otp_invalid", 401);
    }
    show(&world.app, &first, of_first).await.expect(200);
}

#[tokio::test]
async fn neither_code_nor_phone_can_be_read_from_the_database_for_long() {
    let world = World::start().await;
    let phone = fresh_phone();
    let otp_id = world.ask(&phone).await.expect(202).json()["otp_id"].clone();
    let code = world.sandbox.fazpass.last_code(&phone).unwrap();
    let rows = "SELECT it::text FROM auth_otps it";
    let row: String = world.app.database.row(rows, &[]).await.get(0);
    // The phone is there until the code is used; the code never is, in no form that could be searched.
    assert!(row.contains(&phone) && !row.contains(&format!(",{code},")));
    show(&world.app, &otp_id, &code).await.expect(200);
    let row: String = world.app.database.row(rows, &[]).await.get(0);
    assert!(!row.contains(&phone), "{row}");
}

#[tokio::test]
async fn a_connection_that_fazpass_closed_meanwhile_costs_no_message() {
    let world = World::start().await;
    world.ask(&fresh_phone()).await.expect(202);
    world.sandbox.fazpass.knobs.drain_connections();
    world.ask(&fresh_phone()).await.expect(202);
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
async fn what_became_of_messages_is_counted() {
    let world = World::start().await;
    let knobs = &world.sandbox.fazpass.knobs;
    world.ask(&fresh_phone()).await.expect(202);
    knobs.fail_next(1, "refused");
    world.ask(&fresh_phone()).await.expect(502);
    knobs.lose_next(1);
    world.ask(&fresh_phone()).await.expect(503);
    knobs.down().await;
    world.ask(&fresh_phone()).await.expect(503);
    for (outcome, count) in [
        ("sent", 1),
        ("refused", 1),
        ("unknown", 1),
        ("unavailable", 1),
    ] {
        let messages = format!("halobestie_fazpass_messages_total{{outcome=\"{outcome}\"}}");
        assert_eq!(world.metric(&messages).await, count, "{outcome}");
        let codes = format!("halobestie_auth_codes_total{{outcome=\"{outcome}\"}}");
        assert_eq!(world.metric(&codes).await, count, "{outcome}");
    }
}
