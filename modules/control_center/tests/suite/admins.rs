//! Admins: the owners' own business.

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use http::Method;
use serde_json::{Value, json};

use crate::server::{World, world};

async fn rule(
    world: &World,
    method: Method,
    path: &str,
    body: Value,
) -> halobestie_testkit::TestResponse {
    let path = format!("/api/admin/admins{path}");
    world
        .call(&world.owner, method, &path)
        .json(&body)
        .send()
        .await
}

async fn login(world: &World, email: &str, password: &str) -> halobestie_testkit::TestResponse {
    let body = json!({"email": email, "password": password});
    let call = world.app.internal_post("/api/admin/auth/login");
    call.json(&body).send().await
}

#[tokio::test]
async fn an_owner_makes_changes_and_deactivates_an_admin() {
    let world = world().await;
    let body = json!({
        "email": "Dewi@halobestie.test", "display_name": "Dewi", "role": "operator",
        "password": "a fine password",
    });
    let made = rule(&world, Method::POST, "", body.clone())
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&made["email"], &made["role"]),
        (&json!("dewi@halobestie.test"), &json!("operator"))
    );
    rule(&world, Method::POST, "", body)
        .await
        .problem("email_taken", 409);
    let dewi = login(&world, "dewi@halobestie.test", "a fine password").await;
    let dewi = testing::signed_in(&dewi.expect(200).json());
    let path = format!("/{}", made["id"].as_str().unwrap());
    let password = json!({"password": "another fine one"});
    rule(&world, Method::PATCH, &path, password)
        .await
        .expect(200);
    let seen = world
        .call(&dewi, Method::GET, "/api/admin/dashboard")
        .send()
        .await;
    seen.problem("unauthenticated", 401);
    login(&world, "dewi@halobestie.test", "another fine one")
        .await
        .expect(200);
    rule(&world, Method::PATCH, &path, json!({"is_active": false}))
        .await
        .expect(200);
    login(&world, "dewi@halobestie.test", "another fine one")
        .await
        .problem("account_disabled", 403);
    let deeds = world.deeds("admin").await;
    assert_eq!(deeds.len(), 3);
    assert!(
        !json!(deeds).to_string().contains("fine"),
        "no password is written down"
    );
    let list = rule(&world, Method::GET, "", json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn somebody_is_left_who_may_do_everything() {
    let world = world().await;
    let path = format!("/{}", world.owner.user_id);
    for change in [json!({"role": "viewer"}), json!({"is_active": false})] {
        rule(&world, Method::PATCH, &path, change)
            .await
            .problem("last_owner", 409);
    }
    rule(
        &world,
        Method::PATCH,
        &path,
        json!({"display_name": "Ratu"}),
    )
    .await
    .expect(200);
    // Two owners who take each other's role at once leave one.
    let other = testing::admin_as(&world.app, AdminRole::Owner).await;
    let demote = |by: &testing::SignedIn, whom: &testing::SignedIn| {
        let path = format!("/api/admin/admins/{}", whom.user_id);
        let call = world.call(by, Method::PATCH, &path);
        call.json(&json!({"role": "viewer"})).send()
    };
    let (one, two) = tokio::join!(demote(&world.owner, &other), demote(&other, &world.owner));
    let sql = "SELECT count(*) FROM users WHERE admin_role = 'owner' AND is_active";
    let left: i64 = world.app.database.row(sql, &[]).await.get(0);
    assert_eq!(left, 1, "{one} {two}");
}
