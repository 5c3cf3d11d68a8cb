//! Signing in by a one-time code.

use halobestie_auth::testing::{OTP_CODE, fresh_phone, register_mitra, sign_in};
use halobestie_core::ports::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{keys, me, otp, seconds, show, start, text};

#[tokio::test]
async fn a_customers_first_sign_in_makes_the_account() {
    let app = start().await;
    let phone = fresh_phone();
    let id = otp(&app, &phone, "customer").await;
    let answer = show(&app, &id, OTP_CODE).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    let expected = [
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "refresh_token",
        "token_type",
        "user",
    ];
    assert_eq!(keys(&tokens), expected);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["refresh_expires_in"], 30 * 24 * 3600);
    let user = &tokens["user"];
    assert_eq!(
        keys(user),
        ["display_name", "id", "is_new", "language", "phone", "role"]
    );
    assert_eq!(user["role"], "customer");
    assert_eq!(user["phone"], phone.as_str());
    assert_eq!(user["language"], "id");
    assert_eq!(user["is_new"], true);
    let name = text(user, "display_name");
    let digits = name.strip_prefix("Teman ").unwrap();
    assert!(digits.len() == 4 && digits.parse::<u16>().is_ok(), "{name}");
    assert_eq!(
        me(&app, &text(&tokens, "access_token"))
            .await
            .expect(200)
            .json()["id"],
        user["id"]
    );
}

#[tokio::test]
async fn the_next_sign_in_finds_it() {
    let app = start().await;
    let phone = fresh_phone();
    let first = sign_in(&app, Role::Customer, &phone).await;
    app.clock.advance(seconds(30));
    let id = otp(&app, &phone, "customer").await;
    let again = show(&app, &id, OTP_CODE).await.expect(200).json();
    assert_eq!(again["user"]["is_new"], false);
    assert_eq!(text(&again["user"], "id"), first.user_id.to_string());
}

#[tokio::test]
async fn a_code_that_cannot_be_right_any_more_is_gone() {
    let app = start().await;
    show(&app, &json!(Uuid::nil()), OTP_CODE)
        .await
        .problem("otp_expired", 410);

    let used = otp(&app, &fresh_phone(), "customer").await;
    show(&app, &used, OTP_CODE).await.expect(200);
    show(&app, &used, OTP_CODE)
        .await
        .problem("otp_expired", 410);

    let old = otp(&app, &fresh_phone(), "customer").await;
    let exhausted = otp(&app, &fresh_phone(), "customer").await;
    for _ in 0..5 {
        show(&app, &exhausted, "111111").await;
    }
    app.clock.advance(seconds(300));
    show(&app, &old, OTP_CODE).await.problem("otp_expired", 410);
    show(&app, &exhausted, OTP_CODE)
        .await
        .problem("otp_expired", 410);
}

#[tokio::test]
async fn a_code_lives_until_its_last_second() {
    let app = start().await;
    let id = otp(&app, &fresh_phone(), "customer").await;
    app.clock.advance(seconds(299));
    show(&app, &id, OTP_CODE).await.expect(200);
}

#[tokio::test]
async fn a_mitra_exists_once_an_admin_has_made_it() {
    let app = start().await;
    let phone = fresh_phone();
    let id = otp(&app, &phone, "mitra").await;
    // Only who has the code learns whether the number is a mitra's.
    show(&app, &id, "111111").await.problem("otp_invalid", 401);
    show(&app, &id, OTP_CODE)
        .await
        .problem("mitra_not_registered", 403);
    show(&app, &id, OTP_CODE).await.problem("otp_expired", 410);

    let mitra = register_mitra(&app, &phone, "Ayu").await;
    app.clock.advance(seconds(30));
    let id = otp(&app, &phone, "mitra").await;
    let tokens = show(&app, &id, OTP_CODE).await.expect(200).json();
    assert_eq!(text(&tokens["user"], "id"), mitra.to_string());
    assert_eq!(tokens["user"]["role"], "mitra");
    assert_eq!(tokens["user"]["display_name"], "Ayu");
    assert_eq!(tokens["user"]["is_new"], false);
}

#[tokio::test]
async fn one_phone_may_be_a_customer_and_a_mitra() {
    let app = start().await;
    let phone = fresh_phone();
    let mitra = register_mitra(&app, &phone, "Ayu").await;
    let customer = sign_in(&app, Role::Customer, &phone).await;
    assert_ne!(customer.user_id, mitra);
    app.clock.advance(seconds(30));
    assert_eq!(sign_in(&app, Role::Mitra, &phone).await.user_id, mitra);
}

#[tokio::test]
async fn a_disabled_account_is_told_so_after_the_right_code() {
    let app = start().await;
    let phone = fresh_phone();
    let person = sign_in(&app, Role::Customer, &phone).await;
    let disable = "UPDATE users SET is_active = false WHERE id = $1";
    assert_eq!(app.database.execute(disable, &[&person.user_id]).await, 1);
    app.clock.advance(seconds(30));
    let id = otp(&app, &phone, "customer").await;
    show(&app, &id, "111111").await.problem("otp_invalid", 401);
    show(&app, &id, OTP_CODE)
        .await
        .problem("account_disabled", 403);
}

#[tokio::test]
async fn the_device_is_checked() {
    let app = start().await;
    let id = otp(&app, &fresh_phone(), "customer").await;
    let show_on = async |device: Value| {
        let body = json!({"otp_id": id, "code": OTP_CODE, "device": device});
        app.post("/api/auth/otp/verify").json(&body).send().await
    };
    let wrong = [
        (json!({"platform": "toaster"}), "device.platform"),
        (json!({"name": "Pixel"}), "device"),
        (
            json!({"platform": "android", "name": "x".repeat(101)}),
            "device.name",
        ),
        (
            json!({"platform": "android", "name": "a\u{0}b"}),
            "device.name",
        ),
        (
            json!({"platform": "android", "app_version": "1".repeat(51)}),
            "device.app_version",
        ),
    ];
    for (device, field) in wrong {
        let problem = show_on(device.clone())
            .await
            .problem("validation_failed", 422);
        let named = text(&problem["errors"][0], "field");
        assert!(named.starts_with(field), "{named} for {device}");
    }
    show_on(json!({"platform": "ios", "name": "iPhone"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn no_code_and_no_token_is_stored_as_it_is() {
    let app = start().await;
    let phone = fresh_phone();
    let person = sign_in(&app, Role::Customer, &phone).await;
    let dump = "SELECT (SELECT json_agg(o)::text FROM auth_otps o)
                    || (SELECT json_agg(s)::text FROM auth_sessions s)";
    let stored: String = app.database.row(dump, &[]).await.get(0);
    for secret in [
        OTP_CODE,
        &phone,
        &person.refresh_token,
        &person.access_token,
    ] {
        assert!(
            !stored.contains(&format!("\"{secret}\"")),
            "{secret} in {stored}"
        );
    }
}
