//! What two do at once or one after the other, and what is written down of it.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::TestResponse;
use http::Method;
use serde_json::{Value, json};

use crate::forms::{send, shown};
use crate::pages::cookie;
use crate::server::{World, say, session, world};

/// What `testing::admin_as` gives.
const BEFORE: &str = "a fine password";
const PASSWORD: &str = "another fine one";

#[tokio::test]
async fn two_who_end_a_session_at_once_leave_one_row() {
    let world = world().await;
    let (_, _, id) = session(&world.app).await;
    let path = format!("/api/admin/sessions/{id}/end");
    let end = || world.act(Method::POST, &path, json!({}));
    let (one, other, third) = tokio::join!(end(), end(), end());
    for ended in [one, other, third] {
        assert_eq!(ended.expect(200).json()["end_reason"], "admin_ended");
    }
    let deeds = world.deeds("session.end").await;
    assert_eq!(deeds.len(), 1, "{deeds:?}");
    assert_eq!(deeds[0]["before"], json!({"status": "active"}));
}

#[tokio::test]
async fn what_ended_before_the_admin_came_is_called_so() {
    let world = world().await;
    let (_, customer, id) = session(&world.app).await;
    say(&world.app, &customer, &id, "hello").await;
    // Its time is over, and the worker has not seen it: the clock stands still.
    let sql = "UPDATE chat_sessions SET expires_at = started_at";
    world.app.database.execute(sql, &[]).await;
    let path = format!("/api/admin/sessions/{id}/end");
    let ended = world.act(Method::POST, &path, json!({})).await.expect(200);
    assert_eq!(ended.json()["end_reason"], "expired");
    let deeds = world.deeds("session.end").await;
    let after = json!({"status": "ended", "end_reason": "expired"});
    assert_eq!(deeds[0]["after"], after);
    assert_eq!(deeds.len(), 1);
}

#[tokio::test]
async fn deeds_and_changes_are_sorted_and_found_by_their_time() {
    let world = world().await;
    let mut times = Vec::new();
    for value in 1..=3 {
        world.app.clock.advance(Duration::from_secs(60));
        times.push(world.app.clock.now());
        let body = json!({"value": value});
        let set = world.act(Method::PUT, "/api/admin/config/pairing.wave_size", body);
        set.await.expect(200);
    }
    for (path, member) in [
        ("/api/admin/audit?", "after"),
        ("/api/admin/config/pairing.wave_size/history?", "to"),
    ] {
        let values = async |query: &str| {
            let page = world.get(&format!("{path}{query}")).await;
            let items = page["items"].as_array().unwrap().clone();
            let values: Vec<i64> = items
                .iter()
                .map(|it| it[member].as_i64().unwrap())
                .collect();
            (values, page["next_cursor"].clone())
        };
        assert_eq!(values("").await.0, [3, 2, 1]);
        assert_eq!(values("sort=oldest").await.0, [1, 2, 3]);
        let (first, next) = values("sort=oldest&limit=2").await;
        assert_eq!(first, [1, 2]);
        let next = format!("sort=oldest&limit=2&cursor={}", next.as_str().unwrap());
        assert_eq!(values(&next).await.0, [3]);
        let wrong = format!("{path}sort=loudest");
        let wrong = world.call(&world.viewer, Method::GET, &wrong).send().await;
        wrong.problem("validation_failed", 422);
    }
    let between = format!("/api/admin/audit?since={}&until={}", times[1], times[2]);
    let found = world.get(&between).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["after"], 2);
    let cookie = cookie(&world.app, AdminRole::Viewer).await;
    let today = &world.app.clock.now().to_string()[..10];
    for (query, count) in [
        (format!("since={today}&until={today}&sort=oldest"), 3),
        ("until=2020-01-01".to_owned(), 0),
    ] {
        let text = shown(&world.app, &cookie, &format!("/audit?{query}")).await;
        let text = text.expect(200).text();
        assert_eq!(text.matches(">config.update</th>").count(), count);
    }
}

#[tokio::test]
async fn a_closed_account_is_a_word_and_no_link_to_nowhere() {
    let world = world().await;
    let (mitra, customer, id) = session(&world.app).await;
    let close = world
        .app
        .delete("/api/auth/me")
        .bearer(&customer.access_token);
    close.send().await.expect(204);
    let seen = world.get(&format!("/api/admin/sessions/{id}")).await;
    assert_eq!(seen["customer"]["is_closed"], true);
    assert_eq!(seen["mitra"]["is_closed"], false);
    let cookie = cookie(&world.app, AdminRole::Viewer).await;
    for path in ["/sessions", &format!("/sessions/{id}")] {
        let text = shown(&world.app, &cookie, path).await.expect(200).text();
        assert!(text.contains("closed account"), "{path}: {text}");
        let (there, gone) = (mitra.user_id, customer.user_id);
        assert!(text.contains(&format!("href=\"/mitras/{there}\"")));
        assert!(!text.contains(&format!("href=\"/customers/{gone}\"")));
    }
}

/// A report with evidence; its path in the API.
async fn reported(world: &World) -> String {
    let (mitra, customer, session_id) = session(&world.app).await;
    say(&world.app, &mitra, &session_id, "something rude").await;
    let path = format!("/api/chat/sessions/{session_id}/report");
    let made = world.app.post(&path).bearer(&customer.access_token);
    let made = made.json(&json!({"reason": "rude"})).send().await;
    let id = made.expect(201).json()["id"].clone();
    format!("/api/admin/reports/{}", id.as_str().unwrap())
}

#[tokio::test]
async fn evidence_is_read_by_nobody_without_a_row() {
    let world = world().await;
    let path = reported(&world).await;
    world.get("/api/admin/reports").await;
    assert_eq!(world.deeds("report.read").await.len(), 0);
    let shown_here = world.get(&path).await;
    assert_eq!(shown_here["evidence"][0]["body"], "something rude");
    // The order of deeds is that of their milliseconds.
    world.app.clock.advance(Duration::from_millis(1));
    let cookie = cookie(&world.app, AdminRole::Viewer).await;
    let page = path.replace("/api/admin", "");
    let text = shown(&world.app, &cookie, &page).await.expect(200).text();
    assert!(text.contains("something rude"));
    let deeds = world.deeds("report.read").await;
    assert_eq!(deeds.len(), 2);
    let subject = path.replace("/api/admin/reports/", "report:");
    assert_eq!(deeds[1]["subject"], json!(subject));
    assert_eq!(deeds[1]["admin"]["id"], json!(world.viewer.user_id));
    // Nor by the answer of a change.
    let changed = world.act(Method::PATCH, &path, json!({})).await.expect(200);
    assert_eq!(changed.json()["evidence"], json!([]));
    // Where no row can be written, nothing is shown.
    let sql = "ALTER TABLE audit_log ADD CONSTRAINT broken CHECK (false) NOT VALID";
    world.app.database.execute(sql, &[]).await;
    let refused = world.call(&world.viewer, Method::GET, &path).send().await;
    assert!(refused.status.is_server_error(), "{refused}");
    let refused = shown(&world.app, &cookie, &page).await;
    assert!(refused.status.is_server_error(), "{refused}");
    assert!(!refused.text().contains("something rude"));
}

#[tokio::test]
async fn a_report_is_closed_with_a_note_and_nothing_new_is_no_change() {
    let world = world().await;
    let path = reported(&world).await;
    let change = |body: Value| world.act(Method::PATCH, &path, body);
    for body in [
        json!({"status": "resolved"}),
        json!({"status": "dismissed", "note": "  "}),
    ] {
        let problem = change(body).await.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "note");
    }
    for body in [json!({}), json!({"status": "open"})] {
        let same = change(body).await.expect(200).json();
        assert_eq!(
            (&same["status"], &same["handled_by"]),
            (&json!("open"), &Value::Null)
        );
    }
    assert_eq!(world.deeds("report.update").await.len(), 0);
    change(json!({"note": "I call her"})).await.expect(200);
    // What is written already is enough.
    let closed = change(json!({"status": "resolved"})).await.expect(200);
    assert_eq!(closed.json()["note"], "I call her");
    change(json!({"status": "resolved"})).await.expect(200);
    assert_eq!(world.deeds("report.update").await.len(), 2);
    let bare = change(json!({"note": ""})).await;
    bare.problem("validation_failed", 422);
}

#[tokio::test]
async fn a_name_that_means_too_many_people_is_asked_to_be_longer() {
    let world = world().await;
    let cookie = cookie(&world.app, AdminRole::Viewer).await;
    let people = async |from: i32, to: i32| {
        let sql = "INSERT INTO users (id, role, phone, display_name, created_at)
            SELECT gen_random_uuid(), 'customer', '+62812' || (1000000 + n), 'Ayu ' || n, now()
              FROM generate_series($1::int, $2::int) n";
        world.app.database.execute(sql, &[&from, &to]).await;
    };
    people(1, 200).await;
    let search = |path: &'static str| shown(&world.app, &cookie, path);
    search("/sessions?customer=ayu").await.expect(200);
    people(201, 201).await;
    for path in ["/sessions?customer=ayu", "/reports?person=ayu"] {
        let text = search(path).await.expect(422).text();
        assert!(text.contains("more than 200 people"), "{text}");
    }
    search("/sessions?customer=ayu+20").await.expect(200);
    // No digit is no number, and a part of none.
    for nothing in ["%2B", "-", "0"] {
        let found = world
            .get(&format!("/api/admin/customers?q={nothing}"))
            .await;
        assert_eq!(found["items"], json!([]), "{nothing}");
    }
}

#[tokio::test]
async fn offers_to_a_mitra_are_searched_among_days_and_the_page_says_so() {
    let world = world().await;
    let (mitra, _, _) = session(&world.app).await;
    let path = format!("/api/admin/requests?mitra_id={}", mitra.user_id);
    let count = async |more: &str| {
        let page = world.get(&format!("{path}{more}")).await;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 1);
    let then = world.app.clock.now();
    world.app.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let viewer = testing::admin_as(&world.app, AdminRole::Viewer).await;
    let count = async |more: &str| {
        let call = world.call(&viewer, Method::GET, &format!("{path}{more}"));
        let page = call.send().await.expect(200).json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 0, "older than what is searched");
    let until = then + Duration::from_secs(3600);
    assert_eq!(count(&format!("&since={then}&until={until}")).await, 1);
    let long = format!("{path}&since={then}");
    let long = world.call(&viewer, Method::GET, &long).send().await;
    let problem = long.problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "since");
    assert_eq!(count("&since=").await, 0);
    let cookie = cookie(&world.app, AdminRole::Viewer).await;
    let page = format!("/requests?mitra={}", mitra.user_id);
    let text = shown(&world.app, &cookie, &page).await.expect(200).text();
    assert!(text.contains("Of the last 7 days"), "{text}");
    let text = shown(&world.app, &cookie, "/requests").await.expect(200);
    assert!(!text.text().contains("Of the last 7 days"));
}

#[tokio::test]
async fn a_mitra_whose_seat_alone_is_off_is_activated_again() {
    let world = world().await;
    let mitra = testing::mitra(&world.app).await;
    let online = world.app.post("/api/mitra/status/online");
    online.bearer(&mitra.access_token).send().await.expect(200);
    let sql = "UPDATE mitras SET is_active = false, is_online = false";
    world.app.database.execute(sql, &[]).await;
    let path = format!("/api/admin/mitras/{}", mitra.user_id);
    assert_eq!(world.get(&path).await["is_active"], false);
    let body = json!({"is_active": true});
    let on = world.act(Method::PATCH, &path, body.clone()).await;
    let on = on.expect(200).json();
    assert_eq!(
        (&on["is_active"], &on["standing"]),
        (&json!(true), &json!("offline"))
    );
    let deeds = world.deeds("mitra.update").await;
    assert_eq!(deeds[0]["before"], json!({"is_active": false}));
    world.act(Method::PATCH, &path, body).await.expect(200);
    assert_eq!(world.deeds("mitra.update").await.len(), 1);
}

/// What the form of a price list holds, with this price.
fn prices(was: &str, amount: i64) -> String {
    let fields = [
        ("was", was.to_owned()),
        ("value[0].id", "5m".to_owned()),
        ("value[0].name", "5 minutes".to_owned()),
        ("value[0].minutes", "5".to_owned()),
        ("value[0].amount", amount.to_string()),
        ("value[0].currency", "IDR".to_owned()),
        ("button", "save".to_owned()),
    ];
    serde_urlencoded::to_string(fields).unwrap()
}

/// What the form says that it was made from.
fn was_of(text: &str) -> String {
    let (_, rest) = text.split_once(r#"name="was" value=""#).expect("it says");
    let (value, _) = rest.split_once('"').unwrap();
    value.replace("&#34;", "\"")
}

#[tokio::test]
async fn of_two_owners_with_the_same_form_the_second_is_told() {
    let world = world().await;
    let app = &world.app;
    let cookie = cookie(app, AdminRole::Owner).await;
    let page = "/config/packages";
    let was = was_of(&shown(app, &cookie, page).await.expect(200).text());
    let save = |amount| {
        let form = prices(&was, amount);
        let cookie = cookie.clone();
        async move { send(app, &cookie, page, &form).await }
    };
    save(7_000).await.expect(303);
    let text = save(9_000).await.expect(409).text();
    assert!(text.contains("has changed this meanwhile"), "{text}");
    assert!(text.contains(r#"value="7000""#), "what is kept is shown");
    assert!(!text.contains(r#"value="9000""#));
    // From what is shown now it goes on.
    let form = prices(&was_of(&text), 9_000);
    send(app, &cookie, page, &form).await.expect(303);
    let put = |was: Option<i64>| {
        let list = |amount: i64| {
            json!([{
                "id": "5m", "name": "5 minutes", "minutes": 5, "amount": amount, "currency": "IDR",
            }])
        };
        let body = json!({"value": list(5_000), "was": was.map(list)});
        let path = "/api/admin/config/packages";
        world
            .call(&world.owner, Method::PUT, path)
            .json(&body)
            .send()
    };
    put(Some(7_000)).await.problem("setting_changed", 409);
    put(Some(9_000)).await.expect(200);
    put(None).await.expect(200);
    assert_eq!(world.deeds("config").await.len(), 4);
}

async fn change_password(world: &World, current: &str, new: &str) -> TestResponse {
    let path = "/api/admin/auth/password";
    let body = json!({"current": current, "new": new});
    let call = world.call(&world.viewer, Method::POST, path);
    call.json(&body).send().await
}

#[tokio::test]
async fn an_own_password_is_changed_and_ends_every_other_session() {
    let world = world().await;
    let sql = "SELECT email FROM users WHERE id = $1";
    let row = world.app.database.row(sql, &[&world.viewer.user_id]).await;
    let email: String = row.get(0);
    let login = |password: &str| {
        let body = json!({"email": email, "password": password});
        world
            .app
            .internal_post("/api/admin/auth/login")
            .json(&body)
            .send()
    };
    let other = testing::signed_in(&login(BEFORE).await.expect(200).json());
    for (current, new, field) in [("not mine", PASSWORD, "current"), (BEFORE, "short", "new")] {
        let refused = change_password(&world, current, new).await;
        let problem = refused.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let changed = change_password(&world, BEFORE, PASSWORD).await;
    changed.expect(204);
    world.get("/api/admin/dashboard").await;
    let gone = world.call(&other, Method::GET, "/api/admin/dashboard");
    gone.send().await.problem("unauthenticated", 401);
    let deeds = world.deeds("admin.password").await;
    assert_eq!(deeds.len(), 1);
    assert_eq!(deeds[0]["admin"]["id"], json!(world.viewer.user_id));
    let kept = deeds[0].to_string();
    assert!(!kept.contains(PASSWORD) && !kept.contains("$2b$"), "{kept}");
    login(BEFORE).await.problem("invalid_credentials", 401);
    login(PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_own_password_is_not_guessed_by_whoever_has_the_session() {
    let world = world().await;
    for _ in 0..5 {
        let refused = change_password(&world, "guessed", PASSWORD).await;
        refused.problem("validation_failed", 422);
    }
    let limited = change_password(&world, "guessed", PASSWORD).await;
    limited.problem("rate_limited", 429);
}
