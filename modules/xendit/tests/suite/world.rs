//! A server that sells, the Xendit of a sandbox, and the people between them.

use std::time::Duration;

use halobestie_auth::Auth;
use halobestie_auth::testing::{SignedIn, customer, mitra};
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::clock::Clock;
use halobestie_core::outbound::{self, Deadlines};
use halobestie_core::{Entry, Timestamp};
use halobestie_sandbox::Sandbox;
use halobestie_sandbox::xendit::{Channel, Invoice};
use halobestie_testkit::{Plan, TestApp, eventually};
use halobestie_xendit::Xendit;
use serde_json::{Value, json};
use uuid::Uuid;

/// What the servers of this suite are made of.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
    Entry::of::<halobestie_control_center::ControlCenter>(),
    Entry::of::<Xendit>(),
];

/// The price of fifteen minutes.
pub(crate) const PRICE: i64 = 25_000;
/// The name of every request that accepts an offer.
pub(crate) const ACCEPT: &str = "the-accept";
/// How long a payment can be paid.
pub(crate) const PAYABLE: Duration = Duration::from_secs(900);
/// The lease of a job that its worker took with it.
pub(crate) const LEASE: Duration = Duration::from_secs(75);

/// A server and its Xendit, which share a clock.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) sandbox: Sandbox,
}

/// The usual server, pointed at a Xendit.
pub(crate) fn plan(sandbox: &Sandbox, clock: &Clock) -> Plan {
    let mut plan = TestApp::with(ENTRIES)
        .clock(clock.clone())
        .env("AUTH_ACCESS_SECONDS", "86400")
        .env("MITRA_STALE_SECONDS", "86400")
        .env("FIRST_RESPONSE_SECONDS", "0")
        .env("PAYMENT_RECONCILE_SECONDS", "3600");
    for (name, value) in sandbox.xendit.variables() {
        plan = plan.env(name, &value);
    }
    plan
}

/// A Xendit that takes any number of calls, and its clock.
pub(crate) async fn sandbox() -> (Sandbox, Clock) {
    let clock = Clock::manual(Timestamp::from_unix_ms(1_768_464_000_000));
    let sandbox = Sandbox::with_clock(clock.clone()).await;
    sandbox.xendit.set_rate_limit(100_000);
    (sandbox, clock)
}

/// Where a server takes webhooks.
pub(crate) fn webhook_url(app: &TestApp) -> String {
    format!("http://{}/api/webhooks/xendit", app.public_address())
}

impl World {
    pub(crate) async fn start() -> Self {
        let (sandbox, clock) = sandbox().await;
        let app = plan(&sandbox, &clock).start().await;
        sandbox.xendit.set_webhook_url(&webhook_url(&app));
        Self { app, sandbox }
    }

    /// The server dies where it is, and a new one starts over what it left.
    pub(crate) async fn crash(self) -> Self {
        self.crash_as(|plan| plan).await
    }

    /// The same; the new one is started in another way.
    pub(crate) async fn crash_as(self, change: impl FnOnce(Plan) -> Plan) -> Self {
        let plan = change(self.app.another());
        drop(self.app);
        let app = plan.start().await;
        self.sandbox.xendit.set_webhook_url(&webhook_url(&app));
        Self {
            app,
            sandbox: self.sandbox,
        }
    }

    /// Lets time pass, and what is due be done.
    pub(crate) async fn pass(&self, time: Duration) {
        self.app.clock.advance(time);
        self.app.finish_jobs().await;
    }

    /// Compares payments with Xendit.
    pub(crate) async fn reconcile(&self) {
        self.app.run_sweep("payment-reconcile").await;
        self.app.finish_jobs().await;
    }

    /// An accepted request, as far as its payment.
    pub(crate) async fn sell(&self) -> Sale {
        let sale = self.sell_unasked().await;
        self.invoice(&sale).await;
        sale
    }

    /// The same, whatever becomes of the invoice.
    pub(crate) async fn sell_unasked(&self) -> Sale {
        let (customer, mitra) = (customer(&self.app).await, mitra(&self.app).await);
        let online = self.app.post("/api/mitra/status/online");
        online.bearer(&mitra.access_token).send().await.expect(200);
        let call = self.app.post("/api/customer/chat/requests");
        let call = call.bearer(&customer.access_token);
        let ask = call.json(&json!({"package_id": "15m"})).send().await;
        let request = text(&ask.expect(201).json(), "id");
        let path = format!("/api/mitra/chat/offers/{request}/accept");
        let accept = self.app.post(&path).bearer(&mitra.access_token);
        let accept = accept.header("x-request-id", ACCEPT);
        let session = accept.send().await.expect(200).json();
        let sql = "SELECT id FROM payments WHERE subject_id = $1";
        let session_id = id(&session, "id");
        let row = self.app.database.row(sql, &[&session_id]).await;
        Sale {
            customer,
            mitra,
            session_id,
            payment_id: row.get(0),
        }
    }

    /// Waits for the invoice of a sale.
    pub(crate) async fn invoice(&self, sale: &Sale) -> Invoice {
        eventually("the invoice is known", || async {
            !self.payment(sale).await["invoice_url"].is_null()
        })
        .await;
        self.invoices(sale).remove(0)
    }

    /// All invoices of a sale at Xendit.
    pub(crate) fn invoices(&self, sale: &Sale) -> Vec<Invoice> {
        let external_id = sale.payment_id.to_string();
        self.sandbox.xendit.invoices_of(&external_id)
    }

    /// Makes an invoice past our server, as somebody else with the same account would.
    pub(crate) async fn create_past_us(&self, request: &Value) {
        let connect = Duration::from_secs(1);
        let total = connect * 5;
        let client = outbound::client(Deadlines { connect, total }).unwrap();
        let call = client
            .post(format!("{}/v2/invoices", self.sandbox.xendit.base_url()))
            .basic_auth(self.sandbox.xendit.secret_key(), Some(""))
            .header("content-type", "application/json")
            .body(request.to_string());
        assert_eq!(call.send().await.unwrap().status().as_u16(), 200);
    }

    /// The payment as its customer sees it.
    pub(crate) async fn payment(&self, sale: &Sale) -> Value {
        let path = format!("/api/customer/payments/{}", sale.payment_id);
        let call = self.app.get(&path).bearer(&sale.customer.access_token);
        call.send().await.expect(200).json()
    }

    /// The session as its customer sees it.
    pub(crate) async fn session(&self, sale: &Sale) -> Value {
        let path = format!("/api/chat/sessions/{}", sale.session_id);
        let call = self.app.get(&path).bearer(&sale.customer.access_token);
        call.send().await.expect(200).json()
    }

    pub(crate) async fn status(&self, sale: &Sale) -> String {
        text(&self.payment(sale).await, "status")
    }

    /// Waits until the payment is in this status.
    pub(crate) async fn becomes(&self, sale: &Sale, status: &str) {
        let what = format!("the payment is {status}");
        eventually(&what, || async { self.status(sale).await == status }).await;
    }

    /// Waits until the session is in this status.
    pub(crate) async fn session_becomes(&self, sale: &Sale, status: &str) {
        let what = format!("the session is {status}");
        eventually(&what, || async {
            self.session(sale).await["status"] == status
        })
        .await;
    }

    /// Pays in a way whose money can go back.
    pub(crate) async fn pay(&self, sale: &Sale) {
        let invoice = self.invoice(sale).await;
        self.sandbox.xendit.pay_by(&invoice.id, Channel::Dana);
        self.becomes(sale, "paid").await;
    }

    /// What all money that came in for a payment sums up to.
    pub(crate) async fn received(&self, sale: &Sale) -> i64 {
        let sql =
            "SELECT coalesce(sum(amount), 0)::bigint FROM payment_receipts WHERE payment_id = $1";
        let row = self.app.database.row(sql, &[&sale.payment_id]).await;
        row.get(0)
    }

    /// What is to go back, or has gone.
    pub(crate) async fn returned(&self, sale: &Sale) -> i64 {
        let sql = "SELECT coalesce(sum(amount), 0)::bigint FROM refunds WHERE payment_id = $1";
        let row = self.app.database.row(sql, &[&sale.payment_id]).await;
        row.get(0)
    }

    /// Waits until this came in and that went back or is to. Sweeps may run by themselves meanwhile.
    pub(crate) async fn balances(&self, sale: &Sale, received: i64, returned: i64) {
        let what = format!("{received} came in and {returned} goes back");
        eventually(&what, || async {
            (self.received(sale).await, self.returned(sale).await) == (received, returned)
        })
        .await;
    }

    /// Why somebody has to look at a payment.
    pub(crate) async fn review_reason(&self, sale: &Sale) -> Option<String> {
        let sql = "SELECT review_reason FROM payments WHERE id = $1";
        let row = self.app.database.row(sql, &[&sale.payment_id]).await;
        row.get(0)
    }

    /// A line of the metrics page.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let page = self.app.internal_get("/metrics").send().await.text();
        let value = page.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }
}

/// An accepted request that is to be paid.
pub(crate) struct Sale {
    pub(crate) customer: SignedIn,
    pub(crate) mitra: SignedIn,
    pub(crate) session_id: Uuid,
    pub(crate) payment_id: Uuid,
}

/// A member that is text.
#[track_caller]
pub(crate) fn text(value: &Value, member: &str) -> String {
    let text = value[member].as_str();
    text.unwrap_or_else(|| panic!("{member} is no text in {value}"))
        .to_owned()
}

#[track_caller]
fn id(value: &Value, member: &str) -> Uuid {
    text(value, member).parse().unwrap()
}
