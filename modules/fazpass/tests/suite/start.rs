//! Which starts are refused, and that their messages keep the keys to themselves.

use halobestie_auth::testing::fresh_phone;
use halobestie_sandbox::Sandbox;

use crate::server::{ask, plan};

const PRODUCTION: &[(&str, &str)] = &[("APP_ENV", "production"), ("AUTH_BCRYPT_COST", "10")];

async fn refused(changes: &[(&str, &str)]) -> String {
    let sandbox = Sandbox::start().await;
    let variables: Vec<_> = PRODUCTION.iter().chain(changes).copied().collect();
    match plan(&sandbox, &variables).try_start().await {
        Ok(_) => panic!("started with {changes:?}"),
        Err(problem) => problem,
    }
}

#[tokio::test]
async fn production_starts_with_fazpass_and_nobody_named() {
    let sandbox = Sandbox::start().await;
    let app = plan(&sandbox, PRODUCTION).start().await;
    let phone = fresh_phone();
    ask(&app, &phone).await.expect(202);
    assert_eq!(sandbox.fazpass.messages_to(&phone).len(), 1);
}

#[tokio::test]
async fn production_without_fazpass_and_nobody_named_is_refused() {
    let problem = refused(&[("FAZPASS_ENABLED", "false")]).await;
    assert!(problem.contains("OTP_BYPASS_PHONES"), "{problem}");
    assert!(problem.contains("FAZPASS_ENABLED"), "{problem}");
}

#[tokio::test]
async fn fazpass_without_its_keys_is_refused() {
    let problem = refused(&[("FAZPASS_MERCHANT_KEY", ""), ("FAZPASS_GATEWAY_KEY", "")]).await;
    assert!(problem.contains("FAZPASS_MERCHANT_KEY"), "{problem}");
    assert!(problem.contains("FAZPASS_GATEWAY_KEY"), "{problem}");
    // Everything wrong is said at once, and what is right about the other module is not.
    assert!(!problem.contains("OTP_BYPASS_PHONES"), "{problem}");
}

#[tokio::test]
async fn a_wrong_value_is_named_and_a_secret_is_not_quoted() {
    let problem = refused(&[("FAZPASS_BASE_URL", "api.fazpass.com")]).await;
    assert!(problem.contains("FAZPASS_BASE_URL"), "{problem}");
    let problem = refused(&[("FAZPASS_MERCHANT_KEY", "a secret with spaces")]).await;
    assert!(problem.contains("FAZPASS_MERCHANT_KEY"), "{problem}");
    assert!(!problem.contains("secret with"), "{problem}");
}

#[tokio::test]
async fn without_fazpass_development_signs_in_by_the_fixed_code() {
    let sandbox = Sandbox::start().await;
    let app = plan(&sandbox, &[("FAZPASS_ENABLED", "false")])
        .start()
        .await;
    let sent = ask(&app, &fresh_phone()).await.expect(202).json();
    assert_eq!(sent["channel"], "bypass");
    assert!(sandbox.fazpass.calls().is_empty());
}
