//! Access tokens: which are taken, which are not, and what it costs.

use halobestie_auth::testing::{self, SignedIn};
use halobestie_testkit::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::forge::{SECRET, claims, hs256, hs512, opened, unsigned, with};
use crate::server::{ENTRIES, me, refresh, seconds, text};

async fn start() -> (TestApp, SignedIn) {
    let app = TestApp::with(ENTRIES)
        .env("AUTH_JWT_SECRET", SECRET)
        .start()
        .await;
    let person = testing::customer(&app).await;
    (app, person)
}

fn header(alg: &str) -> Value {
    json!({"alg": alg, "typ": "JWT"})
}

#[tokio::test]
async fn a_token_says_who_until_when_and_no_more() {
    let (app, person) = start().await;
    let (header, claims) = opened(&person.access_token);
    assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
    let now = app.clock.now().unix_seconds();
    let sid = claims["sid"].clone();
    assert!(text(&claims, "sid").parse::<Uuid>().is_ok());
    let expected = json!({
        "iss": "halobestie", "sub": person.user_id, "role": "customer", "sid": sid,
        "iat": now, "exp": now + 900,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let (app, person) = start().await;
    let claims = claims(person.user_id, app.clock.now());
    // What the others differ from is taken.
    me(&app, &hs256(&header("HS256"), &claims, SECRET))
        .await
        .expect(200);

    let hour = app.clock.now().unix_seconds() + 3600;
    let forged = [
        ("none", unsigned(&header("none"), &claims)),
        ("None", unsigned(&header("None"), &claims)),
        ("none, signed", hs256(&header("none"), &claims, SECRET)),
        (
            "no algorithm",
            hs256(&json!({"typ": "JWT"}), &claims, SECRET),
        ),
        ("unsigned", unsigned(&header("HS256"), &claims)),
        (
            "RS256 with our secret",
            hs256(&header("RS256"), &claims, SECRET),
        ),
        ("HS384 as 256", hs256(&header("HS384"), &claims, SECRET)),
        (
            "HS512 with our secret",
            hs512(&header("HS512"), &claims, SECRET),
        ),
        ("HS512 as 256", hs512(&header("HS256"), &claims, SECRET)),
        (
            "another secret",
            hs256(
                &header("HS256"),
                &claims,
                "a secret of somebody else's server",
            ),
        ),
        ("an empty secret", hs256(&header("HS256"), &claims, "")),
    ];
    for (what, token) in forged {
        let answer = me(&app, &token).await;
        assert_eq!(answer.status, 401, "{what}: {answer}");
        answer.problem("unauthenticated", 401);
    }
    let wrong_claims = [
        ("iss", json!("somebody-else")),
        ("iss", Value::Null),
        ("sub", json!("not an id")),
        ("sub", Value::Null),
        ("role", json!("superuser")),
        ("role", Value::Null),
        ("sid", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("exp", json!(i64::MAX)),
        ("iat", Value::Null),
        ("iat", json!(hour)),
        ("nbf", json!(hour)),
        ("nbf", json!("tomorrow")),
    ];
    for (claim, value) in wrong_claims {
        let what = format!("{claim} = {value}");
        let token = hs256(
            &header("HS256"),
            &with(claims.clone(), claim, value),
            SECRET,
        );
        let answer = me(&app, &token).await;
        assert_eq!(answer.status, 401, "{what}: {answer}");
        answer.problem("unauthenticated", 401);
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let (app, person) = start().await;
    let token = &person.access_token;
    let (body, _) = token.rsplit_once('.').unwrap();
    let long = "x".repeat(7_000);
    for text in [
        "",
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "..",
        body,
        &format!("{token}.x"),
        &long,
    ] {
        me(&app, text).await.problem("unauthenticated", 401);
    }
    app.get("/api/auth/me")
        .send()
        .await
        .problem("unauthenticated", 401);
    let basic = app
        .get("/api/auth/me")
        .header("authorization", "Basic YTpi")
        .send()
        .await;
    basic.problem("unauthenticated", 401);
    me(&app, &person.refresh_token)
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_token_ends_with_its_life() {
    let (app, person) = start().await;
    app.clock.advance(seconds(899));
    me(&app, &person.access_token).await.expect(200);
    app.clock.advance(seconds(1));
    me(&app, &person.access_token)
        .await
        .problem("token_expired", 401);
    let tokens = refresh(&app, &person.refresh_token)
        .await
        .expect(200)
        .json();
    me(&app, &text(&tokens, "access_token")).await.expect(200);
}

#[tokio::test]
async fn an_expired_forgery_does_not_learn_that_it_expired() {
    let (app, person) = start().await;
    let old = with(claims(person.user_id, app.clock.now()), "exp", json!(1));
    me(&app, &hs256(&header("HS256"), &old, SECRET))
        .await
        .problem("token_expired", 401);
    let forged = hs256(&header("HS256"), &old, "a secret of somebody else's server");
    me(&app, &forged).await.problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_secret_can_be_rotated_without_signing_anyone_out() {
    const NEXT: &str = "the secret that comes after the first one";
    let (app, person) = start().await;
    let rotated = app.another().env("AUTH_JWT_SECRET", NEXT);
    let both = rotated
        .clone()
        .env("AUTH_JWT_PREVIOUS_SECRETS", SECRET)
        .start()
        .await;
    me(&both, &person.access_token).await.expect(200);
    let tokens = refresh(&both, &person.refresh_token)
        .await
        .expect(200)
        .json();

    let after = rotated.start().await;
    me(&after, &person.access_token)
        .await
        .problem("unauthenticated", 401);
    me(&after, &text(&tokens, "access_token")).await.expect(200);
    refresh(&after, &text(&tokens, "refresh_token"))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_lost_answer_across_a_rotation_of_secrets_is_given_again() {
    const NEXT: &str = "the secret that comes after the first one";
    let (app, person) = start().await;
    let first = refresh(&app, &person.refresh_token)
        .await
        .expect(200)
        .json();
    let rotated = app.another().env("AUTH_JWT_SECRET", NEXT);
    let both = rotated
        .env("AUTH_JWT_PREVIOUS_SECRETS", SECRET)
        .start()
        .await;
    let again = refresh(&both, &person.refresh_token)
        .await
        .expect(200)
        .json();
    assert_eq!(again["refresh_token"], first["refresh_token"]);
}

#[tokio::test]
async fn a_token_is_judged_without_postgres() {
    let (app, person) = start().await;
    let authenticator = app.context().ports.authenticator.get().unwrap();
    let before = app.statement_count();
    let principal = authenticator.authenticate(&person.access_token).unwrap();
    assert_eq!(principal.user_id, person.user_id);
    assert!(authenticator.authenticate("not a token").is_err());
    assert_eq!(app.statement_count(), before);
}
