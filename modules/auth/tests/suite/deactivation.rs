//! The switch that lets a person sign in, thrown in somebody else's transaction.

use halobestie_auth::testing::{self, fresh_phone, register_mitra, sign_in};
use halobestie_core::ports::Role;
use halobestie_testkit::{TestApp, eventually};
use uuid::Uuid;

use crate::server::{me, otp, refresh, seconds, show, start};

/// Throws the switch; whether there is such an account.
async fn set_active(app: &TestApp, user_id: Uuid, is_active: bool) -> bool {
    let (db, ports) = (app.context().db.clone(), &app.context().ports);
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let directory = ports.directory.get().unwrap();
    let decided = directory.set_active(&tx, user_id, is_active).await.unwrap();
    tx.commit().await.unwrap();
    match decided {
        Some(decided) => {
            decided.run().await;
            true
        }
        None => false,
    }
}

#[tokio::test]
async fn every_session_of_a_deactivated_person_is_revoked_on_every_replica() {
    let app = start().await;
    let other = app.replica().await;
    let phone = fresh_phone();
    let first = sign_in(&app, Role::Customer, &phone).await;
    app.clock.advance(seconds(31));
    let second = sign_in(&app, Role::Customer, &phone).await;
    let stays = testing::customer(&app).await;

    assert!(set_active(&app, first.user_id, false).await);
    for session in [&first, &second] {
        me(&app, &session.access_token)
            .await
            .problem("unauthenticated", 401);
        // The clock stands still, so no periodic reading helps.
        eventually("the other replica refuses", || async {
            me(&other, &session.access_token).await.status == 401
        })
        .await;
        refresh(&other, &session.refresh_token)
            .await
            .problem("refresh_invalid", 401);
    }
    me(&other, &stays.access_token).await.expect(200);
}

#[tokio::test]
async fn a_deactivated_person_signs_in_again_once_it_may() {
    let app = start().await;
    let phone = fresh_phone();
    let mitra = register_mitra(&app, &phone, "Ayu").await;
    assert!(set_active(&app, mitra, false).await);
    let refused = show(&app, &otp(&app, &phone, "mitra").await, testing::OTP_CODE).await;
    refused.problem("account_disabled", 403);

    assert!(set_active(&app, mitra, true).await);
    app.clock.advance(seconds(31));
    let back = sign_in(&app, Role::Mitra, &phone).await;
    me(&app, &back.access_token).await.expect(200);
}

#[tokio::test]
async fn a_sign_in_under_way_is_refused_or_revoked() {
    let app = start().await;
    for _ in 0..10 {
        let phone = fresh_phone();
        let mitra = register_mitra(&app, &phone, "Ayu").await;
        let code = otp(&app, &phone, "mitra").await;
        let (answer, _) = tokio::join!(
            show(&app, &code, testing::OTP_CODE),
            set_active(&app, mitra, false),
        );
        if answer.status == 200 {
            let session = testing::signed_in(&answer.json());
            me(&app, &session.access_token)
                .await
                .problem("unauthenticated", 401);
        } else {
            answer.problem("account_disabled", 403);
        }
    }
}

#[tokio::test]
async fn what_is_rolled_back_signs_nobody_out() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let (db, ports) = (app.context().db.clone(), &app.context().ports);
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let directory = ports.directory.get().unwrap();
    let decided = directory.set_active(&tx, person.user_id, false).await;
    assert!(decided.unwrap().is_some());
    drop(tx);
    me(&app, &person.access_token).await.expect(200);
    refresh(&app, &person.refresh_token).await.expect(200);
}

#[tokio::test]
async fn nobody_and_a_closed_account_cannot_be_switched() {
    let app = start().await;
    assert!(!set_active(&app, Uuid::nil(), false).await);
    let person = testing::customer(&app).await;
    app.delete("/api/auth/me")
        .bearer(&person.access_token)
        .send()
        .await
        .expect(204);
    assert!(!set_active(&app, person.user_id, true).await);
}
