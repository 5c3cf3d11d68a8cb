//! How often a code may be guessed at: across replicas, and when all guess at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use halobestie_auth::testing::{OTP_CODE, fresh_phone, sign_in};
use halobestie_core::ports::Role;
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::{ask, me, otp, refresh, seconds, show, start, tally, text};

#[tokio::test]
async fn a_wrong_code_says_how_many_attempts_are_left_and_the_sixth_is_refused() {
    let app = start().await;
    let id = otp(&app, &fresh_phone(), "customer").await;
    for left in [4, 3, 2, 1, 0] {
        let problem = show(&app, &id, "111111").await.problem("otp_invalid", 401);
        assert_eq!(problem["attempts_left"], left);
    }
    app.clock.advance(seconds(10));
    let refused = show(&app, &id, OTP_CODE).await;
    refused.problem("otp_attempts_exhausted", 429);
    assert_eq!(refused.retry_after(), 20);
}

#[tokio::test]
async fn the_fifth_attempt_still_counts() {
    let app = start().await;
    let id = otp(&app, &fresh_phone(), "customer").await;
    for _ in 0..4 {
        show(&app, &id, "111111").await.problem("otp_invalid", 401);
    }
    show(&app, &id, OTP_CODE).await.expect(200);
}

#[tokio::test]
async fn what_cannot_be_a_code_costs_no_attempt() {
    let app = start().await;
    let id = otp(&app, &fresh_phone(), "customer").await;
    for code in ["", "12345", "1234567", "abcdef", "00000０"] {
        let problem = show(&app, &id, code)
            .await
            .problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "code", "{code}");
    }
    let problem = show(&app, &json!("not an id"), OTP_CODE)
        .await
        .problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "otp_id");
    let problem = show(&app, &id, "111111").await.problem("otp_invalid", 401);
    assert_eq!(problem["attempts_left"], 4);
}

#[tokio::test]
async fn twenty_wrong_codes_at_once_on_two_replicas_are_five_attempts() {
    let app = Arc::new(start().await);
    let other = Arc::new(app.replica().await);
    let id = otp(&app, &fresh_phone(), "customer").await;
    let mut showing = JoinSet::new();
    for index in 0..20 {
        let (app, id) = (
            if index % 2 == 0 { &app } else { &other }.clone(),
            id.clone(),
        );
        showing.spawn(async move { show(&app, &id, "111111").await });
    }
    let answers = showing.join_all().await;
    let expected = [
        (401, "otp_invalid".to_owned(), 5),
        (429, "otp_attempts_exhausted".to_owned(), 15),
    ];
    assert_eq!(tally(&answers), expected);
    let left: BTreeSet<i64> = answers
        .iter()
        .filter_map(|answer| answer.json()["attempts_left"].as_i64())
        .collect();
    assert_eq!(left, BTreeSet::from([0, 1, 2, 3, 4]));
}

#[tokio::test]
async fn twenty_right_codes_at_once_are_one_sign_in() {
    let app = Arc::new(start().await);
    let other = Arc::new(app.replica().await);
    let id = otp(&app, &fresh_phone(), "customer").await;
    let mut showing = JoinSet::new();
    for index in 0..20 {
        let (app, id) = (
            if index % 2 == 0 { &app } else { &other }.clone(),
            id.clone(),
        );
        showing.spawn(async move { show(&app, &id, OTP_CODE).await });
    }
    let answers = showing.join_all().await;
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1);
    let refusals = ["otp_expired", "otp_attempts_exhausted"];
    for answer in answers.iter().filter(|it| it.status != 200) {
        assert!(
            refusals.contains(&text(&answer.json(), "code").as_str()),
            "{answer}"
        );
    }
    let row = app
        .database
        .row("SELECT count(*) FROM auth_sessions", &[])
        .await;
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn two_first_sign_ins_at_once_make_one_account() {
    let plan = halobestie_testkit::TestApp::with(crate::server::ENTRIES);
    let app = Arc::new(plan.env("OTP_RESEND_SECONDS", "0").start().await);
    let phone = fresh_phone();
    let mut showing = JoinSet::new();
    for _ in 0..5 {
        let (app, id) = (app.clone(), otp(&app, &phone, "customer").await);
        showing.spawn(async move { show(&app, &id, OTP_CODE).await.expect(200).json() });
    }
    let people = showing.join_all().await;
    let ids: BTreeSet<String> = people.iter().map(|it| text(&it["user"], "id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        people
            .iter()
            .filter(|it| it["user"]["is_new"] == true)
            .count(),
        1
    );
}

#[tokio::test]
async fn a_stranger_who_uses_up_a_phones_attempts_locks_its_owner_out_of_no_session() {
    let app = halobestie_testkit::TestApp::with(crate::server::ENTRIES)
        .start()
        .await;
    let phone = fresh_phone();
    let owner = sign_in(&app, Role::Customer, &phone).await;
    for _ in 0..4 {
        app.clock.advance(seconds(30));
        let id = otp(&app, &phone, "customer").await;
        for _ in 0..5 {
            show(&app, &id, "111111").await.problem("otp_invalid", 401);
        }
        show(&app, &id, "111111")
            .await
            .problem("otp_attempts_exhausted", 429);
    }
    app.clock.advance(seconds(30));
    ask(&app, &phone, "customer")
        .await
        .problem("rate_limited", 429);
    me(&app, &owner.access_token).await.expect(200);
    let tokens = refresh(&app, &owner.refresh_token).await.expect(200).json();
    me(&app, &text(&tokens, "access_token")).await.expect(200);
}
