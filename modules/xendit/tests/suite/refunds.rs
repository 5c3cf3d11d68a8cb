//! Money that goes back: by order of an admin, by itself, or by hand.

use std::time::Duration;

use halobestie_auth::testing::{SignedIn, admin, customer};
use halobestie_sandbox::Fault;
use halobestie_sandbox::xendit::{Channel, Refund};
use halobestie_testkit::{TestResponse, eventually};
use serde_json::{Value, json};

use crate::ledger::{explained, standing};
use crate::world::{PRICE, Sale, World};

const MINUTE: Duration = Duration::from_secs(60);
const A_WHILE: Duration = Duration::from_secs(16 * 60);

/// A world with a payment that is paid, and an admin.
async fn paid() -> (World, Sale, SignedIn) {
    paid_by(Channel::Dana).await
}

async fn paid_by(channel: Channel) -> (World, Sale, SignedIn) {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.pay_by(&invoice.id, channel);
    world.becomes(&sale, "paid").await;
    world.app.finish_jobs().await;
    let admin = admin(&world.app).await;
    (world, sale, admin)
}

async fn ask(world: &World, sale: &Sale, admin: &SignedIn, body: &Value) -> TestResponse {
    let path = format!("/api/admin/payments/{}/refund", sale.payment_id);
    let call = world.app.internal_post(&path).bearer(&admin.access_token);
    let answer = call.json(body).send().await;
    world.app.finish_jobs().await;
    answer
}

async fn listed(world: &World, sale: &Sale, admin: &SignedIn) -> Value {
    let path = format!("/api/admin/payments/{}/refunds", sale.payment_id);
    let call = world.app.internal_get(&path).bearer(&admin.access_token);
    call.send().await.expect(200).json()
}

/// The one refund that Xendit has.
#[track_caller]
fn theirs(world: &World) -> Refund {
    let refunds = world.sandbox.xendit.refunds();
    let [refund] = refunds.as_slice() else {
        panic!("there are {} refunds", refunds.len());
    };
    refund.clone()
}

#[tokio::test]
async fn an_admins_refund_goes_to_xendit_and_ends_by_its_webhook() {
    let (world, sale, admin) = paid().await;
    let answer = ask(&world, &sale, &admin, &json!({"reason": "never answered"})).await;
    let answer = answer.expect(202).json();
    assert_eq!(answer["payment_status"], "refund_pending");
    assert_eq!(answer["refund"]["amount"], PRICE);
    assert_eq!(world.status(&sale).await, "refund_pending");

    let refund = theirs(&world);
    let ours = answer["refund"]["id"].as_str().unwrap();
    assert_eq!(refund.idempotency_key.as_deref(), Some(ours));
    assert_eq!(refund.reference_id.as_deref(), Some(ours));
    assert_eq!(
        (refund.amount, refund.reason.as_str()),
        (PRICE, "REQUESTED_BY_CUSTOMER")
    );
    assert_eq!(
        standing(&world, "xendit").await,
        PRICE,
        "nothing has gone yet"
    );

    world.sandbox.xendit.succeed_refund(&refund.id);
    world.becomes(&sale, "refunded").await;
    assert_eq!(standing(&world, "xendit").await, 0);
    assert_eq!(standing(&world, "refunds").await, PRICE);
    let listed = listed(&world, &sale, &admin).await;
    assert_eq!(listed["items"][0]["status"], "succeeded");
    assert_eq!(listed["refundable"], 0);
    explained(&world).await;
}

#[tokio::test]
async fn events_of_refunds_come_in_one_envelope_or_two_and_twice() {
    let (world, sale, admin) = paid().await;
    world.sandbox.xendit.nest_refund_events(true);
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    let refund = theirs(&world);
    world.sandbox.xendit.succeed_refund(&refund.id);
    world.becomes(&sale, "refunded").await;
    let [webhook] = world
        .sandbox
        .xendit
        .webhooks_about(&refund.id)
        .try_into()
        .unwrap();
    world.sandbox.xendit.resend(&webhook.id).await;
    world.app.finish_jobs().await;
    assert_eq!(standing(&world, "xendit").await, 0);
    explained(&world).await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_refund() {
    let (world, sale, admin) = paid().await;
    let knobs = &world.sandbox.xendit.knobs;
    knobs.strike(Some("refunds.create"), 2, Fault::Lost);
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    for _ in 0..4 {
        world.pass(MINUTE).await;
    }
    let asked = world.sandbox.xendit.calls();
    let asked = asked.iter().filter(|it| it.operation == "refunds.create");
    assert_eq!(asked.count(), 3);
    let refund = theirs(&world);
    world.sandbox.xendit.succeed_refund(&refund.id);
    world.becomes(&sale, "refunded").await;
    explained(&world).await;
}

#[tokio::test]
async fn an_end_that_no_webhook_tells_of_is_found_by_looking() {
    let (world, sale, admin) = paid().await;
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.succeed_refund(&theirs(&world).id);
    world.pass(2 * MINUTE).await;
    world.becomes(&sale, "refunded").await;
    explained(&world).await;
}

#[tokio::test]
async fn the_webhook_may_come_before_the_answer() {
    let (world, sale, admin) = paid().await;
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("refunds.create"), 1, Fault::Lost);
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    world.sandbox.xendit.succeed_refund(&theirs(&world).id);
    world.becomes(&sale, "refunded").await;
    world.pass(MINUTE).await;
    assert_eq!(world.status(&sale).await, "refunded");
    theirs(&world);
    explained(&world).await;
}

#[tokio::test]
async fn a_failed_refund_needs_review_and_is_made_good_by_hand() {
    let (world, sale, admin) = paid().await;
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    let refund = theirs(&world);
    world
        .sandbox
        .xendit
        .fail_refund(&refund.id, "ACCOUNT_NOT_FOUND");
    world.becomes(&sale, "needs_review").await;
    let reason = world.review_reason(&sale).await.unwrap();
    assert!(
        reason.contains("Rp 25.000") && reason.contains("ACCOUNT_NOT_FOUND"),
        "{reason}"
    );
    assert_eq!(standing(&world, "xendit").await, PRICE);
    explained(&world).await;

    let by_hand = json!({"reason": "by bank transfer", "by_hand": true});
    let answer = ask(&world, &sale, &admin, &by_hand)
        .await
        .expect(202)
        .json();
    assert_eq!(answer["payment_status"], "refunded");
    assert_eq!(answer["refund"]["status"], "succeeded");
    assert_eq!(world.status(&sale).await, "refunded");
    assert_eq!(standing(&world, "bank").await, -PRICE);
    assert_eq!(
        world.sandbox.xendit.refunds().len(),
        1,
        "xendit was not asked again"
    );
    explained(&world).await;
}

#[tokio::test]
async fn what_a_channel_cannot_give_back_needs_review_at_once() {
    let (world, sale, admin) = paid_by(Channel::Bca).await;
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    world.becomes(&sale, "needs_review").await;
    let reason = world.review_reason(&sale).await.unwrap();
    assert!(
        reason.contains("REFUND_NOT_SUPPORTED") && reason.contains("by_hand"),
        "{reason}"
    );
    let listed = listed(&world, &sale, &admin).await;
    assert_eq!(listed["items"][0]["status"], "failed");
    assert_eq!(listed["refundable"], PRICE);
    assert_eq!(listed["review_reason"], reason);
    explained(&world).await;
}

#[tokio::test]
async fn a_refusal_that_passes_is_waited_for() {
    let (world, sale, admin) = paid().await;
    let refusal = Fault::error("INSUFFICIENT_BALANCE");
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("refunds.create"), 2, refusal);
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    assert!(world.sandbox.xendit.refunds().is_empty());
    for _ in 0..3 {
        world.pass(A_WHILE + A_WHILE / 4).await;
    }
    world.sandbox.xendit.succeed_refund(&theirs(&world).id);
    world.becomes(&sale, "refunded").await;
}

#[tokio::test]
async fn a_part_goes_back_and_never_more_than_came() {
    let (world, sale, admin) = paid().await;
    let part = |amount: i64| json!({"amount": amount, "reason": "r"});
    ask(&world, &sale, &admin, &part(PRICE + 1))
        .await
        .problem("not_refundable", 409);
    ask(&world, &sale, &admin, &part(10_000)).await.expect(202);
    // What is on its way counts as gone.
    ask(&world, &sale, &admin, &part(PRICE))
        .await
        .problem("not_refundable", 409);
    world.sandbox.xendit.succeed_refund(&theirs(&world).id);
    world.becomes(&sale, "paid").await;
    ask(&world, &sale, &admin, &part(PRICE - 9_999))
        .await
        .problem("not_refundable", 409);
    explained(&world).await;

    let rest = ask(&world, &sale, &admin, &json!({"reason": "the rest"})).await;
    assert_eq!(rest.expect(202).json()["refund"]["amount"], PRICE - 10_000);
    let pending = world.sandbox.xendit.refunds().pop().unwrap();
    world.sandbox.xendit.succeed_refund(&pending.id);
    world.becomes(&sale, "refunded").await;
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .problem("not_refundable", 409);
    assert_eq!(standing(&world, "refunds").await, PRICE);
    explained(&world).await;
}

#[tokio::test]
async fn two_admins_at_once_do_not_give_back_more_than_came() {
    let (world, sale, admin) = paid().await;
    let body = json!({"amount": 20_000, "reason": "r"});
    let (one, other) = tokio::join!(
        ask(&world, &sale, &admin, &body),
        ask(&world, &sale, &admin, &body)
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    assert_eq!(world.returned(&sale).await, 20_000);
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_one_refund() {
    let (world, sale, admin) = paid().await;
    let path = format!("/api/admin/payments/{}/refund", sale.payment_id);
    let send = |body: Value| {
        let call = world.app.internal_post(&path).bearer(&admin.access_token);
        let call = call.header("idempotency-key", "k1");
        async move { call.json(&body).send().await }
    };
    let body = json!({"amount": 5_000, "reason": "r"});
    let first = send(body.clone()).await.expect(202).text();
    assert_eq!(send(body).await.expect(202).text(), first);
    let other = json!({"amount": 6_000, "reason": "r"});
    send(other).await.problem("idempotency_conflict", 409);
    assert_eq!(world.returned(&sale).await, 5_000);
}

#[tokio::test]
async fn only_admins_refund_what_exists_and_was_paid() {
    let (world, sale, admin) = paid().await;
    let path = format!("/api/admin/payments/{}/refund", sale.payment_id);
    let body = json!({"reason": "r"});
    let call = |token: &str| world.app.internal_post(&path).bearer(token).json(&body);
    call(&sale.customer.access_token)
        .send()
        .await
        .problem("forbidden", 403);
    call(&customer(&world.app).await.access_token)
        .send()
        .await
        .problem("forbidden", 403);
    world
        .app
        .internal_post(&path)
        .json(&body)
        .send()
        .await
        .problem("unauthenticated", 401);
    world
        .app
        .post(&path)
        .json(&body)
        .bearer(&admin.access_token)
        .send()
        .await
        .expect(404);
    for (wrong, status) in [
        (json!({}), 422),
        (json!({"reason": " "}), 422),
        (json!({"reason": "r", "amount": 0}), 422),
        (json!({"reason": "r", "amount": -5}), 422),
        (json!({"reason": "r", "amount": "5000"}), 422),
        (json!({"reason": "r", "amount": 1.5}), 422),
        (json!({"reason": "x".repeat(501)}), 422),
    ] {
        let answer = ask(&world, &sale, &admin, &wrong).await;
        assert_eq!(answer.status.as_u16(), status, "{wrong}: {}", answer.text());
    }
    let nobodys = "/api/admin/payments/01890000-0000-7000-8000-000000000000/refund";
    let call = world.app.internal_post(nobodys).bearer(&admin.access_token);
    call.json(&body).send().await.problem("not_found", 404);
    let unpaid = world.sell().await;
    ask(&world, &unpaid, &admin, &body)
        .await
        .problem("not_refundable", 409);
    assert!(world.sandbox.xendit.refunds().is_empty());
}

#[tokio::test]
async fn late_money_goes_back_by_itself() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.expire(&invoice.id);
    world.becomes(&sale, "expired").await;
    world.sandbox.xendit.pay(&invoice.id);
    world.becomes(&sale, "refund_pending").await;
    eventually("xendit is asked", || async {
        !world.sandbox.xendit.refunds().is_empty()
    })
    .await;
    assert_eq!(
        standing(&world, "held").await,
        -PRICE,
        "it is the customer's"
    );
    let refund = theirs(&world);
    assert_eq!(
        (refund.amount, refund.reason.as_str()),
        (PRICE, "CANCELLATION")
    );
    world.sandbox.xendit.succeed_refund(&refund.id);
    world.becomes(&sale, "refunded").await;
    assert_eq!(standing(&world, "held").await, 0);
    assert_eq!(standing(&world, "sales").await, 0);
    explained(&world).await;
}

#[tokio::test]
async fn the_second_of_two_payments_goes_back_and_the_first_stays() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.pay_twice(&invoice.id);
    world.becomes(&sale, "refund_pending").await;
    eventually("xendit is asked", || async {
        !world.sandbox.xendit.refunds().is_empty()
    })
    .await;
    let refund = theirs(&world);
    assert_eq!(
        (refund.amount, refund.reason.as_str()),
        (PRICE, "DUPLICATE")
    );
    world.sandbox.xendit.succeed_refund(&refund.id);
    world.becomes(&sale, "paid").await;
    assert_eq!(world.session(&sale).await["status"], "active");
    assert_eq!(standing(&world, "sales").await, -PRICE);
    assert_eq!(standing(&world, "xendit").await, PRICE);
    explained(&world).await;
}

#[tokio::test]
async fn a_refund_whose_job_is_gone_is_taken_up_again() {
    let (world, sale, admin) = paid().await;
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("refunds.create"), 1, Fault::Cut);
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    let database = &world.app.database;
    database
        .execute("DELETE FROM jobs WHERE kind = 'send-refund'", &[])
        .await;
    world.pass(Duration::from_secs(3 * 3600)).await;
    // By this run of the sweep, or by its own that the passing of time has woken.
    world.app.run_sweep("refund-reconcile").await;
    eventually("xendit is asked", || async {
        !world.sandbox.xendit.refunds().is_empty()
    })
    .await;
    world.sandbox.xendit.succeed_refund(&theirs(&world).id);
    world.becomes(&sale, "refunded").await;
    explained(&world).await;
}

#[tokio::test]
async fn an_event_that_tells_of_another_amount_is_not_believed() {
    let (world, sale, admin) = paid().await;
    ask(&world, &sale, &admin, &json!({"reason": "r"}))
        .await
        .expect(202);
    let refund = theirs(&world);
    let event = json!({"event": "refund.succeeded", "data": {"id": refund.id, "status": "SUCCEEDED",
        "amount": PRICE - 1, "reference_id": refund.reference_id, "invoice_id": refund.invoice_id}});
    let forged = halobestie_sandbox::xendit::Forged::json(&event);
    world.sandbox.xendit.forge(forged).await;
    world.app.finish_jobs().await;
    assert_eq!(world.status(&sale).await, "refund_pending");
    assert_eq!(standing(&world, "refunds").await, 0);
}
