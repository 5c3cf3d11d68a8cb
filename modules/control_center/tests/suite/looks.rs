//! The pages in a browser: each one's main act, as a person does it, and how it looks.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::{TestApp, eventually};

use crate::server::{ENTRIES, say, session};
use crate::stage::Stage;

async fn stage(role: AdminRole) -> Stage {
    Stage::set(TestApp::start(ENTRIES).await, role).await
}

#[tokio::test]
async fn an_owner_signs_in_and_sees_what_goes_on() {
    let app = TestApp::start(ENTRIES).await;
    let (mitra, customer, id) = session(&app).await;
    // Who says nothing at all is taken from the session.
    say(&app, &mitra, &id, "hello").await;
    for minute in 0..12 {
        for message in 0..(minute * 7 % 5) {
            say(&app, &customer, &id, &format!("{minute}.{message}")).await;
        }
        app.run_sweep("dashboard-minutes").await;
        app.clock.advance(Duration::from_secs(60));
        let beat = app.post("/api/mitra/status/heartbeat");
        beat.bearer(&mitra.access_token).send().await.expect(200);
    }
    let stage = Stage::set(app, AdminRole::Owner).await;
    let page = &stage.page;
    page.shows("#figures", "active sessions").await;
    page.shows("#figures .lights", "postgres").await;
    assert!(page.count("#figures svg").await >= 7, "a chart each");
    // The figures are fetched again by themselves, without a reload of the page.
    page.eval("document.querySelector('#figures').dataset.old = 'yes'")
        .await;
    eventually("the figures are fetched again", || async {
        stage.app.clock.advance(Duration::from_secs(5));
        page.eval("!document.querySelector('#figures').dataset.old")
            .await
            == true
    })
    .await;
    stage.look("dashboard").await;
}

#[tokio::test]
async fn a_wrong_password_keeps_the_email_and_says_why() {
    let app = TestApp::start(ENTRIES).await;
    let browser = halobestie_testkit::Browser::start().await;
    let url = format!("http://{}/mitras", app.internal_address());
    let page = browser.open(&url).await;
    page.write("[name=email]", "nobody@halobestie.test").await;
    page.write("[name=password]", "wrong").await;
    page.press("Enter").await;
    page.shows("[role=alert]", "The email or the password is wrong.")
        .await;
    let stage = Stage { app, page };
    let email = stage
        .page
        .eval("document.querySelector('[name=email]').value");
    assert_eq!(email.await, "nobody@halobestie.test");
    stage.look("sign-in").await;
}

#[tokio::test]
async fn an_operator_adds_a_mitra_mends_the_form_and_takes_access_away() {
    let stage = stage(AdminRole::Operator).await;
    let page = &stage.page;
    stage.go("/mitras").await;
    page.shows("#list", "Add the first one").await;
    stage.look("mitras-empty").await;
    page.click(".head .button").await;
    page.write("[name=phone]", "12").await;
    page.write("[name=display_name]", "Ayu").await;
    page.press("Enter").await;
    page.shows("#f-phone-wrong", "").await;
    stage.look("mitra-new").await;
    page.write("[name=phone]", "0812 3456 7890").await;
    page.press("Enter").await;
    page.shows("h1", "Ayu").await;
    page.shows("[role=status]", "Made.").await;
    page.shows(".facts", "+6281234567890").await;
    page.write("[name=max_sessions]", "7").await;
    page.press("Enter").await;
    page.shows("[role=status]", "Saved.").await;
    page.shows(".facts", "0 of 7").await;
    stage.look("mitra").await;
    stage.confirm("switch", "signed out everywhere").await;
    page.shows(".head .tag", "deactivated").await;
    page.shows(".facts", "An admin has deactivated them.").await;
    stage.confirm("switch", "can sign in again").await;
    page.shows(".head .tag", "offline").await;
}

#[tokio::test]
async fn a_list_is_searched_and_filtered_as_one_writes_and_its_address_keeps_it() {
    let app = TestApp::start(ENTRIES).await;
    for (at, name) in ["Ayu", "Bunga", "Citra", "Dewi"].into_iter().enumerate() {
        testing::register_mitra(&app, &format!("+62812345678{at:02}"), name).await;
    }
    session(&app).await;
    let stage = Stage::set(app, AdminRole::Viewer).await;
    let page = &stage.page;
    stage.go("/mitras").await;
    assert_eq!(page.count("#list tbody tr").await, 5);
    assert_eq!(page.count(".head .button").await, 0, "a viewer adds nobody");
    stage.look("mitras").await;
    page.write("[name=q]", "citr").await;
    page.until("document.querySelectorAll('#list tbody tr').length === 1")
        .await;
    page.shows("#list tbody", "Citra").await;
    page.until("location.search.includes('q=citr')").await;
    page.reload().await;
    assert_eq!(page.count("#list tbody tr").await, 1);
    stage.go("/mitras?sort=name&limit=2").await;
    page.shows("#list tbody", "Ayu").await;
    page.click("a[rel=next]").await;
    page.shows("#list tbody", "Bunga").await;
    stage.go("/mitras?standing=available").await;
    assert_eq!(page.count("#list tbody tr").await, 1);
    stage.go("/mitras?q=nobody").await;
    page.shows("#list", "No mitra is like this.").await;
}

#[tokio::test]
async fn an_operator_takes_access_from_a_customer_and_gives_it_again() {
    let app = TestApp::start(ENTRIES).await;
    let customer = testing::customer(&app).await;
    let stage = Stage::set(app, AdminRole::Operator).await;
    let page = &stage.page;
    stage.go("/customers").await;
    stage.look("customers").await;
    page.click("#list tbody th a").await;
    page.shows("h1", &customer.display_name).await;
    stage.confirm("switch", "signed out everywhere").await;
    page.shows(".head .tag", "deactivated").await;
    stage.look("customer").await;
    let me = stage.app.get("/api/auth/me").bearer(&customer.access_token);
    assert_eq!(me.send().await.status, 401);
    stage.confirm("switch", "can sign in again").await;
    page.shows(".head .tag", "active").await;
}

#[tokio::test]
async fn an_owner_makes_an_admin_and_gives_another_role() {
    let stage = stage(AdminRole::Owner).await;
    let page = &stage.page;
    stage.go("/admins").await;
    page.click(".head .button").await;
    page.write("[name=email]", "owner@halobestie.test").await;
    page.write("[name=display_name]", "Dewi").await;
    page.write("[name=password]", "a fine password").await;
    page.press("Enter").await;
    // Somebody has it: me.
    page.shows("#f-email-wrong", "Another admin has this email.")
        .await;
    stage.look("admin-new").await;
    page.write("[name=email]", "dewi@halobestie.test").await;
    page.write("[name=password]", "a fine password").await;
    page.press("Enter").await;
    page.shows("h1", "Dewi").await;
    stage.confirm("role-operator", "the daily work").await;
    page.shows("[role=status]", "Saved.").await;
    page.shows("section[aria-labelledby=role] strong", "operator")
        .await;
    stage.look("admin").await;
    page.click("button[commandfor=password]").await;
    page.shows("#password", "signed out everywhere at once")
        .await;
    page.write("#password [name=password]", "short").await;
    page.press("Enter").await;
    page.shows("[role=alert]", "8 to 71 bytes").await;
    page.click("button[commandfor=password]").await;
    page.write("#password [name=password]", "another fine one")
        .await;
    page.press("Enter").await;
    page.shows("[role=status]", "Saved.").await;
    stage.confirm("switch", "signed out everywhere").await;
    page.shows(".head .tag", "deactivated").await;
    stage.go("/admins?role=operator").await;
    page.shows("#list tbody", "dewi@halobestie.test").await;
    assert_eq!(page.count("#list tbody tr").await, 1);
    stage.go("/admins").await;
    stage.look("admins").await;
}

#[tokio::test]
async fn the_last_owner_is_told_why_they_stay_one() {
    let stage = stage(AdminRole::Owner).await;
    let page = &stage.page;
    stage.go("/admins").await;
    page.click("#list tbody th a").await;
    stage.confirm("switch", "This is you").await;
    page.shows("[role=alert]", "The last owner").await;
}

#[tokio::test]
async fn an_owner_edits_the_price_list_as_a_form() {
    let stage = stage(AdminRole::Owner).await;
    let page = &stage.page;
    stage.go("/config").await;
    stage.look("config").await;
    stage.go("/config/packages").await;
    assert_eq!(page.count("tbody tr").await, 3);
    page.click("button[value=add]").await;
    page.until("document.querySelectorAll('form tbody tr').length === 4")
        .await;
    page.shows(".draft", "Not saved yet.").await;
    page.write("[name='value[3].id']", "90m").await;
    page.write("[name='value[3].name']", "90 minutes").await;
    page.write("[name='value[3].minutes']", "90").await;
    page.write("[name='value[3].amount']", "110000").await;
    // The browser would not send what is out of range; whoever goes around it is told in place.
    page.eval("document.querySelector('#setting').noValidate = true")
        .await;
    page.write("[name='value[0].minutes']", "9999").await;
    page.press("Enter").await;
    page.shows("#f-value-0--minutes-wrong", "must be 1 to 1440")
        .await;
    stage.look("packages-wrong").await;
    page.write("[name='value[0].minutes']", "10").await;
    page.press("Enter").await;
    page.shows("[role=status]", "Saved.").await;
    page.shows("#list ins", "10").await;
    page.click("button[value='remove:1']").await;
    page.until("document.querySelectorAll('form tbody tr').length === 3")
        .await;
    page.click("button.main[value=save]").await;
    page.shows("[role=status]", "Saved.").await;
    page.until("document.querySelectorAll('#list tbody tr').length === 2")
        .await;
    stage.look("packages").await;
    let list = stage.app.get("/api/customer/packages").send().await.json();
    assert_eq!(list["items"][2]["amount"], 110_000);
    assert_eq!(list["items"][0]["minutes"], 10);
}

#[tokio::test]
async fn a_number_is_set_and_a_viewer_sees_it_alone() {
    let owner = stage(AdminRole::Operator).await;
    owner.go("/config/pairing.wave_size").await;
    owner.page.write("[name=value]", "7").await;
    owner.page.press("Enter").await;
    owner.page.shows("[role=status]", "Saved.").await;
    owner.look("setting").await;
    owner.go("/config/packages").await;
    owner
        .page
        .shows("#setting", "This setting is changed by owners.")
        .await;
    assert_eq!(owner.page.count("#setting button").await, 0);
}

#[tokio::test]
async fn the_system_says_what_runs_without_its_secrets() {
    let stage = stage(AdminRole::Viewer).await;
    let page = &stage.page;
    stage.go("/system").await;
    page.shows("main", "control_center").await;
    page.shows("#list", "[redacted]").await;
    stage.look("system").await;
    page.write("[name=q]", "jwt").await;
    page.until("document.querySelectorAll('#list tbody tr').length < 5")
        .await;
    page.shows("#list", "AUTH_JWT_SECRET").await;
}

#[tokio::test]
async fn everything_is_reached_from_the_keyboard() {
    let stage = stage(AdminRole::Operator).await;
    let page = &stage.page;
    testing::register_mitra(&stage.app, "+6281234567811", "Ayu").await;
    stage.go("/mitras").await;
    page.press("Tab").await;
    page.has_focus(".skip").await;
    page.press("Enter").await;
    page.has_focus("#main").await;
    page.focus("#list tbody th a").await;
    page.press("Enter").await;
    page.shows("h1", "Ayu").await;
    page.focus("button[commandfor=switch]").await;
    page.press("Enter").await;
    page.shows("#switch", "Deactivate Ayu?").await;
    page.press("Escape").await;
    page.until("!document.querySelector('#switch').open").await;
    page.has_focus("button[commandfor=switch]").await;
}

#[tokio::test]
async fn an_admin_changes_the_own_password_and_stays_signed_in() {
    let stage = stage(AdminRole::Viewer).await;
    let page = &stage.page;
    page.click(".who a").await;
    page.shows("h2", "Another password").await;
    page.write("[name=current]", "not mine").await;
    page.write("[name=new]", "another fine one").await;
    page.press("Enter").await;
    page.shows("#f-current-wrong", "is not your password").await;
    stage.look("account").await;
    page.write("[name=current]", "correct horse battery").await;
    page.write("[name=new]", "another fine one").await;
    page.press("Enter").await;
    page.shows("[role=status]", "The password is changed").await;
    stage.go("/audit").await;
    page.shows("#list tbody", "admin.password").await;
}

#[tokio::test]
async fn sweeps_run_and_what_was_done_is_shown() {
    let stage = stage(AdminRole::Operator).await;
    let page = &stage.page;
    stage.go("/sweeps").await;
    stage
        .confirm("run-core-cleanup", "what it does every")
        .await;
    page.shows("[role=status]", "The sweep ran.").await;
    stage.look("sweeps").await;
    stage.go("/audit").await;
    page.shows("#list tbody", "sweep.run").await;
    stage.look("audit").await;
}
