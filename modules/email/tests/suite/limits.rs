//! How often links may be asked for.

use std::sync::Arc;

use halobestie_core::app::Role;
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::{ask, fresh_email, plan, seconds, start};
use crate::smtp::MailServer;

async fn ask_from(app: &TestApp, address: &str, email: &str) -> TestResponse {
    let call = app
        .post("/api/auth/email/request")
        .json(&json!({"email": email}));
    call.header("x-forwarded-for", address).send().await
}

async fn behind_a_proxy(variables: &[(&str, &str)]) -> (TestApp, MailServer) {
    let mail = MailServer::start().await;
    let mut plan = plan(&mail).env("TRUSTED_PROXIES", "127.0.0.0/8");
    for (name, value) in variables {
        plan = plan.env(name, value);
    }
    (plan.start().await, mail)
}

#[tokio::test]
async fn one_email_is_written_to_every_thirty_seconds_and_five_times_an_hour() {
    let (app, _mail) = start().await;
    let email = fresh_email();
    for _ in 0..5 {
        ask(&app, &email).await.expect(202);
        let refused = ask(&app, &email).await;
        refused.problem("rate_limited", 429);
        assert_eq!(refused.retry_after(), 30);
        app.clock.advance(seconds(30));
    }
    let refused = ask(&app, &email).await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 3600 - 5 * 30);
    // Others are not concerned.
    ask(&app, &fresh_email()).await.expect(202);
    app.clock.advance(seconds(3600 - 5 * 30));
    ask(&app, &email).await.expect(202);
}

#[tokio::test]
async fn one_address_may_ask_for_so_many_in_an_hour() {
    let (app, _mail) = behind_a_proxy(&[("EMAIL_ADDRESS_HOURLY", "3")]).await;
    let from = async |address: &str| ask_from(&app, address, &fresh_email()).await;
    for _ in 0..3 {
        from("2001:db8:1:1::1").await.expect(202);
    }
    // A /64 is one client, however many addresses it has.
    let refused = from("2001:db8:1:1::2").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 3600);
    from("2001:db8:1:2::1").await.expect(202);
    app.clock.advance(seconds(3600));
    from("2001:db8:1:1::2").await.expect(202);
}

#[tokio::test]
async fn everybody_together_has_a_budget_a_day() {
    let (app, _mail) = behind_a_proxy(&[("EMAIL_DAILY_BUDGET", "3")]).await;
    for host in 1..=3 {
        let address = format!("203.0.113.{host}");
        ask_from(&app, &address, &fresh_email()).await.expect(202);
    }
    let refused = ask_from(&app, "203.0.113.4", &fresh_email()).await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 24 * 3600);
    app.clock.advance(seconds(24 * 3600));
    ask_from(&app, "203.0.113.4", &fresh_email())
        .await
        .expect(202);
}

#[tokio::test]
async fn a_limit_holds_when_two_replicas_are_asked_at_once() {
    let (app, mail) = start().await;
    let app = Arc::new(app);
    let replica = Arc::new(app.replica().await);
    let email = fresh_email();
    let mut asking = JoinSet::new();
    for index in 0..20 {
        let app = if index % 2 == 0 { &app } else { &replica }.clone();
        let email = email.clone();
        asking.spawn(async move { ask(&app, &email).await.status.as_u16() });
    }
    let statuses = asking.join_all().await;
    assert_eq!(
        statuses.iter().filter(|it| **it == 202).count(),
        1,
        "{statuses:?}"
    );
    mail.letter(&email, 1).await;
}

/// A server that sweeps only when the test says so.
async fn unswept() -> TestApp {
    let mail = MailServer::start().await;
    plan(&mail).role(Role::Api).start().await
}

#[tokio::test]
async fn links_are_deleted_after_a_day() {
    let app = unswept().await;
    ask(&app, &fresh_email()).await.expect(202);
    app.clock.advance(seconds(24 * 3600));
    assert_eq!(app.run_sweep("email-cleanup").await.changed, 0);
    app.clock.advance(seconds(1));
    assert_eq!(app.run_sweep("email-cleanup").await.changed, 1);
    let left = app
        .database
        .row("SELECT count(*) FROM email_links", &[])
        .await;
    assert_eq!(left.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn the_sweep_goes_on_until_all_is_gone() {
    let app = unswept().await;
    let many = "INSERT INTO email_links (id, token_hash, email, recipient_hash, network_hash,
                                         created_at, expires_at)
                SELECT gen_random_uuid(), sha256(n::text::bytea), 'a@b', '', '', $1, $1
                  FROM generate_series(1, 1500) n";
    app.database.execute(many, &[&app.clock.now()]).await;
    app.clock.advance(seconds(24 * 3600 + 1));
    app.run_sweep("email-cleanup").await;
    let left = app
        .database
        .row("SELECT count(*) FROM email_links", &[])
        .await;
    assert_eq!(left.get::<_, i64>(0), 0);
}
