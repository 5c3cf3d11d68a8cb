//! The accounts of admins, as the command line manages them.

use std::sync::Arc;

use halobestie_auth::testing;
use halobestie_core::ports::{Admin, AdminAccounts, AdminError, AdminRole, NewAdmin};
use halobestie_testkit::{TestApp, TestResponse, eventually};
use serde_json::json;

use crate::server::{me, start};

const EMAIL: &str = "ratu@halobestie.test";
const PASSWORD: &str = "correct horse battery";

fn accounts(app: &TestApp) -> Arc<dyn AdminAccounts> {
    app.context().ports.admin_accounts.get().unwrap().clone()
}

async fn create(app: &TestApp, email: &str, password: &str) -> Result<Admin, AdminError> {
    make(app, email, "Ratu", password).await
}

async fn make(
    app: &TestApp,
    email: &str,
    display_name: &str,
    password: &str,
) -> Result<Admin, AdminError> {
    let accounts = accounts(app);
    let new = NewAdmin {
        email: email.to_owned(),
        display_name: display_name.to_owned(),
        role: AdminRole::Viewer,
    };
    let password = accounts.hash_password(password.into()).await?;
    let mut client = app.context().db.client().await?;
    let tx = client.begin().await?;
    let made = accounts.create(&tx, &new, &password).await?;
    tx.commit().await?;
    Ok(made)
}

/// Sets another password, as the command line does.
async fn reset(app: &TestApp, password: &str) -> Result<(), AdminError> {
    let accounts = accounts(app);
    let password = accounts.hash_password(password.into()).await?;
    let mut client = app.context().db.client().await?;
    let tx = client.begin().await?;
    let (_, tell) = accounts.reset_password(&tx, EMAIL, &password).await?;
    tx.commit().await?;
    tell.run().await;
    Ok(())
}

async fn login(app: &TestApp, password: &str) -> TestResponse {
    let body = json!({"email": EMAIL, "password": password});
    let call = app.internal_post("/api/admin/auth/login").json(&body);
    call.send().await
}

#[tokio::test]
async fn a_made_admin_signs_in_and_is_listed() {
    let app = start().await;
    let made = create(&app, " Ratu@Halobestie.test", PASSWORD).await;
    assert_eq!(made.unwrap().email, EMAIL);
    let user = login(&app, PASSWORD).await.expect(200).json()["user"].clone();
    assert_eq!(
        (&user["role"], &user["display_name"]),
        (&json!("admin"), &json!("Ratu"))
    );
    let listed = accounts(&app).list().await.unwrap();
    assert_eq!(listed.len(), 1);
    let ratu = &listed[0];
    assert_eq!((ratu.email.as_str(), ratu.role), (EMAIL, AdminRole::Viewer));
    assert_eq!(
        (ratu.is_active, ratu.last_used_at),
        (true, Some(app.clock.now()))
    );
    let kept = "SELECT password_hash FROM users";
    let kept: String = app.database.row(kept, &[]).await.get(0);
    assert!(kept.starts_with("$2b$"));
}

#[tokio::test]
async fn an_account_is_made_once_and_only_of_what_makes_one() {
    let app = start().await;
    let accounts = accounts(&app);
    create(&app, EMAIL, PASSWORD).await.unwrap();
    let again = create(&app, "RATU@halobestie.test", PASSWORD).await;
    assert!(matches!(again, Err(AdminError::Exists(_))), "{again:?}");
    let no_email = create(&app, "ratu", PASSWORD).await;
    assert!(
        matches!(no_email, Err(AdminError::NotAnEmail(_))),
        "{no_email:?}"
    );
    for password in ["", "seven77", &"x".repeat(72), "a NUL \0 in it"] {
        let bad = create(&app, "dewi@halobestie.test", password).await;
        assert!(matches!(bad, Err(AdminError::BadPassword)), "{bad:?}");
        let bad = reset(&app, password).await;
        assert!(matches!(bad, Err(AdminError::BadPassword)));
    }
    let unnamed = make(&app, "dewi@halobestie.test", " ", PASSWORD).await;
    assert!(matches!(unnamed, Err(AdminError::NotAName)));
    assert_eq!(accounts.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_customer_with_the_same_email_is_somebody_else() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let sql = "UPDATE users SET email = $1 WHERE id = $2";
    app.database.execute(sql, &[&EMAIL, &person.user_id]).await;
    let unknown = reset(&app, PASSWORD).await;
    assert!(matches!(unknown, Err(AdminError::Unknown(_))));
    create(&app, EMAIL, PASSWORD).await.unwrap();
    login(&app, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_reset_signs_out_everywhere_and_only_the_new_password_is_right() {
    let app = start().await;
    let replica = app.replica().await;
    create(&app, EMAIL, PASSWORD).await.unwrap();
    let here = testing::signed_in(&login(&app, PASSWORD).await.expect(200).json());
    me(&replica, &here.access_token).await.expect(200);

    reset(&app, "another fine one").await.unwrap();
    me(&app, &here.access_token)
        .await
        .problem("unauthenticated", 401);
    eventually("the other replica hears of it", || async {
        me(&replica, &here.access_token).await.status == 401
    })
    .await;
    let body = json!({"refresh_token": here.refresh_token});
    let call = app.internal_post("/api/admin/auth/refresh").json(&body);
    call.send().await.problem("refresh_invalid", 401);
    login(&app, PASSWORD)
        .await
        .problem("invalid_credentials", 401);
    login(&app, "another fine one").await.expect(200);
    let reason = "SELECT revoke_reason FROM auth_sessions WHERE revoked_at IS NOT NULL";
    let reason: String = app.database.row(reason, &[]).await.get(0);
    assert_eq!(reason, "password_reset");
}

#[tokio::test]
async fn a_reset_forgets_the_wrong_passwords_that_were_tried() {
    let app = start().await;
    create(&app, EMAIL, PASSWORD).await.unwrap();
    for _ in 0..5 {
        login(&app, "wrong")
            .await
            .problem("invalid_credentials", 401);
    }
    login(&app, PASSWORD).await.problem("rate_limited", 429);
    reset(&app, PASSWORD).await.unwrap();
    login(&app, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn no_session_of_the_old_password_outlives_a_reset() {
    let app = start().await;
    create(&app, EMAIL, PASSWORD).await.unwrap();
    for round in 0..8 {
        let (before, after) = (password(round), password(round + 1));
        reset(&app, &before).await.unwrap();
        let (signed_in, done) = tokio::join!(login(&app, &before), reset(&app, &after));
        done.unwrap();
        assert!(
            [200, 401].contains(&signed_in.status.as_u16()),
            "{signed_in}"
        );
        let living = "SELECT count(*) FROM auth_sessions WHERE revoked_at IS NULL";
        assert_eq!(app.database.row(living, &[]).await.get::<_, i64>(0), 0);
    }
}

fn password(round: u32) -> String {
    format!("password number {round}")
}

#[tokio::test]
async fn the_seeded_admin_is_the_owner() {
    let app = start().await;
    app.seed().await;
    let listed = accounts(&app).list().await.unwrap();
    let roles: Vec<AdminRole> = listed.iter().map(|it| it.role).collect();
    assert_eq!(roles, [AdminRole::Owner]);
}

#[tokio::test]
async fn an_admin_is_neither_named_nor_closed_by_the_public_listener() {
    let app = start().await;
    create(&app, EMAIL, PASSWORD).await.unwrap();
    let admin = testing::signed_in(&login(&app, PASSWORD).await.expect(200).json());
    let named = app.patch("/api/auth/me").bearer(&admin.access_token);
    let named = named.json(&json!({"display_name": "Somebody else"}));
    named.send().await.problem("forbidden", 403);
    let closed = app.delete("/api/auth/me").bearer(&admin.access_token);
    closed.send().await.problem("forbidden", 403);
    let listed = accounts(&app).list().await.unwrap();
    assert_eq!(listed[0].display_name, "Ratu");
    me(&app, &admin.access_token).await.expect(200);
}

#[tokio::test]
async fn what_nobody_can_have_is_a_wrong_password() {
    let app = start().await;
    create(&app, EMAIL, PASSWORD).await.unwrap();
    let sessions = app.context().ports.admin_sessions.get().unwrap().clone();
    let with_nul = format!("{PASSWORD}\0");
    for (email, password) in [("ratu\0@halobestie.test", PASSWORD), (EMAIL, &with_nul)] {
        let refused = sessions.sign_in(email, password.into(), [127, 0, 0, 1].into());
        let problem = refused.await.unwrap_err();
        assert_eq!(problem.code().name, "invalid_credentials", "{email:?}");
    }
    // By HTTP it is refused where it is read, by its name.
    let body = json!({"email": "ratu\0", "password": PASSWORD});
    let call = app.internal_post("/api/admin/auth/login").json(&body);
    let problem = call.send().await.problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "email");
}
