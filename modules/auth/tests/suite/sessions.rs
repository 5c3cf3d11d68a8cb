//! The list of signed-in devices, and signing one of them out.

use halobestie_auth::testing::{self, OTP_CODE, SignedIn, fresh_phone, sign_in, signed_in};
use halobestie_core::ports::Role;
use halobestie_testkit::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{me, otp, refresh, seconds, start, text};

async fn list(app: &TestApp, person: &SignedIn, query: &str) -> Value {
    let path = format!("/api/auth/sessions{query}");
    app.get(&path)
        .bearer(&person.access_token)
        .send()
        .await
        .expect(200)
        .json()
}

async fn end(app: &TestApp, person: &SignedIn, id: &str) -> halobestie_testkit::TestResponse {
    app.delete(&format!("/api/auth/sessions/{id}"))
        .bearer(&person.access_token)
        .send()
        .await
}

#[tokio::test]
async fn a_device_is_listed_as_it_described_itself() {
    let app = start().await;
    let otp_id = otp(&app, &fresh_phone(), "customer").await;
    let device = json!({"platform": "android", "name": "Pixel 9", "app_version": "1.4.0"});
    let body = json!({"otp_id": otp_id, "code": OTP_CODE, "device": device});
    let tokens = app
        .post("/api/auth/otp/verify")
        .json(&body)
        .send()
        .await
        .expect(200)
        .json();
    let person = signed_in(&tokens);
    let signed_in_at = app.clock.now();
    app.clock.advance(seconds(60));
    refresh(&app, &person.refresh_token).await.expect(200);
    let page = list(&app, &person, "").await;
    assert_eq!(page["next_cursor"], Value::Null);
    let expected = json!([{
        "id": page["items"][0]["id"],
        "current": true,
        "created_at": signed_in_at,
        "last_used_at": app.clock.now(),
        "expires_at": app.clock.now() + seconds(30 * 24 * 3600),
        "device": device,
    }]);
    assert_eq!(page["items"], expected);
}

#[tokio::test]
async fn the_list_is_the_callers_living_sessions_newest_first() {
    let app = start().await;
    testing::customer(&app).await;
    let phone = fresh_phone();
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(sign_in(&app, Role::Customer, &phone).await);
        app.clock.advance(seconds(30));
    }
    let page = list(&app, &people[0], "").await;
    let items = page["items"].as_array().unwrap();
    let current: Vec<bool> = items.iter().map(|it| it["current"] == true).collect();
    assert_eq!(current, [false, false, true]);
    app.post("/api/auth/logout")
        .bearer(&people[1].access_token)
        .send()
        .await
        .expect(204);
    assert_eq!(
        list(&app, &people[0], "").await["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn it_comes_in_pages() {
    let app = start().await;
    let phone = fresh_phone();
    let mut person = sign_in(&app, Role::Customer, &phone).await;
    for _ in 0..4 {
        app.clock.advance(seconds(30));
        person = sign_in(&app, Role::Customer, &phone).await;
    }
    let all = list(&app, &person, "").await["items"].clone();
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = list(&app, &person, &query).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(Value::Array(seen), all);
}

#[tokio::test]
async fn a_wrong_page_is_refused() {
    let app = start().await;
    let person = testing::customer(&app).await;
    for query in [
        "?limit=0",
        "?limit=101",
        "?limit=x",
        "?limit=-1",
        "?cursor=x",
        "?cursor=%00",
    ] {
        let path = format!("/api/auth/sessions{query}");
        let answer = app.get(&path).bearer(&person.access_token).send().await;
        answer.problem("validation_failed", 422);
    }
}

#[tokio::test]
async fn another_device_can_be_signed_out() {
    let app = start().await;
    let phone = fresh_phone();
    let lost = sign_in(&app, Role::Customer, &phone).await;
    app.clock.advance(seconds(30));
    let person = sign_in(&app, Role::Customer, &phone).await;
    let items = list(&app, &person, "").await["items"].clone();
    let lost_id = text(&items[1], "id");
    end(&app, &person, &lost_id).await.expect(204);
    me(&app, &lost.access_token)
        .await
        .problem("unauthenticated", 401);
    refresh(&app, &lost.refresh_token)
        .await
        .problem("refresh_invalid", 401);
    me(&app, &person.access_token).await.expect(200);
    end(&app, &person, &lost_id).await.problem("not_found", 404);
}

#[tokio::test]
async fn ones_own_session_can_be_ended_by_its_id() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let id = text(&list(&app, &person, "").await["items"][0], "id");
    end(&app, &person, &id).await.expect(204);
    me(&app, &person.access_token)
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn somebody_elses_session_is_not_there() {
    let app = start().await;
    let (person, other) = (testing::customer(&app).await, testing::customer(&app).await);
    let id = text(&list(&app, &other, "").await["items"][0], "id");
    end(&app, &person, &id).await.problem("not_found", 404);
    me(&app, &other.access_token).await.expect(200);
    end(&app, &person, &Uuid::nil().to_string())
        .await
        .problem("not_found", 404);
    end(&app, &person, "not-an-id")
        .await
        .problem("not_found", 404);
}
