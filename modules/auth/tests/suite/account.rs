//! The caller's own account: shown, changed, closed.

use halobestie_auth::testing::{self, OTP_CODE, fresh_phone, sign_in};
use halobestie_core::ports::Role;
use halobestie_testkit::TestApp;
use serde_json::{Value, json};

use crate::server::{ENTRIES, ask, keys, me, otp, refresh, seconds, show, start};

#[tokio::test]
async fn it_is_shown_to_its_owner() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let user = me(&app, &person.access_token).await.expect(200).json();
    assert_eq!(
        keys(&user),
        ["display_name", "id", "is_new", "language", "phone", "role"]
    );
    assert_eq!(user["id"], person.user_id.to_string());
    assert_eq!(user["is_new"], false);
}

#[tokio::test]
async fn name_and_language_can_be_changed() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let patch = async |body: Value| {
        let call = app
            .patch("/api/auth/me")
            .bearer(&person.access_token)
            .json(&body);
        call.send().await
    };
    let user = patch(json!({"display_name": "  Sari 🌸 "}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&user["display_name"], &user["language"]),
        (&json!("Sari 🌸"), &json!("id"))
    );
    let user = patch(json!({"language": "en"})).await.expect(200).json();
    assert_eq!(
        (&user["display_name"], &user["language"]),
        (&json!("Sari 🌸"), &json!("en"))
    );
    let same = patch(json!({})).await.expect(200).json();
    assert_eq!(same, user);
    assert_eq!(
        me(&app, &person.access_token).await.expect(200).json(),
        user
    );
    // What is not the caller's to change is not read.
    let sly = patch(json!({"role": "admin", "phone": "+6281234567890"}))
        .await
        .expect(200)
        .json();
    assert_eq!(sly, user);
}

#[tokio::test]
async fn a_name_must_be_one() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let wrong = [
        (json!({"display_name": ""}), "display_name"),
        (json!({"display_name": "   "}), "display_name"),
        (json!({"display_name": "x".repeat(51)}), "display_name"),
        (json!({"display_name": "two\nlines"}), "display_name"),
        (json!({"display_name": "nul\u{0}"}), "display_name"),
        (json!({"display_name": 7}), "display_name"),
        (json!({"language": "fr"}), "language"),
        (json!({"language": "ID"}), "language"),
    ];
    for (body, field) in wrong {
        let call = app
            .patch("/api/auth/me")
            .bearer(&person.access_token)
            .json(&body);
        let problem = call.send().await.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let longest = json!({"display_name": "é".repeat(50)});
    let call = app
        .patch("/api/auth/me")
        .bearer(&person.access_token)
        .json(&longest);
    call.send().await.expect(200);
}

#[tokio::test]
async fn closing_it_erases_what_is_personal_and_signs_out_everywhere() {
    let app = start().await;
    let phone = fresh_phone();
    let here = sign_in(&app, Role::Customer, &phone).await;
    app.clock.advance(seconds(30));
    let there = sign_in(&app, Role::Customer, &phone).await;
    app.clock.advance(seconds(30));
    let pending = otp(&app, &phone, "customer").await;
    app.delete("/api/auth/me")
        .bearer(&here.access_token)
        .send()
        .await
        .expect(204);

    for person in [&here, &there] {
        me(&app, &person.access_token)
            .await
            .problem("unauthenticated", 401);
        refresh(&app, &person.refresh_token)
            .await
            .problem("refresh_invalid", 401);
    }
    show(&app, &pending, OTP_CODE)
        .await
        .problem("otp_expired", 410);
    let dump = "SELECT coalesce((SELECT json_agg(u)::text FROM users u), '')
                    || coalesce((SELECT json_agg(o)::text FROM auth_otps o), '')
                    || coalesce((SELECT json_agg(s)::text FROM auth_sessions s), '')";
    let stored: String = app.database.row(dump, &[]).await.get(0);
    assert!(stored.contains(&here.user_id.to_string()), "the row stays");
    assert!(
        !stored.contains(phone.trim_start_matches('+')),
        "the phone is gone"
    );
    assert!(!stored.contains(&here.display_name), "the name is gone");
    let reasons = "SELECT DISTINCT revoke_reason FROM auth_sessions";
    assert_eq!(
        app.database.row(reasons, &[]).await.get::<_, &str>(0),
        "account_closed"
    );
}

#[tokio::test]
async fn closing_it_erases_what_its_devices_said_of_themselves() {
    let app = start().await;
    let phone = fresh_phone();
    let mut person = None;
    for name in ["Sari's old phone", "Sari's new phone"] {
        let id = otp(&app, &phone, "customer").await;
        let device = json!({"platform": "android", "name": name, "app_version": "1.2.3"});
        let body = json!({"otp_id": id, "code": OTP_CODE, "device": device});
        let answer = app.post("/api/auth/otp/verify").json(&body).send().await;
        person = Some(testing::signed_in(&answer.expect(200).json()));
        app.clock.advance(seconds(30));
        if name.contains("old") {
            // A session that ended before is still a row.
            let token = person.as_ref().unwrap().access_token.clone();
            let call = app.post("/api/auth/logout").bearer(&token);
            call.send().await.expect(204);
        }
    }
    let close = app
        .delete("/api/auth/me")
        .bearer(&person.unwrap().access_token);
    close.send().await.expect(204);
    let left = "SELECT count(*) FROM auth_sessions
                 WHERE coalesce(device_platform, device_name, device_app_version) IS NOT NULL";
    assert_eq!(app.database.row(left, &[]).await.get::<_, i64>(0), 0);
    let kept = "SELECT count(*) FROM auth_sessions";
    assert_eq!(app.database.row(kept, &[]).await.get::<_, i64>(0), 2);
}

#[tokio::test]
async fn the_phone_of_a_closed_account_may_begin_anew() {
    let app = start().await;
    let phone = fresh_phone();
    let before = sign_in(&app, Role::Customer, &phone).await;
    app.delete("/api/auth/me")
        .bearer(&before.access_token)
        .send()
        .await
        .expect(204);
    // Closing does not set the limits back.
    ask(&app, &phone, "customer")
        .await
        .problem("rate_limited", 429);
    app.clock.advance(seconds(30));
    let id = otp(&app, &phone, "customer").await;
    let user = show(&app, &id, OTP_CODE).await.expect(200).json()["user"].clone();
    assert_eq!(user["is_new"], true);
    assert_ne!(user["id"], before.user_id.to_string());
}

#[tokio::test]
async fn no_session_outlives_its_account() {
    let plan = TestApp::with(ENTRIES).env("OTP_RESEND_SECONDS", "0");
    let app = plan.env("OTP_PHONE_HOURLY", "100").start().await;
    for _ in 0..10 {
        let phone = fresh_phone();
        let person = sign_in(&app, Role::Customer, &phone).await;
        let id = otp(&app, &phone, "customer").await;
        let close = app
            .delete("/api/auth/me")
            .bearer(&person.access_token)
            .send();
        let (closed, signed_in) = tokio::join!(close, show(&app, &id, OTP_CODE));
        closed.expect(204);
        // Before the closing it is a sign-in of the old account, after it the code is gone.
        assert!(
            [200, 410].contains(&signed_in.status.as_u16()),
            "{signed_in}"
        );
    }
    let orphans = "SELECT count(*) FROM auth_sessions s JOIN users u ON u.id = s.user_id
                    WHERE s.revoked_at IS NULL AND NOT u.is_active";
    assert_eq!(app.database.row(orphans, &[]).await.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_mitra_that_closed_its_account_is_not_registered() {
    let app = start().await;
    let phone = fresh_phone();
    testing::register_mitra(&app, &phone, "Ayu").await;
    let mitra = sign_in(&app, Role::Mitra, &phone).await;
    app.delete("/api/auth/me")
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(204);
    app.clock.advance(seconds(30));
    let id = otp(&app, &phone, "mitra").await;
    show(&app, &id, OTP_CODE)
        .await
        .problem("mitra_not_registered", 403);
}

#[tokio::test]
async fn nobody_is_shown_nothing() {
    let app = start().await;
    app.get("/api/auth/me")
        .send()
        .await
        .problem("unauthenticated", 401);
    app.patch("/api/auth/me")
        .json(&json!({}))
        .send()
        .await
        .problem("unauthenticated", 401);
    app.delete("/api/auth/me")
        .send()
        .await
        .problem("unauthenticated", 401);
    app.post("/api/auth/logout")
        .send()
        .await
        .problem("unauthenticated", 401);
    app.get("/api/auth/sessions")
        .send()
        .await
        .problem("unauthenticated", 401);
}
