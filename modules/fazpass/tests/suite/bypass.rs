//! Reviewers while Fazpass carries the codes: exactly the named phones have the fixed code.

use halobestie_auth::testing::fresh_phone;

use crate::server::{World, show};

const VARIABLES: &[(&str, &str)] = &[
    ("OTP_BYPASS_CODE", "271828"),
    ("OTP_BYPASS_PHONES", "081234567890"),
];

#[tokio::test]
async fn a_named_phone_signs_in_by_the_fixed_code_and_gets_no_message() {
    let world = World::with(VARIABLES).await;
    let reviewer = world.ask("+6281234567890").await.expect(202).json();
    assert_eq!(world.calls(), 0);
    show(&world.app, &reviewer["otp_id"], "271828")
        .await
        .expect(200);
}

#[tokio::test]
async fn every_other_phone_gets_a_message_and_the_fixed_code_is_wrong() {
    let world = World::with(VARIABLES).await;
    let phone = fresh_phone();
    let sent = world.ask(&phone).await.expect(202).json();
    assert_eq!(world.messages_to(&phone), 1);
    if world.sandbox.fazpass.last_code(&phone).unwrap() != "271828" {
        show(&world.app, &sent["otp_id"], "271828")
            .await
            .problem("otp_invalid", 401);
    }
}

#[tokio::test]
async fn the_answer_does_not_tell_which_phones_are_named() {
    let world = World::with(VARIABLES).await;
    let mut named = world.ask("+6281234567890").await.expect(202).json();
    let mut other = world.ask(&fresh_phone()).await.expect(202).json();
    for answer in [&mut named, &mut other] {
        answer["otp_id"] = serde_json::json!("an id");
    }
    assert_eq!(named, other);
}
