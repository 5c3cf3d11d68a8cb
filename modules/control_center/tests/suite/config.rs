//! Runtime configuration.

use std::time::Duration;

use halobestie_testkit::eventually;
use http::Method;
use serde_json::{Value, json};

use crate::server::{World, world};

fn prices(amount: i64) -> Value {
    json!({"value": [
        {"id": "5m", "name": "5 minutes", "minutes": 5, "amount": amount, "currency": "IDR"}
    ]})
}

async fn put(world: &World, key: &str, body: &Value) -> halobestie_testkit::TestResponse {
    let path = format!("/api/admin/config/{key}");
    let call = world.call(&world.owner, Method::PUT, &path);
    call.json(body).send().await
}

#[tokio::test]
async fn a_setting_is_listed_with_its_type_and_who_may_change_it() {
    let world = world().await;
    let list = world.get("/api/admin/config").await;
    let items = list["items"].as_array().unwrap();
    let packages = items.iter().find(|it| it["key"] == "packages").unwrap();
    assert_eq!(packages["changed_by"], "owner");
    assert_eq!(packages["updated_by"], json!(null));
    assert_eq!(packages["schema"]["type"], "array");
    let fields = &packages["schema"]["items"]["properties"];
    assert_eq!(fields["minutes"]["type"], "integer");
    assert!(
        packages["description"]
            .as_str()
            .unwrap()
            .contains("price list")
    );
    let size = items.iter().find(|it| it["key"] == "pairing.wave_size");
    assert_eq!(size.unwrap()["value"], 0);
}

#[tokio::test]
async fn a_new_value_is_seen_by_every_replica_and_kept_with_its_history() {
    let world = world().await;
    let replica = world.app.replica().await;
    for amount in [9_000, 12_000] {
        // The order of deeds is that of their milliseconds.
        world.app.clock.advance(Duration::from_millis(1));
        let set = put(&world, "packages", &prices(amount))
            .await
            .expect(200)
            .json();
        assert_eq!(set["value"][0]["amount"], amount);
        assert_eq!(set["updated_by"]["id"], json!(world.owner.user_id));
        // The clock moves by milliseconds: the look at the table every 30 s cannot be what shows it.
        for server in [&world.app, &replica] {
            eventually("the new price list is served", || async {
                let list = server.get("/api/customer/packages").send().await.json();
                list["items"][0]["amount"] == amount
            })
            .await;
        }
    }
    let history = world.get("/api/admin/config/packages/history").await;
    let items = history["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["from"][0]["amount"], 9_000);
    assert_eq!(items[0]["to"][0]["amount"], 12_000);
    assert_eq!(items[0]["admin"]["id"], json!(world.owner.user_id));
    assert_eq!(items[1]["from"][0]["id"], "15m", "what it was by default");
}

#[tokio::test]
async fn a_value_that_does_not_fit_changes_nothing_and_says_where() {
    let world = world().await;
    let field = |problem: Value| problem["errors"][0]["field"].clone();
    let mut wrong = prices(9_000);
    wrong["value"][0]["minutes"] = json!("five");
    let refused = put(&world, "packages", &wrong).await;
    let problem = refused.problem("validation_failed", 422);
    assert_eq!(field(problem), "value[0].minutes");
    let refused = put(&world, "packages", &json!({"value": []})).await;
    assert_eq!(field(refused.problem("validation_failed", 422)), "value");
    put(&world, "nothing", &json!({"value": 1}))
        .await
        .problem("not_found", 404);
    assert!(world.deeds("config").await.is_empty());
}

#[tokio::test]
async fn what_moves_money_takes_an_owner_and_the_rest_an_operator() {
    let world = world().await;
    let path = |key| format!("/api/admin/config/{key}");
    let prices = world.act(Method::PUT, &path("packages"), prices(1)).await;
    prices.problem("forbidden", 403);
    let size = json!({"value": 7});
    let size = world
        .act(Method::PUT, &path("pairing.wave_size"), size)
        .await;
    assert_eq!(size.expect(200).json()["value"], 7);
}

#[tokio::test]
async fn two_who_set_a_value_at_once_follow_each_other() {
    let world = world().await;
    let set = |value: i64| put_size(&world, value);
    let answers = tokio::join!(set(1), set(2), set(3), set(4));
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        answer.expect(200);
    }
    // Each began where another ended: the chain has no gap.
    let history = world
        .get("/api/admin/config/pairing.wave_size/history")
        .await;
    let mut steps: Vec<(i64, i64)> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["from"].as_i64().unwrap(), it["to"].as_i64().unwrap()))
        .collect();
    assert_eq!(steps.len(), 4);
    let mut at = 0;
    while let Some(next) = steps.iter().position(|it| it.0 == at) {
        at = steps.remove(next).1;
    }
    assert!(steps.is_empty(), "left: {steps:?}");
}

async fn put_size(world: &World, value: i64) -> halobestie_testkit::TestResponse {
    put(world, "pairing.wave_size", &json!({"value": value})).await
}
