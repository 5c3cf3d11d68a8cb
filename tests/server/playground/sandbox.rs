//! The playground as `dev` runs it: codes are read, and invoices paid, in the sandbox.

use halobestie::modules::COMPILED;
use halobestie_sandbox::Sandbox;
use halobestie_testkit::{Browser, Plan, TestApp, eventually_some};

use super::{CUSTOMER, MITRA, Side, Stage};

fn plan(sandbox: &Sandbox) -> Plan {
    let mut plan = TestApp::with(COMPILED)
        .env("PLAYGROUND_ENABLED", "true")
        .env("PLAYGROUND_SANDBOX_URL", sandbox.pages_url());
    for (name, value) in sandbox.variables() {
        plan = plan.env(name, &value);
    }
    plan
}

/// Reads the code where a person reads it, and shows it.
async fn sign_in(stage: &Stage, sandbox: &Sandbox, side: Side, phone: &str) {
    stage.click(side, "send").await;
    stage
        .shows(side, "hint", "the sandbox: copy it from there")
        .await;
    let link = format!("{} a[href='{}']", side.part("hint"), sandbox.pages_url());
    assert_eq!(stage.page.count(&link).await, 1);
    let code = || async { sandbox.fazpass.last_code(phone) };
    let code = eventually_some("the code reaches the sandbox", code).await;
    stage.page.write(&side.part("code"), &code).await;
    stage.page.press("Enter").await;
    stage.shows(side, "line", "Live").await;
}

/// Follows the link and pays, in a tab of its own.
async fn pay(stage: &Stage, browser: &Browser) {
    let invoice = CUSTOMER.part("invoice");
    stage.page.shows(&invoice, "Pay at the sandbox").await;
    let script = format!("document.querySelector('{invoice}').href");
    let url = stage.page.eval(&script).await;
    let checkout = browser
        .open(url.as_str().expect("a link leads somewhere"))
        .await;
    checkout.click("button.main").await;
    checkout.shows("body", "PAID").await;
}

/// From now on what is told on the line overtakes the answer that asks for more time, and nobody who
/// asks for a payment is answered.
async fn hold_answers(stage: &Stage) {
    let invoice = CUSTOMER.part("invoice");
    let script = format!(
        "const fetched = window.fetch;
        window.fetch = async (path, ...rest) => {{
            if (path.includes('/payments/')) return new Promise(() => {{}});
            const answer = await fetched(path, ...rest);
            if (!path.includes('/extensions')) return answer;
            while (document.querySelector('{invoice}').hidden) await new Promise((done) => setTimeout(done, 10));
            setTimeout(() => {{ window.isOvertaken = true; }}, 100);
            return answer;
        }};
        0"
    );
    stage.page.eval(&script).await;
}

#[tokio::test]
async fn codes_are_read_and_invoices_paid_at_the_sandbox() {
    let (sandbox, browser) = tokio::join!(Sandbox::start(), Browser::start());
    let stage = Stage::with(plan(&sandbox), &browser).await;
    let webhooks = format!("http://{}/api/webhooks/xendit", stage.app.public_address());
    sandbox.xendit.set_webhook_url(&webhooks);
    sign_in(&stage, &sandbox, CUSTOMER, "+6281311112222").await;
    sign_in(&stage, &sandbox, MITRA, "+6281200000001").await;
    stage.go_online(MITRA).await;
    stage.click(CUSTOMER, "find").await;
    stage.click(MITRA, "accept").await;
    stage
        .shows(MITRA, "due", "Waiting for the customer to pay Rp")
        .await;
    stage.shows(CUSTOMER, "due", "25.000").await;
    stage.page.picture("playground-due-1400-light").await;
    pay(&stage, &browser).await;
    stage.shows(CUSTOMER, "status", "active").await;
    stage.shows(MITRA, "status", "active").await;
    stage.write(CUSTOMER, "Sudah kubayar.").await;
    stage.hears(MITRA, "Sudah kubayar.").await;
    hold_answers(&stage).await;
    stage.click(CUSTOMER, "extend").await;
    stage.page.until("window.isOvertaken").await;
    stage
        .shows(CUSTOMER, "due", "The time is added when it is paid")
        .await;
    pay(&stage, &browser).await;
    stage.shows(CUSTOMER, "remaining", "29:").await;
    let due = format!("document.querySelector('{}').hidden", CUSTOMER.part("pay"));
    stage.page.until(&due).await;
    stage.end().await;
}
