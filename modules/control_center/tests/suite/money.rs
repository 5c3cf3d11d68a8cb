//! Payments in a browser, against the Xendit of a sandbox.

use halobestie_core::Entry;
use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use halobestie_core::ports::AdminRole;
use halobestie_sandbox::Sandbox;
use halobestie_sandbox::xendit::Channel;
use halobestie_testkit::{TestApp, eventually, eventually_some};

use crate::forms::{self, send};
use crate::pages::cookie;
use crate::stage::Stage;

/// A server that sells.
static ENTRIES: &[Entry] = &[
    Entry::of::<halobestie_auth::Auth>(),
    Entry::of::<halobestie_availability::Mitras>(),
    Entry::of::<halobestie_chat::Chat>(),
    Entry::of::<halobestie_control_center::ControlCenter>(),
    Entry::of::<halobestie_xendit::Xendit>(),
];

/// A server and its Xendit.
struct Shop {
    app: TestApp,
    sandbox: Sandbox,
}

impl Shop {
    async fn open() -> Self {
        let clock = Clock::manual(Timestamp::from_unix_ms(1_768_464_000_000));
        let sandbox = Sandbox::with_clock(clock.clone()).await;
        sandbox.xendit.set_rate_limit(100_000);
        let mut plan = TestApp::with(ENTRIES).clock(clock);
        for (name, value) in sandbox.xendit.variables() {
            plan = plan.env(name, &value);
        }
        let app = plan.start().await;
        let webhooks = format!("http://{}/api/webhooks/xendit", app.public_address());
        sandbox.xendit.set_webhook_url(&webhooks);
        Self { app, sandbox }
    }

    /// An accepted request, whose invoice is made: the payment's id.
    async fn sell(&self) -> String {
        let (_, _, session_id) = crate::server::session(&self.app).await;
        let session_id: uuid::Uuid = session_id.parse().expect("an id");
        let sql = "SELECT id::text FROM payments WHERE session_id = $1";
        let id: String = self.app.database.row(sql, &[&session_id]).await.get(0);
        eventually_some("the invoice is made", || async {
            self.sandbox.xendit.invoices_of(&id).pop()
        })
        .await;
        self.becomes(&id, "pending").await;
        id
    }

    async fn becomes(&self, id: &str, status: &str) {
        let sql = "SELECT status FROM payments WHERE id::text = $1";
        let what = format!("the payment is {status}");
        eventually(&what, || async {
            let row = self.app.database.row(sql, &[&id]).await;
            row.get::<_, String>(0) == status
        })
        .await;
    }

    fn invoice(&self, id: &str) -> String {
        self.sandbox.xendit.invoices_of(id).remove(0).id
    }

    async fn paid(&self) -> String {
        let id = self.sell().await;
        let invoice = self.invoice(&id);
        self.sandbox.xendit.pay_by(&invoice, Channel::Dana);
        self.becomes(&id, "paid").await;
        id
    }

    async fn doubtful(&self) -> String {
        let id = self.sell().await;
        let invoice = self.invoice(&id);
        self.sandbox.xendit.pay_wrong_amount(&invoice, 10_000);
        self.becomes(&id, "needs_review").await;
        id
    }

    async fn refunds(&self) -> i64 {
        let sql = "SELECT count(*) FROM refunds";
        self.app.database.row(sql, &[]).await.get(0)
    }
}

#[tokio::test]
async fn an_operator_gives_money_back_and_is_told_what_will_happen() {
    let shop = Shop::open().await;
    let (paid, doubtful) = (shop.paid().await, shop.doubtful().await);
    let Shop { app, sandbox } = shop;
    let stage = Stage::set(app, AdminRole::Operator).await;
    let page = &stage.page;
    stage.go("/payments").await;
    // What somebody has to look at stands first.
    let first = format!("#list .urgent li a[href='/payments/{doubtful}']");
    page.shows(&first, "Rp 25.000").await;
    assert_eq!(page.count("#list tbody tr").await, 2);
    stage.look("payments").await;
    stage.go(&format!("/payments/{paid}")).await;
    page.shows(".head .tag", "paid").await;
    page.shows(".events", "received").await;
    page.click("button[commandfor=refund]").await;
    page.shows("#refund", "Rp 25.000 can go at most").await;
    stage.look("refund-asked").await;
    page.write("#refund [name=amount]", "15000").await;
    page.write("#refund [name=reason]", "The mitra never answered")
        .await;
    page.click("#refund button.danger").await;
    page.shows("[role=status]", "on its way").await;
    page.shows("main", "The mitra never answered").await;
    let refund = eventually_some("Xendit is asked", || async {
        sandbox.xendit.refunds().pop()
    })
    .await;
    assert_eq!(refund.amount, 15_000);
    stage.look("payment").await;
    // More than is left is refused, and what was written is kept.
    page.click("button[commandfor=by-hand]").await;
    page.shows("#by-hand", "Nothing is sent").await;
    page.write("#by-hand [name=amount]", "11000").await;
    page.write("#by-hand [name=reason]", "By bank transfer")
        .await;
    page.click("#by-hand form button:not([type=button])").await;
    page.shows("[role=alert]", "Nothing was refunded").await;
    page.click("button[commandfor=by-hand]").await;
    let kept = page.eval("document.querySelector('#by-hand [name=reason]').value");
    assert_eq!(kept.await, "By bank transfer");
    page.write("#by-hand [name=amount]", "10000").await;
    page.click("#by-hand form button:not([type=button])").await;
    page.shows("[role=status]", "written down").await;
    assert_eq!(page.count("button[commandfor=refund]").await, 0);
    stage.go("/audit?action=payment").await;
    assert_eq!(page.count("#list tbody tr").await, 2);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_refunds_once() {
    let shop = Shop::open().await;
    let id = shop.paid().await;
    let cookie = cookie(&shop.app, AdminRole::Operator).await;
    let path = format!("/payments/{id}/refund");
    let form = "amount=1000&reason=late&key=018f0000-0000-7000-8000-000000000001";
    for _ in 0..2 {
        let answer = send(&shop.app, &cookie, &path, form).await.expect(303);
        let to = answer.header("location").unwrap();
        assert!(to.ends_with("?done=refunded"), "{to}");
    }
    assert_eq!(shop.refunds().await, 1);
    for wrong in [
        "amount=1000&reason=late",
        "amount=many&reason=late&key=a",
        "amount=1000&reason=+&key=b",
        "amount=-5&reason=late&key=c",
    ] {
        let answer = send(&shop.app, &cookie, &path, wrong).await.expect(422);
        assert!(answer.text().contains("Nothing was refunded"), "{wrong}");
    }
    assert_eq!(shop.refunds().await, 1);
}

#[tokio::test]
async fn a_viewer_sees_payments_and_moves_no_money() {
    let shop = Shop::open().await;
    let id = shop.paid().await;
    let cookie = cookie(&shop.app, AdminRole::Viewer).await;
    let page = format!("/payments/{id}");
    let shown = forms::shown(&shop.app, &cookie, &page).await;
    let text = shown.expect(200).text();
    assert!(text.contains("Rp 25.000"), "{text}");
    assert!(!text.contains("commandfor"), "{text}");
    let form = "amount=1000&reason=late&key=a";
    let path = format!("{page}/refund");
    send(&shop.app, &cookie, &path, form).await.expect(403);
    assert_eq!(shop.refunds().await, 0);
    let unknown = "/payments/00000000-0000-7000-8000-000000000000";
    let shown = forms::shown(&shop.app, &cookie, unknown).await;
    shown.expect(404);
}
