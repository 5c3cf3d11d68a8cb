//! The one character that Postgres does not keep, by every way in: refused by its place, and never a 500.

use halobestie_core::ports::AdminRole;
use http::Method;
use serde_json::{Value, json};

use crate::forms::{send, shown};
use crate::pages::cookie;
use crate::server::{session, world};

const NOWHERE: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn no_filter_takes_a_nul() {
    let world = world().await;
    for path in [
        "mitras?q",
        "customers?q",
        "audit?action",
        "audit?subject",
        "sessions?status",
        "payments?sort",
    ] {
        let path = format!("/api/admin/{path}=a%00b");
        let answer = world.call(&world.viewer, Method::GET, &path).send().await;
        let problem = answer.problem("validation_failed", 422);
        let name = path.split(['?', '=']).nth(1).unwrap();
        assert_eq!(problem["errors"][0]["field"], name, "{path}");
    }
    let cookie = cookie(&world.app, AdminRole::Owner).await;
    for path in [
        "/mitras?q",
        "/customers?q",
        "/sessions?customer",
        "/requests?mitra",
        "/reports?person",
        "/audit?subject",
        "/config?q",
    ] {
        let answer = shown(&world.app, &cookie, &format!("{path}=%00")).await;
        assert_eq!(answer.status, 422, "{path}");
    }
}

#[tokio::test]
async fn no_form_takes_a_nul() {
    let world = world().await;
    let app = &world.app;
    for form in ["email=a%00&password=b", "email=a&password=b%00"] {
        send(app, "", "/sign-in", form).await.expect(422);
    }
    let cookie = cookie(app, AdminRole::Owner).await;
    for (path, form) in [
        ("/mitras", "phone=081234567890&display_name=%00"),
        ("/config/pairing.wave_size", "value=%00"),
        ("/account", "current=%00&new=a+fine+password"),
        (
            &format!("/payments/{NOWHERE}/refund"),
            "reason=x&key=%00&amount=",
        ),
    ] {
        send(app, &cookie, path, form).await.expect(422);
    }
}

#[tokio::test]
async fn no_body_takes_a_nul_whoever_sends_it() {
    let world = world().await;
    let app = &world.app;
    let (_, customer, id) = session(app).await;
    let login = app.internal_post("/api/admin/auth/login");
    let login = login.json(&json!({"email": "a\0", "password": "b"}));
    let mut refused = vec![("email", login.send().await)];
    let owner = |method, path: &str, body: Value| {
        let path = format!("/api/admin/{path}");
        world.call(&world.owner, method, &path).json(&body).send()
    };
    let mut prices =
        json!([{"id": "a", "name": "\0", "minutes": 5, "amount": 1, "currency": "IDR"}]);
    let put = owner(
        Method::PUT,
        "config/packages",
        json!({"value": prices.take()}),
    );
    refused.push(("value[0].name", put.await));
    let made = json!({"phone": "081234567890", "display_name": "A\0"});
    refused.push(("display_name", owner(Method::POST, "mitras", made).await));
    let theirs = |method, path: &str, body: Value| {
        let call = app.call(method, path).bearer(&customer.access_token);
        call.json(&body).send()
    };
    let named = theirs(
        Method::PATCH,
        "/api/auth/me",
        json!({"display_name": "A\0"}),
    );
    refused.push(("display_name", named.await));
    let message = json!({"client_message_id": "a", "kind": "text", "body": "hello\0"});
    let path = format!("/api/chat/sessions/{id}/messages");
    refused.push(("body", theirs(Method::POST, &path, message).await));
    let report = json!({"reason": "rude", "details": "\0"});
    let path = format!("/api/chat/sessions/{id}/report");
    refused.push(("details", theirs(Method::POST, &path, report).await));
    for (field, answer) in refused {
        let problem = answer.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    // What only looks like one is text.
    let named = theirs(
        Method::PATCH,
        "/api/auth/me",
        json!({"display_name": r"\u0000"}),
    );
    assert_eq!(named.await.expect(200).json()["display_name"], r"\u0000");
}
