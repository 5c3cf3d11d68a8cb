//! The price list.

use halobestie_auth::testing::{customer, mitra};
use halobestie_testkit::eventually;
use serde_json::{Value, json};

use crate::people::set;
use crate::world::{self, socket};

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
    set(&app, "packages", value.clone()).await;
    eventually("the price list changes", || async {
        app.get("/api/customer/packages").send().await.json()["items"] == value
    })
    .await;
}

#[tokio::test]
async fn apps_are_told_that_the_price_list_has_changed_and_of_no_other_setting() {
    let app = world::start().await;
    let replica = app.replica().await;
    let mut sockets = [
        socket(&app, &customer(&app).await).await,
        socket(&replica, &mitra(&app).await).await,
    ];
    let mut stranger = app.ws(None).await;
    set(&app, "pairing.wave_size", json!(3)).await;
    let value = json!([{"id": "a", "name": "A", "minutes": 5, "amount": 0, "currency": "IDR"}]);
    set(&app, "packages", value).await;
    for socket in &mut sockets {
        let told = socket.next().await;
        assert_eq!(told, json!({"type": "config.updated", "key": "packages"}));
        assert_eq!(socket.so_far().await, [] as [Value; 0]);
    }
    // Who is not signed in is told nothing.
    stranger.send(&json!({"type": "nonsense"})).await;
    let (frames, code) = stranger.ending().await;
    assert_eq!((frames, code), (Vec::<Value>::new(), 4400));
}
