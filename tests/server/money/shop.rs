//! A shop: Xendit's sandbox, a process that takes orders, and the one that is killed.

use std::net::SocketAddr;

use halobestie::modules::COMPILED;
use halobestie_auth::testing::{TokenMint, many};
use halobestie_core::clock::Clock;
use halobestie_core::ports::Role;
use halobestie_sandbox::Sandbox;
use halobestie_sandbox::xendit::{Channel, Invoice};
use halobestie_testkit::{Client, TestDb, TestResponse, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use super::stall::Stall;
use crate::process::{Environment, JWT_SECRET, Server, shown};

/// The price of fifteen minutes.
pub(super) const PRICE: i64 = 25_000;

/// A shop with one mitra and one customer.
pub(super) struct Shop {
    pub(super) database: TestDb,
    pub(super) sandbox: Sandbox,
    environment: Environment,
    /// Takes orders and does no work; it is never killed.
    counter: Server,
    client: Client,
    customer: String,
    mitra: String,
}

/// An accepted request that is to be paid.
pub(super) struct Sale {
    pub(super) session_id: Uuid,
    pub(super) payment_id: Uuid,
}

impl Shop {
    pub(super) async fn open() -> Self {
        let database = TestDb::create(COMPILED).await;
        let mitra_id = many(&database, Role::Mitra, 1).await[0];
        let customer_id = many(&database, Role::Customer, 1).await[0];
        const ONLINE: &str = "INSERT INTO mitras (mitra_id, is_online, max_sessions, online_since,
                last_heartbeat_at, updated_at) VALUES ($1, true, 1, $2, $2, $2)";
        let now = Clock::system().now();
        database.execute(ONLINE, &[&mitra_id, &now]).await;
        let sandbox = Sandbox::start().await;
        let mut environment = Environment::over(&database)
            .with("DATABASE_TIMEOUT_SECONDS", "20")
            .with("FIRST_RESPONSE_SECONDS", "0")
            .with("MITRA_STALE_SECONDS", "86400");
        for (name, value) in sandbox.xendit.variables() {
            environment = environment.with(name, &value);
        }
        let mint = TokenMint::new(JWT_SECRET);
        Self {
            counter: environment.serve(&["serve", "--role", "api"]).await,
            database,
            sandbox,
            environment,
            client: Client::new(),
            customer: mint.token(customer_id, Role::Customer),
            mitra: mint.token(mitra_id, Role::Mitra),
        }
    }

    /// Starts a process that takes webhooks and does all work.
    pub(super) async fn serve(&self) -> Server {
        self.serve_as("all").await
    }

    /// Starts a process that takes webhooks, in this role.
    pub(super) async fn serve_as(&self, role: &str) -> Server {
        let server = self.environment.serve(&["serve", "--role", role]).await;
        self.send_webhooks_to(server.public);
        server
    }

    pub(super) fn send_webhooks_to(&self, address: SocketAddr) {
        let url = format!("http://{address}/api/webhooks/xendit");
        self.sandbox.xendit.set_webhook_url(&url);
    }

    /// Takes a lock for a process to run into.
    pub(super) async fn stall(&self, sql: &'static str) -> Stall {
        Stall::by(&self.database, sql).await
    }

    /// Kills a process without any warning. Xendit finds nobody until another one is there.
    pub(super) async fn kill(&self, victim: Server) {
        self.sandbox.xendit.hold_webhooks();
        victim.signal("KILL").await;
        assert_eq!(victim.exit_code().await, None, "it did not end by itself");
    }

    /// Another process takes the place of one that was killed, as if the leases of its jobs were over, and
    /// Xendit's day goes on.
    pub(super) async fn restart(&self) -> Server {
        self.sandbox.xendit.knobs.reset().await;
        let over = "UPDATE jobs SET due_at = now() WHERE state = 'running'";
        self.database.execute(over, &[]).await;
        let server = self.serve().await;
        self.sandbox.xendit.release_webhooks().await;
        server
    }

    /// The customer asks for a chat; the request's id.
    pub(super) async fn ask(&self) -> Value {
        let call = self
            .client
            .post(self.counter.public, "/api/customer/chat/requests");
        let call = call.bearer(&self.customer);
        let asked = call.json(&json!({"package_id": "15m"})).send().await;
        asked.expect(201).json()["id"].clone()
    }

    /// The mitra accepts at this process, if that answers.
    pub(super) async fn accept_at(
        &self,
        address: SocketAddr,
        request: &Value,
    ) -> Result<TestResponse, String> {
        let request = request.as_str().unwrap();
        let path = format!("/api/mitra/chat/offers/{request}/accept");
        let call = self.client.post(address, &path).bearer(&self.mitra);
        call.try_send().await
    }

    /// An accepted request, as far as the row of its payment.
    pub(super) async fn sell(&self) -> Sale {
        let request = self.ask().await;
        let accepted = self.accept_at(self.counter.public, &request).await;
        self.sale(&accepted.unwrap()).await
    }

    pub(super) async fn sale(&self, accepted: &TestResponse) -> Sale {
        assert_eq!(accepted.status, 200, "{accepted:?}");
        let session_id = accepted.json()["id"].as_str().unwrap().parse().unwrap();
        let sql = "SELECT id FROM payments WHERE subject_id = $1";
        let row = self.database.row(sql, &[&session_id]).await;
        Sale {
            session_id,
            payment_id: row.get(0),
        }
    }

    /// The customer wants it no more.
    pub(super) async fn end(&self, sale: &Sale) {
        let path = format!("/api/chat/sessions/{}/end", sale.session_id);
        let call = self.client.post(self.counter.public, &path);
        call.bearer(&self.customer).send().await.expect(200);
    }

    /// Whether Xendit has been called so.
    pub(super) async fn called(&self, operation: &str) {
        eventually(&format!("{operation} is called"), || async {
            let calls = self.sandbox.xendit.calls();
            calls.iter().any(|it| it.operation == operation)
        })
        .await;
    }

    /// The one invoice of a sale, once it can be paid.
    pub(super) async fn invoice(&self, sale: &Sale) -> Invoice {
        self.becomes(sale, "pending").await;
        self.only_invoice(sale)
    }

    /// The one invoice that Xendit has ever made for a sale.
    pub(super) fn only_invoice(&self, sale: &Sale) -> Invoice {
        let external_id = sale.payment_id.to_string();
        let mut invoices = self.sandbox.xendit.invoices_of(&external_id);
        assert_eq!(invoices.len(), 1, "{invoices:?}");
        invoices.remove(0)
    }

    /// The customer pays, in a way whose money can go back.
    pub(super) async fn pay(&self, sale: &Sale) {
        let invoice = self.only_invoice(sale);
        self.sandbox.xendit.pay_by(&invoice.id, Channel::Dana);
    }

    /// Waits until a sale's payment is in this status.
    pub(super) async fn becomes(&self, sale: &Sale, status: &str) {
        const SQL: &str = "SELECT status = $2 FROM payments WHERE id = $1";
        eventually(&format!("the payment is {status}"), || async {
            let row = self.database.row(SQL, &[&sale.payment_id, &status]).await;
            row.get(0)
        })
        .await;
    }

    /// Nothing has happened twice or not at all: the customer has paid once and got the time once.
    pub(super) async fn sold_once(&self, sale: &Sale) {
        self.becomes(sale, "paid").await;
        let expected = Tally {
            session: "active".to_owned(),
            received: PRICE,
            receipts: 1,
            times_bought: 1,
            refunds: 0,
            movements: 1,
        };
        self.counts(sale, &expected).await;
    }

    /// The customer has paid for nothing, and has the money back, once.
    pub(super) async fn given_back_once(&self, sale: &Sale) {
        self.becomes(sale, "refunded").await;
        let refunds = self.sandbox.xendit.refunds();
        assert_eq!(refunds.len(), 1, "{refunds:?}");
        assert_eq!(refunds[0].amount, PRICE);
        let expected = Tally {
            session: "ended".to_owned(),
            received: PRICE,
            receipts: 1,
            times_bought: 0,
            refunds: 1,
            movements: 2,
        };
        self.counts(sale, &expected).await;
    }

    async fn counts(&self, sale: &Sale, expected: &Tally) {
        assert_eq!(&self.tally(sale).await, expected);
        self.only_invoice(sale);
        let checked = self.environment.run(&["ledger", "check"]).await;
        assert_eq!(checked.status.code(), Some(0), "{}", shown(&checked));
    }

    async fn tally(&self, sale: &Sale) -> Tally {
        const SQL: &str = "SELECT chat_sessions.status AS session, paid_amount,
                (SELECT count(*) FROM payment_receipts WHERE payment_id = $1) AS receipts,
                (SELECT count(*) FROM chat_time WHERE kind = 'bought') AS times_bought,
                (SELECT count(*) FROM refunds) AS refunds,
                (SELECT count(*) FROM ledger_movements) AS movements
            FROM payments JOIN chat_sessions ON chat_sessions.id = session_id WHERE payments.id = $1";
        let row = self.database.row(SQL, &[&sale.payment_id]).await;
        Tally {
            session: row.get("session"),
            received: row.get("paid_amount"),
            receipts: row.get("receipts"),
            times_bought: row.get("times_bought"),
            refunds: row.get("refunds"),
            movements: row.get("movements"),
        }
    }
}

/// What is written of a sale.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    session: String,
    /// Whole rupiah.
    received: i64,
    receipts: i64,
    times_bought: i64,
    refunds: i64,
    movements: i64,
}
