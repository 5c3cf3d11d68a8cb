//! Signing in by a link.

use std::sync::Arc;

use halobestie_auth::testing::signed_in;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::server::{ask, fresh_email, seconds, sign_in, start, text, token, verify};

#[tokio::test]
async fn the_first_verified_link_makes_a_customer() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let token = token(&app, &mail, &email).await;
    let answer = verify(&app, &token).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    let user = &tokens["user"];
    assert_eq!(
        (&user["role"], &user["email"]),
        (&json!("customer"), &json!(email))
    );
    assert_eq!(
        (&user["is_new"], &user["phone"]),
        (&json!(true), &Value::Null)
    );
    let me = app
        .get("/api/auth/me")
        .bearer(&text(&tokens, "access_token"));
    assert_eq!(me.send().await.expect(200).json()["id"], user["id"]);
    let refresh = json!({"refresh_token": text(&tokens, "refresh_token")});
    app.post("/api/auth/refresh")
        .json(&refresh)
        .send()
        .await
        .expect(200);

    app.clock.advance(seconds(30));
    let again = sign_in(&app, &mail, &email).await;
    assert_eq!(again["user"]["id"], user["id"]);
    assert_eq!(again["user"]["is_new"], false);
}

#[tokio::test]
async fn a_link_is_good_once() {
    let (app, mail) = start().await;
    let token = token(&app, &mail, &fresh_email()).await;
    verify(&app, &token).await.expect(200);
    verify(&app, &token)
        .await
        .problem("email_link_expired", 410);
}

#[tokio::test]
async fn a_link_shown_to_two_replicas_at_once_is_good_once() {
    let (app, mail) = start().await;
    let app = Arc::new(app);
    let replica = Arc::new(app.replica().await);
    let token = token(&app, &mail, &fresh_email()).await;
    let mut showing = JoinSet::new();
    for index in 0..20 {
        let app = if index % 2 == 0 { &app } else { &replica }.clone();
        let token = token.clone();
        showing.spawn(async move { verify(&app, &token).await.status.as_u16() });
    }
    let mut statuses = showing.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|it| *it == 410), "{statuses:?}");
}

#[tokio::test]
async fn two_first_sign_ins_at_once_make_one_account() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let one = token(&app, &mail, &email).await;
    app.clock.advance(seconds(30));
    let other = token(&app, &mail, &email).await;
    let (one, other) = tokio::join!(verify(&app, &one), verify(&app, &other));
    let (one, other) = (one.expect(200).json(), other.expect(200).json());
    assert_eq!(one["user"]["id"], other["user"]["id"]);
    let new = [&one, &other].map(|it| it["user"]["is_new"] == true);
    assert_eq!(new.into_iter().filter(|it| *it).count(), 1);
}

#[tokio::test]
async fn a_link_ends_after_a_quarter_of_an_hour() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let one = token(&app, &mail, &email).await;
    app.clock.advance(seconds(15 * 60 - 1));
    verify(&app, &one).await.expect(200);
    let other = token(&app, &mail, &email).await;
    app.clock.advance(seconds(15 * 60));
    verify(&app, &other)
        .await
        .problem("email_link_expired", 410);
}

#[tokio::test]
async fn what_is_no_token_opens_nothing_and_looks_like_an_old_one() {
    let (app, mail) = start().await;
    let token = token(&app, &mail, &fresh_email()).await;
    let other = format!("{}A", &token[..42]);
    for wrong in [
        "",
        "x",
        &token[1..],
        &other,
        &"A".repeat(43),
        &"A".repeat(10_000),
    ] {
        if wrong != token {
            verify(&app, wrong).await.problem("email_link_expired", 410);
        }
    }
    let call = app.post("/api/auth/email/verify").json(&json!({}));
    call.send().await.problem("validation_failed", 422);
    verify(&app, &token).await.expect(200);
}

#[tokio::test]
async fn a_disabled_account_is_told_so_and_the_link_is_used() {
    let (app, mail) = start().await;
    let email = fresh_email();
    sign_in(&app, &mail, &email).await;
    app.clock.advance(seconds(30));
    let token = token(&app, &mail, &email).await;
    app.database
        .execute("UPDATE users SET is_active = false", &[])
        .await;
    verify(&app, &token).await.problem("account_disabled", 403);
    verify(&app, &token)
        .await
        .problem("email_link_expired", 410);
    let sessions = "SELECT count(*) FROM auth_sessions";
    assert_eq!(app.database.row(sessions, &[]).await.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn the_device_is_shown_in_the_list_of_sessions() {
    let (app, mail) = start().await;
    let token = token(&app, &mail, &fresh_email()).await;
    let too_long = json!({"token": token, "device": {"platform": "ios", "name": "x".repeat(101)}});
    let call = app.post("/api/auth/email/verify").json(&too_long);
    let problem = call.send().await.problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "device.name");
    let shown = json!({"token": token, "device": {"platform": "ios", "name": "Sari's"}});
    let call = app.post("/api/auth/email/verify").json(&shown);
    let person = signed_in(&call.send().await.expect(200).json());
    let sessions = app.get("/api/auth/sessions").bearer(&person.access_token);
    let sessions = sessions.send().await.expect(200).json();
    assert_eq!(sessions["items"][0]["device"]["name"], "Sari's");
}

#[tokio::test]
async fn an_admins_email_makes_a_customer_and_no_admin() {
    let (app, mail) = start().await;
    let email = fresh_email();
    halobestie_auth::testing::register_admin(&app, &email, "a fine password").await;
    let tokens = sign_in(&app, &mail, &email).await;
    assert_eq!(tokens["user"]["role"], "customer");
    assert_eq!(tokens["user"]["is_new"], true);
    ask(&app, &email).await.problem("rate_limited", 429);
}
