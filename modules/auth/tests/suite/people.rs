//! The directory that other modules ask.

use halobestie_auth::testing::{self, fresh_phone, register_mitra};
use halobestie_core::ports::Role;
use uuid::Uuid;

use crate::server::start;

#[tokio::test]
async fn people_are_known_by_their_ids_in_one_statement() {
    let app = start().await;
    let directory = app.context().ports.directory.get().unwrap();
    let mitra = register_mitra(&app, &fresh_phone(), "Ayu").await;
    let customer = testing::customer(&app).await;
    let unknown = Uuid::nil();
    let before = app.statement_count();
    let people = directory
        .people(&[mitra, customer.user_id, unknown])
        .await
        .unwrap();
    assert_eq!(app.statement_count() - before, 1);
    assert_eq!(people.len(), 2);
    let ayu = &people[&mitra];
    assert_eq!((ayu.role, ayu.display_name.as_str()), (Role::Mitra, "Ayu"));
    assert_eq!((ayu.language.as_str(), ayu.is_active), ("id", true));
    assert_eq!(
        people[&customer.user_id].display_name,
        customer.display_name
    );
    assert!(directory.people(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_has_closed_their_account_has_a_neutral_name() {
    let app = start().await;
    let directory = app.context().ports.directory.get().unwrap();
    let customer = testing::customer(&app).await;
    app.delete("/api/auth/me")
        .bearer(&customer.access_token)
        .send()
        .await
        .expect(204);
    let people = directory.people(&[customer.user_id]).await.unwrap();
    let person = &people[&customer.user_id];
    assert_eq!(
        (person.display_name.as_str(), person.is_active),
        ("Akun ditutup", false)
    );
}
