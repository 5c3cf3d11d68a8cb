//! A till: the smallest module that charges, so that tests can pay, let payments lapse, and make any of its
//! writes fail. What it was asked for is in its tables.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use halobestie_auth::Auth;
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::clock::Clock;
use halobestie_core::config::NoConfig;
use halobestie_core::entropy::Entropy;
use halobestie_core::migrate::Migration;
use halobestie_core::pg::{Db, DbError, Query, Row, Tx};
use halobestie_core::ports::{
    Capability, Charge, Delivery, Payment, PaymentStatus, Payments, Purpose, Undelivered,
};
use halobestie_core::{AfterCommit, BoxError, Context, Contribution, Entry, ErrorCode, Module};
use halobestie_testkit::{Plan, TestApp};
use uuid::Uuid;

use crate::world::plan_of;

/// How long a payment can be paid.
pub(crate) const PAYABLE: Duration = Duration::from_secs(900);

/// What chat needs, chat, and a till.
static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
    Entry::of::<Till>(),
];

/// The usual server, where sessions are to be paid.
pub(crate) fn plan() -> Plan {
    plan_of(ENTRIES)
}

/// The module.
struct Till;

impl Module for Till {
    const NAME: &'static str = "till";
    const NEEDS: &'static [Capability] = &[Capability::Purchases];
    const PROVIDES: &'static [Capability] = &[Capability::Payments];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_till",
            sql: "CREATE TABLE till_payments (id uuid PRIMARY KEY, subject_id uuid NOT NULL UNIQUE,
                    purpose text NOT NULL, session_id uuid NOT NULL, customer_id uuid NOT NULL,
                    amount bigint NOT NULL, status text NOT NULL, invoice_url text,
                    expires_at timestamptz NOT NULL, paid_at timestamptz);
                CREATE TABLE till_credits (session_id uuid PRIMARY KEY, customer_id uuid NOT NULL,
                    bought bigint NOT NULL, undelivered bigint NOT NULL);
                CREATE TABLE till_faults (call text PRIMARY KEY);",
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApi::default()
    }

    async fn build(_: NoConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        cx.ports.payments.fill(Arc::new(Drawer {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
        }));
        Ok(Contribution::default())
    }
}

struct Drawer {
    db: Db,
    clock: Clock,
    entropy: Entropy,
}

async fn fail_if_told(tx: &Tx<'_>, call: &'static str) -> Result<(), DbError> {
    let sql = "SELECT 1 FROM till_faults WHERE call = $1";
    match tx.row_opt(sql, &[&call]).await? {
        Some(_) => Err(DbError::Content("the till was told to fail")),
        None => Ok(()),
    }
}

#[async_trait]
impl Payments for Drawer {
    async fn charge<'a>(
        &'a self,
        tx: &Tx<'_>,
        charge: &Charge<'_>,
    ) -> Result<(Payment, AfterCommit<'a>), DbError> {
        fail_if_told(tx, "charge").await?;
        let payment = Payment {
            id: self.entropy.uuid(&self.clock),
            session_id: charge.session_id,
            purpose: charge.purpose,
            status: PaymentStatus::Creating,
            amount: charge.amount,
            currency: "IDR".to_owned(),
            invoice_url: None,
            expires_at: self.clock.now() + PAYABLE,
            paid_at: None,
        };
        let sql =
            "INSERT INTO till_payments (id, subject_id, purpose, session_id, customer_id, amount,
                status, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 'creating', $7)";
        let purpose = charge.purpose.as_str();
        let params: halobestie_core::pg::Params<'_> = &[
            &payment.id,
            &charge.subject_id,
            &purpose,
            &charge.session_id,
            &charge.customer_id,
            &charge.amount,
            &payment.expires_at,
        ];
        tx.execute(sql, params).await?;
        let id = payment.id;
        let invoice = AfterCommit::new(async move {
            let sql = "UPDATE till_payments SET status = 'pending',
                invoice_url = 'https://pay.test/' || id WHERE id = $1 AND status = 'creating'";
            let _ = self.db.execute(sql, &[&id]).await;
        });
        Ok((payment, invoice))
    }

    async fn withdraw<'a>(
        &'a self,
        tx: &Tx<'_>,
        subject_id: Uuid,
    ) -> Result<AfterCommit<'a>, DbError> {
        fail_if_told(tx, "withdraw").await?;
        let sql = "UPDATE till_payments SET status = 'expired'
            WHERE subject_id = $1 AND status IN ('creating', 'pending')";
        tx.execute(sql, &[&subject_id]).await?;
        Ok(AfterCommit::new(async {}))
    }

    async fn credit(&self, tx: &Tx<'_>, it: &Undelivered) -> Result<(), DbError> {
        fail_if_told(tx, "credit").await?;
        // A second credit of a session would fail here.
        let sql = "INSERT INTO till_credits VALUES ($1, $2, $3, $4)";
        let params: halobestie_core::pg::Params<'_> = &[
            &it.session_id,
            &it.customer_id,
            &it.bought_seconds,
            &it.undelivered_seconds,
        ];
        tx.execute(sql, params).await?;
        Ok(())
    }

    async fn of_subjects(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Payment>, DbError> {
        let sql = "SELECT * FROM till_payments WHERE subject_id = ANY($1)";
        let rows = self.db.rows(sql, &[&ids]).await?;
        let pair = |row: &Row| Some((row.get("subject_id"), payment(row)?));
        let payments: Option<HashMap<Uuid, Payment>> = rows.iter().map(pair).collect();
        payments.ok_or(DbError::Content("a payment that cannot be read"))
    }
}

fn payment(row: &Row) -> Option<Payment> {
    Some(Payment {
        id: row.get("id"),
        session_id: row.get("session_id"),
        purpose: Purpose::parse(row.get("purpose"))?,
        status: PaymentStatus::parse(row.get("status"))?,
        amount: row.get("amount"),
        currency: "IDR".to_owned(),
        invoice_url: row.get("invoice_url"),
        expires_at: row.get("expires_at"),
        paid_at: row.get("paid_at"),
    })
}

/// The status of what was charged for a session or an extension, if anything was.
pub(crate) async fn status(app: &TestApp, subject_id: Uuid) -> Option<String> {
    let sql = "SELECT status FROM till_payments WHERE subject_id = $1";
    let rows = app.database.rows(sql, &[&subject_id]).await;
    rows.first().map(|row| row.get(0))
}

/// The seconds that a session's customer was credited, of how many that were bought.
pub(crate) async fn credit(app: &TestApp, session_id: Uuid) -> Option<(i64, i64)> {
    let sql = "SELECT undelivered, bought FROM till_credits WHERE session_id = $1";
    let rows = app.database.rows(sql, &[&session_id]).await;
    rows.first().map(|row| (row.get(0), row.get(1)))
}

/// Makes every `charge`, `withdraw` or `credit` fail until [`mend`].
pub(crate) async fn break_call(app: &TestApp, call: &'static str) {
    let sql = "INSERT INTO till_faults VALUES ($1) ON CONFLICT DO NOTHING";
    app.database.execute(sql, &[&call]).await;
}

/// Lets every call succeed again.
pub(crate) async fn mend(app: &TestApp) {
    app.database.execute("DELETE FROM till_faults", &[]).await;
}

/// Whether a transaction is committed or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Committed,
    /// The process died before the commit.
    RolledBack,
    /// The process died after it.
    Silent,
}

/// The customer pays: what a verified event does.
pub(crate) async fn pay(app: &TestApp, subject_id: Uuid) -> Delivery {
    pay_with(app, subject_id, Fate::Committed).await
}

pub(crate) async fn pay_with(app: &TestApp, subject_id: Uuid, fate: Fate) -> Delivery {
    let purchases = app.context().ports.purchases.get().unwrap();
    let purpose = purpose(app, subject_id).await;
    let mut client = app.context().db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let (delivery, after) = purchases.paid(&tx, purpose, subject_id).await.unwrap();
    let status = match delivery {
        Delivery::Delivered => "paid",
        Delivery::TooLate => "refund_pending",
    };
    let sql = "UPDATE till_payments SET status = $2, paid_at = $3 WHERE subject_id = $1";
    let now = app.clock.now();
    tx.execute(sql, &[&subject_id, &status, &now])
        .await
        .unwrap();
    match fate {
        Fate::RolledBack => drop(tx),
        Fate::Silent => tx.commit().await.unwrap(),
        Fate::Committed => {
            tx.commit().await.unwrap();
            drop(client);
            after.run().await;
            show(app, subject_id).await;
        }
    }
    delivery
}

/// The payment lapses, or fails.
pub(crate) async fn lapse(app: &TestApp, subject_id: Uuid) {
    let purchases = app.context().ports.purchases.get().unwrap();
    let purpose = purpose(app, subject_id).await;
    let mut client = app.context().db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let after = purchases.unpaid(&tx, purpose, subject_id).await.unwrap();
    let sql = "UPDATE till_payments SET status = 'failed'
        WHERE subject_id = $1 AND status IN ('creating', 'pending')";
    // Had chat closed the payment itself, whoever charges would give the transaction up here.
    assert_eq!(tx.execute(sql, &[&subject_id]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    drop(client);
    after.run().await;
}

async fn purpose(app: &TestApp, subject_id: Uuid) -> Purpose {
    let sql = "SELECT purpose FROM till_payments WHERE subject_id = $1";
    let row = app.database.row(sql, &[&subject_id]).await;
    Purpose::parse(row.get(0)).unwrap()
}

async fn show(app: &TestApp, subject_id: Uuid) {
    let sql = "SELECT * FROM till_payments WHERE subject_id = $1";
    let row = app.database.row(sql, &[&subject_id]).await;
    let purchases = app.context().ports.purchases.get().unwrap();
    purchases.show(row.get("customer_id"), &payment(&row).unwrap());
}
