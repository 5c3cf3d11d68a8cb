//! Sessions that are to be paid: they wait for it, start with it, and end without it.

use std::time::Duration;

use halobestie_auth::testing::customer;
use halobestie_core::pg::Query;
use halobestie_core::ports::Delivery;
use halobestie_testkit::{TestApp, eventually};
use serde_json::json;
use uuid::Uuid;

use crate::till::{self, PAYABLE, plan};
use crate::world::{Talk, accept, ask, online_mitra, request, socket, talk};

fn id_of(talk: &Talk) -> Uuid {
    talk.id.parse().unwrap()
}

async fn ended(app: &TestApp, talk: &Talk, reason: &str) {
    eventually(reason, || async {
        talk.show(app, &talk.customer).await["end_reason"] == reason
    })
    .await;
}

#[tokio::test]
async fn a_session_waits_for_its_payment_and_its_clock_starts_with_it() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    let mut at_customer = socket(&app, &talk.customer).await;
    let waiting = talk.show(&app, &talk.customer).await;
    assert_eq!(waiting["status"], "pending_payment");
    assert_eq!(
        (&waiting["started_at"], &waiting["expires_at"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(waiting["remaining_seconds"], 900);
    assert_eq!(
        (&waiting["payment"]["status"], &waiting["payment"]["amount"]),
        (&json!("pending"), &json!(25_000))
    );
    assert!(waiting["payment"]["invoice_url"].is_string());
    talk.send(&app, &talk.customer, "early")
        .await
        .problem("session_not_active", 409);

    app.clock.advance(Duration::from_secs(300));
    assert_eq!(till::pay(&app, id_of(&talk)).await, Delivery::Delivered);
    for socket in [&mut at_mitra, &mut at_customer] {
        let told = socket.expect("session.updated").await;
        assert_eq!(
            (&told["reason"], &told["session"]["status"]),
            (&json!("started"), &json!("active"))
        );
    }
    let shown = at_customer.expect("payment.updated").await;
    assert_eq!(
        (&shown["payment"]["status"], &shown["payment"]["session_id"]),
        (&json!("paid"), &json!(talk.id))
    );
    let running = talk.show(&app, &talk.customer).await;
    assert_eq!(running["started_at"], json!(app.clock.now()));
    assert_eq!(
        running["expires_at"],
        json!(app.clock.now() + Duration::from_secs(900))
    );
    assert_eq!(running["payment"]["status"], "paid");
    talk.send(&app, &talk.customer, "now").await.expect(201);
}

#[tokio::test]
async fn the_invoice_is_the_customers_alone() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    let as_mitra = talk.show(&app, &talk.mitra).await;
    assert_eq!(as_mitra["payment"]["amount"], 25_000);
    assert_eq!(as_mitra["payment"]["invoice_url"], json!(null));
}

#[tokio::test]
async fn a_payment_that_is_told_twice_starts_a_session_once() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    assert_eq!(till::pay(&app, id_of(&talk)).await, Delivery::Delivered);
    let started = talk.show(&app, &talk.customer).await;
    app.clock.advance(Duration::from_secs(5));
    assert_eq!(till::pay(&app, id_of(&talk)).await, Delivery::Delivered);
    let again = talk.show(&app, &talk.customer).await;
    assert_eq!(again["expires_at"], started["expires_at"]);
    // Also once it is over: it was delivered.
    talk.end(&app, &talk.customer).await.expect(200);
    assert_eq!(till::pay(&app, id_of(&talk)).await, Delivery::Delivered);
}

#[tokio::test]
async fn an_unpaid_session_ends_at_its_time_and_a_late_payment_goes_back() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    app.clock.advance(PAYABLE - Duration::from_secs(1));
    app.settle().await;
    assert_eq!(
        talk.show(&app, &talk.customer).await["status"],
        "pending_payment"
    );
    app.clock.advance(Duration::from_secs(1));
    let told = at_mitra
        .expect_where("session.updated", |it| it["session"]["status"] == "ended")
        .await;
    assert_eq!(told["reason"], "payment_expired");
    let withdrawn = till::status(&app, id_of(&talk)).await;
    assert_eq!(withdrawn.as_deref(), Some("expired"));
    assert_eq!(till::pay(&app, id_of(&talk)).await, Delivery::TooLate);
    assert_eq!(
        talk.show(&app, &talk.customer).await["end_reason"],
        "payment_expired"
    );
    assert_eq!(till::credit(&app, id_of(&talk)).await, None);
}

#[tokio::test]
async fn a_payment_that_fails_ends_its_session() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    till::lapse(&app, id_of(&talk)).await;
    let session = talk.show(&app, &talk.mitra).await;
    assert_eq!(session["end_reason"], "payment_expired");
}

#[tokio::test]
async fn whoever_ends_an_unpaid_session_takes_its_payment_back() {
    let app = plan().start().await;
    for by_mitra in [false, true] {
        let talk = talk(&app).await;
        let by = if by_mitra {
            &talk.mitra
        } else {
            &talk.customer
        };
        talk.end(&app, by).await.expect(200);
        let withdrawn = till::status(&app, id_of(&talk)).await;
        assert_eq!(withdrawn.as_deref(), Some("expired"));
        assert_eq!(till::credit(&app, id_of(&talk)).await, None);
    }
}

#[tokio::test]
async fn what_costs_nothing_starts_at_once() {
    let app = plan().start().await;
    let packages = json!([{"id": "gift", "name": "A gift", "minutes": 10, "amount": 0}]);
    let sql = "INSERT INTO app_config (key, value) VALUES ('packages', $1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    app.database.execute(sql, &[&packages]).await;
    let cx = app.context();
    cx.settings.refresh(&cx.db).await.unwrap();
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = ask(&app, &me, json!({"package_id": "gift"}))
        .await
        .expect(201)
        .json();
    let session = accept(&app, &mitra, &open).await.expect(200).json();
    assert_eq!(session["status"], "active");
    assert_eq!(session["payment"], json!(null));
}

#[tokio::test]
async fn an_accept_that_cannot_charge_has_not_happened() {
    let app = plan().start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = request(&app, &me).await;
    till::break_call(&app, "charge").await;
    assert_eq!(accept(&app, &mitra, &open).await.status, 500);
    till::mend(&app).await;
    let session = accept(&app, &mitra, &open).await.expect(200).json();
    assert_eq!(session["status"], "pending_payment");
}

#[tokio::test]
async fn an_end_that_cannot_take_the_payment_back_is_tried_again() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    till::break_call(&app, "withdraw").await;
    app.clock.advance(PAYABLE);
    app.settle().await;
    let waiting = talk.show(&app, &talk.customer).await;
    assert_eq!(waiting["status"], "pending_payment");
    till::mend(&app).await;
    app.clock.advance(Duration::from_secs(1));
    ended(&app, &talk, "payment_expired").await;
}

#[tokio::test]
async fn a_payment_and_an_end_at_once_have_one_winner() {
    let app = plan().start().await;
    for _ in 0..10 {
        let talk = talk(&app).await;
        let (delivery, answer) =
            tokio::join!(till::pay(&app, id_of(&talk)), talk.end(&app, &talk.mitra));
        assert_eq!(answer.status, 200);
        let session = talk.show(&app, &talk.customer).await;
        assert_eq!(session["end_reason"], "mitra_ended");
        let credit = till::credit(&app, id_of(&talk)).await;
        match delivery {
            // It started, and was ended at the same instant: all of it goes back.
            Delivery::Delivered => assert_eq!(credit, Some((900, 900))),
            Delivery::TooLate => assert_eq!(credit, None),
        }
    }
}

#[tokio::test]
async fn what_others_take_from_a_session_is_credited() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    till::pay(&app, id_of(&talk)).await;
    app.clock.advance(Duration::from_millis(300_500));
    talk.end(&app, &talk.mitra).await.expect(200);
    // 599.5 s were left: a second that was begun is the customer's.
    assert_eq!(till::credit(&app, id_of(&talk)).await, Some((600, 900)));
}

#[tokio::test]
async fn what_the_customer_ends_is_not_credited() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    till::pay(&app, id_of(&talk)).await;
    app.clock.advance(Duration::from_secs(300));
    talk.end(&app, &talk.customer).await.expect(200);
    assert_eq!(till::credit(&app, id_of(&talk)).await, None);
}

#[tokio::test]
async fn an_admin_ends_a_session_in_a_transaction_of_its_own_making() {
    let app = plan().start().await;
    let talk = talk(&app).await;
    till::pay(&app, id_of(&talk)).await;
    let mut at_customer = socket(&app, &talk.customer).await;
    app.clock.advance(Duration::from_secs(60));
    let control = app.context().ports.session_control.get().unwrap();
    let (admin_id, nowhere) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let mut client = app.context().db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    assert!(control.end(&tx, nowhere, admin_id).await.unwrap().is_none());
    let ended = control.end(&tx, id_of(&talk), admin_id).await.unwrap();
    let ended = ended.unwrap();
    assert_eq!((ended.was, ended.reason), ("active", Some("admin_ended")));
    tx.commit().await.unwrap();
    drop(client);
    ended.after_commit.run().await;
    let told = at_customer.expect("session.updated").await;
    assert_eq!(told["reason"], "admin_ended");
    assert_eq!(till::credit(&app, id_of(&talk)).await, Some((840, 900)));
    let sql = "SELECT actor, actor_id FROM chat_events WHERE event = 'session_ended'";
    let row = app.database.db().row(sql, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, Uuid>(1)),
        ("admin", admin_id)
    );
}
