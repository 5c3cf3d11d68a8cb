//! Refreshing: rotation, the tolerance for a lost answer, and theft.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use halobestie_auth::testing::{self, SignedIn};
use halobestie_testkit::TestApp;

use crate::server::{me, refresh, seconds, start, text};

async fn signed_in() -> (TestApp, SignedIn) {
    let app = start().await;
    let person = testing::customer(&app).await;
    (app, person)
}

/// Shows a token and gives the next one.
async fn next(app: &TestApp, token: &str) -> String {
    text(
        &refresh(app, token).await.expect(200).json(),
        "refresh_token",
    )
}

/// Whether the session of a token is revoked, and that the newest token is refused.
async fn assert_revoked(app: &TestApp, person: &SignedIn, newest: &str) {
    me(app, &person.access_token)
        .await
        .problem("unauthenticated", 401);
    refresh(app, newest).await.problem("refresh_invalid", 401);
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_session() {
    let (app, person) = signed_in().await;
    app.clock.advance(seconds(600));
    let answer = refresh(&app, &person.refresh_token).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    assert_eq!(tokens["user"]["id"], person.user_id.to_string());
    assert_eq!(tokens["user"]["is_new"], false);
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["refresh_expires_in"], 30 * 24 * 3600);
    assert_ne!(text(&tokens, "refresh_token"), person.refresh_token);
    let access_token = text(&tokens, "access_token");
    assert_eq!(session_of(&access_token), session_of(&person.access_token));
    me(&app, &access_token).await.expect(200);
    // The access token of before lives on to its own end.
    me(&app, &person.access_token).await.expect(200);
}

fn session_of(access_token: &str) -> String {
    text(&crate::forge::opened(access_token).1, "sid")
}

#[tokio::test]
async fn a_usual_refresh_is_one_statement() {
    let (app, person) = signed_in().await;
    let token = next(&app, &person.refresh_token).await;
    let before = app.statement_count();
    next(&app, &token).await;
    assert_eq!(app.statement_count() - before, 1);
}

#[tokio::test]
async fn a_chain_of_refreshes_goes_on_for_months() {
    let (app, person) = signed_in().await;
    let mut token = person.refresh_token.clone();
    for _ in 0..5 {
        app.clock.advance(seconds(29 * 24 * 3600));
        token = next(&app, &token).await;
    }
}

#[tokio::test]
async fn a_token_that_nobody_shows_ends_after_thirty_days() {
    let (app, person) = signed_in().await;
    app.clock.advance(seconds(30 * 24 * 3600));
    refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_invalid", 401);
}

#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let (app, person) = signed_in().await;
    let lost = next(&app, &person.refresh_token).await;
    app.clock.advance(seconds(10));
    let again = refresh(&app, &person.refresh_token)
        .await
        .expect(200)
        .json();
    assert_eq!(text(&again, "refresh_token"), lost);
    assert_eq!(again["refresh_expires_in"], 30 * 24 * 3600 - 10);
    // And the chain goes on from it.
    let after = next(&app, &lost).await;
    next(&app, &after).await;
}

#[tokio::test]
async fn the_tolerance_is_for_once_more() {
    let (app, person) = signed_in().await;
    let newest = next(&app, &person.refresh_token).await;
    next(&app, &person.refresh_token).await;
    refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_reused", 401);
    assert_revoked(&app, &person, &newest).await;
}

#[tokio::test]
async fn the_tolerance_ends_after_ten_seconds() {
    let (app, person) = signed_in().await;
    let newest = next(&app, &person.refresh_token).await;
    app.clock
        .advance(seconds(10) + std::time::Duration::from_millis(1));
    refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_reused", 401);
    assert_revoked(&app, &person, &newest).await;
}

#[tokio::test]
async fn the_tolerance_ends_when_the_successor_is_used() {
    let (app, person) = signed_in().await;
    let second = next(&app, &person.refresh_token).await;
    let newest = next(&app, &second).await;
    refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_reused", 401);
    assert_revoked(&app, &person, &newest).await;
}

#[tokio::test]
async fn each_rotation_has_its_own_tolerance() {
    let (app, person) = signed_in().await;
    let mut token = person.refresh_token.clone();
    for _ in 0..3 {
        let successor = next(&app, &token).await;
        assert_eq!(next(&app, &token).await, successor);
        token = successor;
    }
}

#[tokio::test]
async fn theft_ends_one_session_and_leaves_the_others() {
    let app = start().await;
    let phone = testing::fresh_phone();
    let role = halobestie_core::ports::Role::Customer;
    let stolen = testing::sign_in(&app, role, &phone).await;
    app.clock.advance(seconds(30));
    let other = testing::sign_in(&app, role, &phone).await;
    let second = next(&app, &stolen.refresh_token).await;
    next(&app, &second).await;
    refresh(&app, &stolen.refresh_token)
        .await
        .problem("refresh_reused", 401);
    me(&app, &other.access_token).await.expect(200);
    next(&app, &other.refresh_token).await;
    let row = app
        .database
        .row(
            "SELECT revoke_reason FROM auth_sessions WHERE revoked_at IS NOT NULL",
            &[],
        )
        .await;
    assert_eq!(row.get::<_, &str>(0), "refresh_reused");
}

#[tokio::test]
async fn what_never_was_a_token_revokes_nothing() {
    let (app, person) = signed_in().await;
    let bytes = URL_SAFE_NO_PAD.decode(&person.refresh_token).unwrap();
    // A session's id is no secret: knowing it must not be enough to sign somebody out.
    for index in [16, 47, 48, 63] {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let token = URL_SAFE_NO_PAD.encode(&changed);
        refresh(&app, &token).await.problem("refresh_invalid", 401);
    }
    let mut of_nobody = bytes.clone();
    of_nobody[..16].fill(0);
    let of_nobody = URL_SAFE_NO_PAD.encode(&of_nobody);
    let huge = "A".repeat(10_000);
    for garbage in [&of_nobody, "", "garbage", &person.access_token, &huge] {
        refresh(&app, garbage).await.problem("refresh_invalid", 401);
    }
    next(&app, &person.refresh_token).await;
}

#[tokio::test]
async fn a_disabled_account_is_refused_and_its_session_ends() {
    let (app, person) = signed_in().await;
    set_active(&app, &person, false).await;
    refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_invalid", 401);
    me(&app, &person.access_token)
        .await
        .problem("unauthenticated", 401);
    // Being enabled again does not bring the session back.
    set_active(&app, &person, true).await;
    refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_invalid", 401);
}

async fn set_active(app: &TestApp, person: &SignedIn, is_active: bool) {
    let sql = "UPDATE users SET is_active = $2 WHERE id = $1";
    assert_eq!(
        app.database
            .execute(sql, &[&person.user_id, &is_active])
            .await,
        1
    );
}

#[tokio::test]
async fn the_tolerance_is_configurable() {
    let plan = TestApp::with(crate::server::ENTRIES);
    let app = plan.env("AUTH_REFRESH_REUSE_SECONDS", "60").start().await;
    let person = testing::customer(&app).await;
    let lost = next(&app, &person.refresh_token).await;
    app.clock.advance(seconds(60));
    assert_eq!(next(&app, &person.refresh_token).await, lost);
}
