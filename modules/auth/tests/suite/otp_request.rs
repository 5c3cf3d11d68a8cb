//! Asking for a one-time code.

use halobestie_auth::testing::{fresh_phone, sign_in};
use halobestie_core::ports::Role;
use serde_json::json;

use crate::server::{ask, keys, otp, seconds, show, start, text};

#[tokio::test]
async fn the_answer_says_how_and_until_when() {
    let app = start().await;
    let sent = ask(&app, &fresh_phone(), "customer")
        .await
        .expect(202)
        .json();
    assert_eq!(
        keys(&sent),
        ["channel", "expires_at", "otp_id", "resend_after_seconds"]
    );
    assert_eq!(sent["channel"], "bypass");
    assert_eq!(sent["resend_after_seconds"], 30);
    assert_eq!(
        text(&sent, "expires_at"),
        (app.clock.now() + seconds(300)).to_string()
    );
}

#[tokio::test]
async fn the_answer_is_the_same_whether_or_not_the_number_is_known() {
    let app = start().await;
    let known = fresh_phone();
    sign_in(&app, Role::Customer, &known).await;
    app.clock.advance(seconds(30));
    let mut answers = Vec::new();
    for (phone, role) in [
        (known, "customer"),
        (fresh_phone(), "customer"),
        (fresh_phone(), "mitra"),
    ] {
        let mut answer = ask(&app, &phone, role).await.expect(202).json();
        answer["otp_id"] = json!("an id");
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn every_form_of_a_number_is_one_number() {
    let app = start().await;
    let phone = fresh_phone();
    let national = phone.trim_start_matches("+62").to_owned();
    let person = sign_in(&app, Role::Customer, &phone).await;
    for form in [
        format!("0{national}"),
        format!("62{national}"),
        format!("+62 {national}"),
    ] {
        app.clock.advance(seconds(30));
        assert_eq!(
            sign_in(&app, Role::Customer, &form).await.user_id,
            person.user_id,
            "{form}"
        );
    }
}

#[tokio::test]
async fn what_is_no_mobile_number_is_refused() {
    let app = start().await;
    for phone in [
        "",
        "12345",
        "telepon",
        "021 5551234",
        "08091234567",
        "+999123456789",
    ] {
        let problem = ask(&app, phone, "customer")
            .await
            .problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "phone", "{phone}");
    }
}

#[tokio::test]
async fn only_customers_and_mitras_sign_in_by_a_code() {
    let app = start().await;
    for role in ["admin", "Customer", ""] {
        let problem = ask(&app, &fresh_phone(), role)
            .await
            .problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "role", "{role}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_refused() {
    let app = start().await;
    let post = || app.post("/api/auth/otp/request");
    let broken = post().body("application/json", "{\"phone\":").send().await;
    broken.problem("malformed_json", 400);
    let missing = post().json(&json!({"role": "customer"})).send().await;
    missing.problem("validation_failed", 422);
    let number = post()
        .json(&json!({"phone": 81234567890_i64, "role": "customer"}))
        .send()
        .await;
    assert_eq!(
        number.problem("validation_failed", 422)["errors"][0]["field"],
        "phone"
    );
    let form = post()
        .body("application/x-www-form-urlencoded", "phone=0812")
        .send()
        .await;
    form.problem("unsupported_media_type", 415);
    let unknown = json!({"phone": fresh_phone(), "role": "customer", "colour": "red"});
    post().json(&unknown).send().await.expect(202);
}

/// The environment of a production server that runs without Fazpass.
const PRODUCTION: &[(&str, &str)] = &[
    ("APP_ENV", "production"),
    ("AUTH_BCRYPT_COST", "10"),
    ("OTP_BYPASS_CODE", "271828"),
    ("OTP_BYPASS_PHONES", "081234567890, +6281234567891"),
];

#[tokio::test]
async fn in_production_the_bypass_serves_the_named_phones_alone() {
    let mut plan = halobestie_testkit::TestApp::with(crate::server::ENTRIES);
    for (name, value) in PRODUCTION {
        plan = plan.env(name, value);
    }
    let app = plan.start().await;
    let named = ask(&app, "+6281234567890", "customer")
        .await
        .expect(202)
        .json();
    let other = ask(&app, "+6281234567892", "customer")
        .await
        .expect(202)
        .json();
    assert_eq!(keys(&named), keys(&other));
    assert_eq!(named["channel"], other["channel"]);
    show(&app, &named["otp_id"], "271828").await.expect(200);
    show(&app, &other["otp_id"], "271828")
        .await
        .problem("otp_invalid", 401);
    let second = otp(&app, "6281234567891", "customer").await;
    show(&app, &second, "000000")
        .await
        .problem("otp_invalid", 401);
    show(&app, &second, "271828").await.expect(200);
}

#[tokio::test]
async fn a_start_that_could_sign_nobody_in_is_refused() {
    let refused = async |changes: &[(&str, &str)]| {
        let mut plan = halobestie_testkit::TestApp::with(crate::server::ENTRIES);
        for (name, value) in PRODUCTION.iter().chain(changes) {
            plan = plan.env(name, value);
        }
        match plan.try_start().await {
            Ok(_) => panic!("started with {changes:?}"),
            Err(problem) => problem,
        }
    };
    let problem = refused(&[("OTP_BYPASS_PHONES", "")]).await;
    assert!(problem.contains("OTP_BYPASS_PHONES"), "{problem}");
    let problem = refused(&[("AUTH_JWT_SECRET", "too short to be safe")]).await;
    assert!(problem.contains("AUTH_JWT_SECRET"), "{problem}");
    assert!(!problem.contains("too short to be safe"), "{problem}");
    let problem = refused(&[("AUTH_JWT_SECRET", "")]).await;
    assert!(problem.contains("AUTH_JWT_SECRET"), "{problem}");
}
