//! The price list.

use halobestie_core::pg::Query;
use halobestie_testkit::eventually;
use serde_json::json;

use crate::world;

#[tokio::test]
async fn anyone_sees_the_price_list() {
    let app = world::start().await;
    let list = app
        .get("/api/customer/packages")
        .send()
        .await
        .expect(200)
        .json();
    let first = json!({"id": "15m", "name": "15 minutes", "minutes": 15, "amount": 25_000, "currency": "IDR"});
    assert_eq!(list["items"][0], first);
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_price_list_is_a_runtime_setting() {
    let app = world::start().await;
    let value =
        json!([{"id": "quick", "name": "Quick", "minutes": 5, "amount": 0, "currency": "IDR"}]);
    let write = "INSERT INTO app_config (key, value) VALUES ('packages', $1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    app.database.db().execute(write, &[&value]).await.unwrap();
    app.context()
        .settings
        .announce(&app.context().bus, "packages");
    eventually("the price list changes", || async {
        app.get("/api/customer/packages").send().await.json()["items"] == value
    })
    .await;
}
