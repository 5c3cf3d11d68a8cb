//! Mitras and customers.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_core::ports::Role;
use http::Method;
use serde_json::{Value, json};

use crate::server::{World, world};

async fn make(world: &World, phone: &str, name: &str) -> Value {
    // The order of accounts, and of deeds, is that of their milliseconds.
    world.app.clock.advance(Duration::from_millis(1));
    let body = json!({"phone": phone, "display_name": name, "max_sessions": 2});
    let made = world.act(Method::POST, "/api/admin/mitras", body).await;
    made.expect(201).json()
}

async fn change(world: &World, id: &Value, body: Value) -> Value {
    world.app.clock.advance(Duration::from_millis(1));
    let path = format!("/api/admin/mitras/{}", id.as_str().unwrap());
    let changed = world.act(Method::PATCH, &path, body).await;
    changed.expect(200).json()
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|it| it["display_name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_mitra_who_is_made_signs_in_and_goes_online() {
    let world = world().await;
    let made = make(&world, "0812-3456-7890", "  Ayu ").await;
    assert_eq!(made["phone"], "+6281234567890");
    assert_eq!(made["display_name"], "Ayu");
    assert_eq!(
        (&made["max_sessions"], &made["in_use"], &made["is_active"]),
        (&json!(2), &json!(0), &json!(true))
    );
    assert_eq!(made["standing"], "offline");
    let ayu = testing::sign_in(&world.app, Role::Mitra, "+6281234567890").await;
    let online = world.app.post("/api/mitra/status/online");
    let online = online.bearer(&ayu.access_token).send().await.expect(200);
    assert_eq!(online.json()["capacity"]["max"], 2);
    let shown = world
        .get(&format!("/api/admin/mitras/{}", ayu.user_id))
        .await;
    assert_eq!(shown["standing"], "available");
    assert!(shown["last_heartbeat_at"].is_string());
}

#[tokio::test]
async fn a_phone_belongs_to_one_mitra_and_wrong_fields_are_named() {
    let world = world().await;
    make(&world, "081234567890", "Ayu").await;
    let again = json!({"phone": "+6281234567890", "display_name": "Budi", "max_sessions": 1});
    world
        .act(Method::POST, "/api/admin/mitras", again)
        .await
        .problem("phone_taken", 409);
    for (field, body) in [
        ("phone", json!({"phone": "12", "display_name": "Budi"})),
        (
            "display_name",
            json!({"phone": "081234567891", "display_name": " "}),
        ),
        (
            "max_sessions",
            json!({"phone": "081234567891", "display_name": "Budi", "max_sessions": -1}),
        ),
    ] {
        let refused = world.act(Method::POST, "/api/admin/mitras", body).await;
        let problem = refused.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], field);
    }
    assert_eq!(world.deeds("mitra").await.len(), 1);
}

#[tokio::test]
async fn a_change_is_written_down_as_far_as_it_is_one() {
    let world = world().await;
    let made = make(&world, "081234567890", "Ayu").await;
    let changed = change(&world, &made["id"], json!({"display_name": "Ayu B"})).await;
    assert_eq!(changed["display_name"], "Ayu B");
    assert_eq!(changed["max_sessions"], 2);
    let changed = change(&world, &made["id"], json!({"max_sessions": 5})).await;
    assert_eq!(changed["max_sessions"], 5);
    // What it is already is no change.
    change(
        &world,
        &made["id"],
        json!({"max_sessions": 5, "is_active": true}),
    )
    .await;
    let deeds = world.deeds("mitra.update").await;
    assert_eq!(deeds.len(), 2);
    assert_eq!(deeds[0]["before"], json!({"max_sessions": 2}));
    assert_eq!(deeds[0]["after"], json!({"max_sessions": 5}));
    assert_eq!(deeds[1]["before"], json!({"display_name": "Ayu"}));
    assert_eq!(deeds[1]["admin"]["id"], json!(world.operator.user_id));
    assert!(deeds[1]["request_id"].is_string());
}

#[tokio::test]
async fn a_deactivated_mitra_is_signed_out_and_cannot_work() {
    let world = world().await;
    let mitra = testing::mitra(&world.app).await;
    let online = || {
        let call = world.app.post("/api/mitra/status/online");
        call.bearer(&mitra.access_token).send()
    };
    online().await.expect(200);
    let id = json!(mitra.user_id);
    let changed = change(&world, &id, json!({"is_active": false})).await;
    assert_eq!(
        (&changed["is_active"], &changed["standing"]),
        (&json!(false), &json!("deactivated"))
    );
    online().await.problem("unauthenticated", 401);
    let changed = change(&world, &id, json!({"is_active": true})).await;
    assert_eq!(changed["standing"], "offline");
}

#[tokio::test]
async fn mitras_are_searched_filtered_sorted_and_paged() {
    let world = world().await;
    for (phone, name) in [
        ("081234567801", "Citra"),
        ("081234567802", "ayu"),
        ("081234567803", "Budi"),
    ] {
        make(&world, phone, name).await;
    }
    let get = |query: &str| {
        let path = format!("/api/admin/mitras?{query}");
        let world = &world;
        async move { world.get(&path).await }
    };
    assert_eq!(names(&get("").await), ["Budi", "ayu", "Citra"]);
    assert_eq!(names(&get("sort=oldest").await), ["Citra", "ayu", "Budi"]);
    assert_eq!(names(&get("sort=name").await), ["ayu", "Budi", "Citra"]);
    assert_eq!(names(&get("q=IT").await), ["Citra"]);
    assert_eq!(names(&get("q=0812345678-02").await), ["ayu"]);
    assert_eq!(names(&get("q=%25").await), [""; 0], "no pattern");
    assert_eq!(names(&get("standing=offline").await).len(), 3);
    assert_eq!(names(&get("standing=available").await).len(), 0);
    let first = get("sort=name&limit=2").await;
    assert_eq!(names(&first), ["ayu", "Budi"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&format!("sort=name&limit=2&cursor={cursor}")).await;
    assert_eq!(
        (names(&second), &second["next_cursor"]),
        (vec!["Citra"], &json!(null))
    );
    for wrong in ["sort=age", "standing=asleep", "limit=0", "cursor=x"] {
        let path = format!("/api/admin/mitras?{wrong}");
        let answer = world.call(&world.viewer, Method::GET, &path).send().await;
        answer.problem("validation_failed", 422);
    }
}

#[tokio::test]
async fn a_customer_is_switched_off_and_on() {
    let world = world().await;
    let customer = testing::customer(&world.app).await;
    let me = || {
        let call = world.app.get("/api/auth/me");
        call.bearer(&customer.access_token).send()
    };
    me().await.expect(200);
    let path = format!("/api/admin/customers/{}", customer.user_id);
    let off = world.act(Method::PATCH, &path, json!({"is_active": false}));
    assert_eq!(off.await.expect(200).json()["is_active"], false);
    me().await.problem("unauthenticated", 401);
    let active = world.get("/api/admin/customers?is_active=true").await;
    assert_eq!(active["items"], json!([]));
    let on = world.act(Method::PATCH, &path, json!({"is_active": true}));
    on.await.expect(200);
    assert_eq!(world.deeds("customer").await.len(), 2);
    // A mitra is no customer.
    let mitra = testing::mitra(&world.app).await;
    let path = format!("/api/admin/customers/{}", mitra.user_id);
    let answer = world
        .act(Method::PATCH, &path, json!({"is_active": false}))
        .await;
    answer.problem("not_found", 404);
}
