//! Sessions, requests and reports in a browser: what somebody who looks after them does.

use std::time::Duration;

use halobestie_auth::testing::{self, SignedIn};
use halobestie_core::ports::AdminRole;
use halobestie_testkit::TestApp;
use serde_json::json;

use crate::server::{ENTRIES, say, session};
use crate::stage::Stage;

/// A report of a customer about their mitra.
async fn report(app: &TestApp, customer: &SignedIn, session_id: &str) {
    let call = app
        .post(&format!("/api/chat/sessions/{session_id}/report"))
        .bearer(&customer.access_token)
        .json(&json!({"reason": "rude", "details": "They laughed at me.\nTwice."}));
    call.send().await.expect(201);
}

/// A request that one mitra declines and another wins.
async fn contested(app: &TestApp) -> (SignedIn, SignedIn, String) {
    let (winner, loser) = (testing::mitra(app).await, testing::mitra(app).await);
    for mitra in [&winner, &loser] {
        let online = app.post("/api/mitra/status/online");
        online.bearer(&mitra.access_token).send().await.expect(200);
    }
    let customer = testing::customer(app).await;
    let asked = app
        .post("/api/customer/chat/requests")
        .bearer(&customer.access_token)
        .json(&json!({"package_id": "15m", "topic": "sleep"}));
    let asked = asked.send().await.expect(201).json();
    let id = asked["id"].as_str().expect("an id").to_owned();
    for (mitra, answer, status) in [(&loser, "decline", 204), (&winner, "accept", 200)] {
        app.clock.advance(Duration::from_millis(1500));
        let path = format!("/api/mitra/chat/offers/{id}/{answer}");
        let call = app.post(&path).bearer(&mitra.access_token);
        call.send().await.expect(status);
    }
    (winner, loser, id)
}

#[tokio::test]
async fn an_operator_finds_a_session_reads_it_for_a_reason_and_ends_it() {
    let app = TestApp::start(ENTRIES).await;
    let (mitra, customer, id) = session(&app).await;
    session(&app).await;
    say(&app, &customer, &id, "I cannot sleep").await;
    say(&app, &mitra, &id, "Tell me about it").await;
    let stage = Stage::set(app, AdminRole::Operator).await;
    let page = &stage.page;
    stage.go("/sessions").await;
    assert_eq!(page.count("#list tbody tr").await, 2);
    stage.look("sessions").await;
    page.write("[name=customer]", &customer.user_id.to_string())
        .await;
    page.until("document.querySelectorAll('#list tbody tr').length === 1")
        .await;
    page.until("location.search.startsWith('?customer=')").await;
    page.click("#list tbody th a").await;
    page.shows("#pulse", "15 min left").await;
    page.shows("main", "bought with the session").await;
    stage.look("session").await;
    page.write("[name=reason]", "a complaint by phone").await;
    page.press("Enter").await;
    page.shows(".said", "I cannot sleep").await;
    page.shows(".said .by-mitra", "Tell me about it").await;
    page.shows("[role=status]", "a complaint by phone").await;
    page.until("!location.href.includes('complaint')").await;
    stage.look("transcript").await;
    stage.go(&format!("/audit?subject=session:{id}")).await;
    page.shows("#list tbody", "a complaint by phone").await;
    stage.go(&format!("/sessions/{id}")).await;
    stage
        .confirm("end", "(15 min) is credited to the customer")
        .await;
    page.shows("[role=status]", "The session has ended").await;
    page.shows("#pulse", "admin ended").await;
    assert_eq!(page.count("button[commandfor=end]").await, 0);
}

#[tokio::test]
async fn a_request_tells_who_declined_who_won_and_how_fast() {
    let app = TestApp::start(ENTRIES).await;
    let (winner, loser, id) = contested(&app).await;
    let stage = Stage::set(app, AdminRole::Viewer).await;
    let page = &stage.page;
    stage
        .go(&format!("/requests?mitra={}", loser.user_id))
        .await;
    assert_eq!(page.count("#list tbody tr").await, 1);
    page.shows("#list tbody", "3 s").await;
    stage.look("requests").await;
    page.click("#list tbody th a").await;
    page.until(&format!("location.pathname === '/requests/{id}'"))
        .await;
    let won = format!("tr:has(a[href='/mitras/{}'])", winner.user_id);
    page.shows(&won, "won").await;
    let declined = format!("tr:has(a[href='/mitras/{}'])", loser.user_id);
    page.shows(&declined, "declined").await;
    page.shows(&declined, "1.5 s").await;
    stage.look("request").await;
}

#[tokio::test]
async fn a_report_is_resolved_with_a_note_and_not_without() {
    let app = TestApp::start(ENTRIES).await;
    let (mitra, customer, id) = session(&app).await;
    say(&app, &customer, &id, "I cannot sleep").await;
    say(&app, &mitra, &id, "Ha ha").await;
    report(&app, &customer, &id).await;
    let stage = Stage::set(app, AdminRole::Operator).await;
    let page = &stage.page;
    stage.go("/reports").await;
    stage.look("reports").await;
    page.click("#list tbody th a").await;
    page.shows("blockquote", "They laughed at me.").await;
    page.shows(".said .by-mitra", "Ha ha").await;
    page.click("button[value=resolved]").await;
    page.shows("#f-note-wrong", "what was found and done").await;
    stage.look("report").await;
    page.write("[name=note]", "Spoke to Ayu; she is sorry.")
        .await;
    page.click("button[value=resolved]").await;
    page.shows("[role=status]", "Saved.").await;
    page.shows(".head .tag", "resolved").await;
    stage.go("/reports?status=open").await;
    page.shows(".empty", "No report is like this.").await;
}

#[tokio::test]
async fn an_empty_list_says_what_to_do() {
    let stage = Stage::set(TestApp::start(ENTRIES).await, AdminRole::Viewer).await;
    let page = &stage.page;
    for (path, says) in [
        ("/sessions", "One begins when a mitra accepts"),
        ("/requests", "Nobody has asked for a chat yet"),
        ("/reports", "Nobody has complained"),
        ("/payments", "XENDIT_ENABLED=true"),
        ("/sessions?since=2026-01-01", "Show all sessions"),
    ] {
        stage.go(path).await;
        page.shows(".empty", says).await;
    }
    stage.look("sessions-empty").await;
}
