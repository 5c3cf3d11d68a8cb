//! Two replicas under Xendit's webhooks, half of them duplicates: each payment is settled once, and the
//! books say so.
//!
//! WEBHOOK_SECONDS and WEBHOOKS_PER_SECOND make it longer and harder; `scripts/bench-webhooks` is the long
//! one. How long answers take is printed and not judged: that depends on the machine.
#![expect(
    clippy::print_stdout,
    reason = "the figures are for whoever reads the output"
)]

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use halobestie::modules::COMPILED;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::outbound::{self, Deadlines, reqwest};
use halobestie_sandbox::Sandbox;
use halobestie_testkit::{Client, TestDb, valkey_url};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use crate::process::{Environment, shown};

/// The price of each payment, in whole rupiah.
const PRICE: i64 = 25_000;
/// Between an event and its duplicate, where the two do not come at once.
const LATER: Duration = Duration::from_secs(1);
/// What is promised of an answer.
const PROMISED: Duration = Duration::from_millis(50);
/// How long an answer, and afterwards the settling of all, may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

fn variable(name: &str, usual: u32) -> u32 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' own variables are no configuration"
    )]
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.map_or(usual, |value| value.parse().expect("a whole number"))
}

/// So many sessions that wait for their payments, each with its invoice. How they came to be is other
/// tests' business; the ids of the payments.
async fn sell(database: &TestDb, payments: i32) -> Vec<Uuid> {
    const SESSIONS: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package,
            created_at, waits_until)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'pending_payment',
            '{\"id\": \"15m\", \"name\": \"15 minutes\", \"minutes\": 15, \"amount\": 25000, \"currency\": \"IDR\"}',
            $2, $2::timestamptz + interval '1 hour'
        FROM generate_series(1, $1)";
    const PAYMENTS: &str = "INSERT INTO payments (id, subject_id, purpose, session_id, customer_id, status, amount,
            description, created_at, expires_at, updated_at, asks, asked_at)
        SELECT gen_random_uuid(), id, 'session', id, customer_id, 'creating', $1, '15 minutes', created_at,
            waits_until, created_at, 1, created_at FROM chat_sessions RETURNING id";
    let now = Clock::system().now();
    database.execute(SESSIONS, &[&payments, &now]).await;
    let rows = database.rows(PAYMENTS, &[&PRICE]).await;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Xendit, as somebody who has the account's key.
struct Counter<'a> {
    database: &'a TestDb,
    sandbox: &'a Sandbox,
    http: reqwest::Client,
}

impl<'a> Counter<'a> {
    fn new(database: &'a TestDb, sandbox: &'a Sandbox) -> Self {
        let (connect, total) = (PATIENCE, PATIENCE);
        let http = outbound::client(Deadlines { connect, total }).unwrap();
        Self {
            database,
            sandbox,
            http,
        }
    }

    /// Makes a payment's invoice and lets the customer pay it; the event that tells of it.
    async fn paid(&self, payment_id: Uuid) -> Value {
        const SQL: &str =
            "UPDATE payments SET status = 'pending', invoice_id = $2, invoice_url = $3
            WHERE id = $1";
        let invoice = self.invoice(payment_id).await;
        let (id, url) = (
            invoice["id"].as_str().unwrap(),
            invoice["invoice_url"].as_str(),
        );
        self.database.execute(SQL, &[&payment_id, &id, &url]).await;
        self.sandbox.xendit.pay(id);
        self.sandbox.xendit.event(id)
    }

    async fn invoice(&self, payment_id: Uuid) -> Value {
        let xendit = &self.sandbox.xendit;
        let body = json!({"external_id": payment_id, "amount": PRICE, "currency": "IDR",
            "description": "15 minutes", "invoice_duration": 3600});
        let call = self.http.post(format!("{}/v2/invoices", xendit.base_url()));
        let call = call.basic_auth(xendit.secret_key(), Some(""));
        let call = call.header("content-type", "application/json");
        let answer = call.body(body.to_string()).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

/// A delivery of an event: where to and after how long.
struct Delivery<'a> {
    event: &'a Value,
    id: String,
    to: SocketAddr,
    after: Duration,
}

/// Every event twice, so many a second in all: by the same delivery or another one, at once or later, and
/// each time at the other replica.
fn deliveries<'a>(events: &'a [Value], to: [SocketAddr; 2], a_second: u32) -> Vec<Delivery<'a>> {
    let pace = Duration::from_secs(2) / a_second;
    let mut deliveries = Vec::with_capacity(2 * events.len());
    for (number, event) in (0u32..).zip(events) {
        let (at_once, same_delivery) = (number.is_multiple_of(2), !number.is_multiple_of(3));
        let (first, second) = match number % 4 {
            0 | 1 => (to[0], to[1]),
            _ => (to[1], to[0]),
        };
        let after = pace * number;
        deliveries.push(Delivery {
            event,
            id: format!("delivery-{number}"),
            to: first,
            after,
        });
        deliveries.push(Delivery {
            event,
            id: match same_delivery {
                true => format!("delivery-{number}"),
                false => format!("delivery-{number}-again"),
            },
            to: second,
            after: if at_once { after } else { after + LATER },
        });
    }
    deliveries
}

/// An answer: how long it took, and whether the event was taken.
struct Answer {
    took: Duration,
    is_taken: bool,
}

/// Delivers at its time, and as Xendit does again what was not taken; every answer.
async fn deliver(client: &Client, token: &str, begun: Instant, it: Delivery<'_>) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(1);
    sleep_until(begun + it.after).await;
    loop {
        let call = client.post(it.to, "/api/webhooks/xendit").json(it.event);
        let call = call.header("x-callback-token", token);
        let call = call.header("webhook-id", &it.id).patience(PATIENCE);
        let sent = Instant::now();
        let status = call.send().await.status.as_u16();
        let (took, is_taken) = (sent.elapsed(), status == 200);
        answers.push(Answer { took, is_taken });
        if is_taken {
            return answers;
        }
        // A machine that is too busy may say so, and nothing else.
        assert_eq!(status, 503);
        sleep(LATER).await;
    }
}

/// What the answers took, in a line.
fn figures(answers: &[Answer]) -> String {
    let mut times: Vec<Duration> = answers.iter().map(|it| it.took).collect();
    times.sort_unstable();
    let refused = answers.iter().filter(|it| !it.is_taken).count();
    let at = |share: usize| times[(times.len() * share / 1000).min(times.len() - 1)];
    let kept = times.iter().filter(|it| **it <= PROMISED).count();
    let kept = kept * 1000 / times.len();
    format!(
        "{} answers, {refused} of them 503: p50 {:?}, p95 {:?}, p99 {:?}, longest {:?}; \
         {}.{} % within {PROMISED:?}",
        times.len(),
        at(500),
        at(950),
        at(990),
        at(1000),
        kept / 10,
        kept % 10,
    )
}

async fn all_settled(database: &TestDb) {
    const SQL: &str = "SELECT NOT EXISTS (SELECT FROM payment_webhooks WHERE settled_at IS NULL)";
    let settled = async {
        while !database.row(SQL, &[]).await.get::<_, bool>(0) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, settled).await.expect("all are settled");
}

/// Each payment is paid once, delivered once and booked once, by an event that is kept once.
async fn settled_once(database: &TestDb, environment: &Environment, payments: i64) {
    const SQL: &str =
        "SELECT (SELECT count(*) FROM payments WHERE status = 'paid' AND paid_amount = amount),
        (SELECT count(*) FROM payment_receipts), (SELECT count(*) FROM payment_webhooks),
        (SELECT count(*) FROM chat_sessions WHERE status = 'active'),
        (SELECT count(*) FROM chat_time WHERE kind = 'bought'),
        (SELECT count(*) FROM ledger_movements), (SELECT count(*) FROM refunds)";
    let row = database.row(SQL, &[]).await;
    let counts: [i64; 7] = std::array::from_fn(|column| row.get(column));
    let n = payments;
    assert_eq!(counts, [n, n, n, n, n, n, 0]);
    let checked = environment.run(&["ledger", "check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", shown(&checked));
}

#[tokio::test]
async fn of_webhooks_that_come_twice_to_two_replicas_each_settles_one_payment_once() {
    let seconds = variable("WEBHOOK_SECONDS", 2);
    let a_second = variable("WEBHOOKS_PER_SECOND", 100);
    let payments = seconds * a_second / 2;
    let database = TestDb::create(COMPILED).await;
    let ids = sell(&database, i32::try_from(payments).unwrap()).await;
    // Nobody says where to, so the sandbox sends nothing by itself.
    let keep = usize::try_from(payments).unwrap() * 2 + 100;
    let sandbox = Sandbox::builder().keep(keep).start().await.unwrap();
    sandbox.xendit.set_rate_limit(usize::MAX);
    let counter = Counter::new(&database, &sandbox);
    let paying = stream::iter(ids).map(|id| counter.paid(id));
    let events: Vec<Value> = paying.buffer_unordered(8).collect().await;

    let prefix = format!(
        "test:{}:",
        Entropy::system().uuid(&Clock::system()).simple()
    );
    let mut environment = Environment::over(&database)
        .with("VALKEY_URL", &valkey_url())
        .with("VALKEY_KEY_PREFIX", &prefix)
        .with("FIRST_RESPONSE_SECONDS", "0")
        // The events alone settle.
        .with("PAYMENT_RECONCILE_SECONDS", "3600");
    for (name, value) in sandbox.xendit.variables() {
        environment = environment.with(name, &value);
    }
    let servers = [
        environment.serve(&["serve"]).await,
        environment.serve(&["serve"]).await,
    ];
    let to = [servers[0].public, servers[1].public];
    let (client, token, begun) = (
        Client::new(),
        sandbox.xendit.webhook_token(),
        Instant::now(),
    );
    let deliveries = deliveries(&events, to, a_second).into_iter();
    let delivering = deliveries.map(|it| deliver(&client, &token, begun, it));
    let answers: Vec<Answer> = join_all(delivering).await.into_iter().flatten().collect();
    let last = Instant::now();
    all_settled(&database).await;
    let (figures, rest) = (figures(&answers), last.elapsed());
    println!("{a_second} webhooks a second for {seconds} s: {figures}; all settled {rest:?} later");
    settled_once(&database, &environment, payments.into()).await;
    for server in servers {
        assert_eq!(server.terminate().await, Some(0));
    }
}
