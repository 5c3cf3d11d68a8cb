//! Money for time: who sells says what is charged, who charges says when it is paid.
//!
//! The two meet in transactions. A sale is charged in the transaction that makes it, and what was paid
//! is delivered in the transaction that marks it paid, so a crash between two lines leaves neither an
//! unpaid delivery nor a payment for nothing. Calls to a payment provider are never made inside either.
//!
//! The order of locks is seat, request, session, payment. So [`Purchases`] is called before the payment's
//! row is locked, and the payment is then changed by a conditional statement; where that finds nothing to
//! change, the transaction is given up.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::after_commit::AfterCommit;
use crate::http::exchange::RequestId;
use crate::pg::{DbError, Tx};
use crate::timestamp::Timestamp;

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A session that has not begun.
    Session,
    /// More time in one.
    Extension,
}

impl Purpose {
    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Extension => "extension",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Session, Self::Extension]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// Something that a customer is to pay for.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// What is sold: the session itself or its extension. It is charged once.
    pub subject_id: Uuid,
    /// Which of the two it is.
    pub purpose: Purpose,
    /// The session that it is for.
    pub session_id: Uuid,
    /// Who pays.
    pub customer_id: Uuid,
    /// Whole rupiah, more than 0.
    pub amount: i64,
    /// What the customer reads on the invoice.
    pub description: &'a str,
    /// The request that has caused it, to be sent on to the provider.
    pub request_id: Option<&'a RequestId>,
}

/// Where a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Wanted; its invoice is being made.
    Creating,
    /// Its invoice can be paid.
    Pending,
    /// Paid, and delivered.
    Paid,
    /// Not paid in time, or no longer wanted.
    Expired,
    /// Its invoice could not be made.
    Failed,
    /// On its way back to the customer.
    RefundPending,
    /// Given back.
    Refunded,
    /// Somebody has to look at it.
    NeedsReview,
}

impl PaymentStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Creating,
        Self::Pending,
        Self::Paid,
        Self::Expired,
        Self::Failed,
        Self::RefundPending,
        Self::Refunded,
        Self::NeedsReview,
    ];

    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::RefundPending => "refund_pending",
            Self::Refunded => "refunded",
            Self::NeedsReview => "needs_review",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A payment as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// Its id; also what the provider knows it by.
    pub id: Uuid,
    /// The session that it is for.
    pub session_id: Uuid,
    /// What is paid for.
    pub purpose: Purpose,
    /// Where it is.
    pub status: PaymentStatus,
    /// Whole rupiah.
    pub amount: i64,
    /// Always `IDR`.
    pub currency: String,
    /// Where the customer pays; null until the invoice is made.
    pub invoice_url: Option<String>,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
}

/// Time that was paid for and, through no wish of the customer's, not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The session that ended early.
    pub session_id: Uuid,
    /// Whose time it was.
    pub customer_id: Uuid,
    /// All the time that was bought for the session, in seconds, more than 0.
    pub bought_seconds: i64,
    /// What of it was not delivered, in seconds, more than 0.
    pub undelivered_seconds: i64,
}

/// Charges customers. Where no module provides it, everything is free and starts at once.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Writes in `tx` that something is to be paid, until [`Payment::expires_at`]. Its invoice is made
    /// after the commit, surely: at once where the returned is run, by a worker otherwise.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn charge<'a>(
        &'a self,
        tx: &Tx<'_>,
        charge: &Charge<'_>,
    ) -> Result<(Payment, AfterCommit<'a>), DbError>;

    /// Says in `tx` that what was charged is not wanted any more: an unpaid one expires, here and at
    /// the provider; money that comes all the same goes back. Nothing happens to one that is paid, or
    /// that was never charged.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn withdraw<'a>(
        &'a self,
        tx: &Tx<'_>,
        subject_id: Uuid,
    ) -> Result<AfterCommit<'a>, DbError>;

    /// Credits the customer in `tx` for time that was not delivered: the share of what was paid for
    /// the session. Nothing where nothing was paid; a session is credited once.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn credit(&self, tx: &Tx<'_>, undelivered: &Undelivered) -> Result<(), DbError>;

    /// The payments of these subjects; those that were never charged are absent. At most 1,000 a call.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn of_subjects(&self, subject_ids: &[Uuid]) -> Result<HashMap<Uuid, Payment>, DbError>;
}

/// What became of something that was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The customer has it, by this call or an earlier one.
    Delivered,
    /// It can no longer be delivered: its session is over. The money has to go back.
    TooLate,
}

/// Sells what is paid for. Provided by whoever calls [`Payments::charge`].
#[async_trait]
pub trait Purchases: Send + Sync {
    /// Delivers in `tx`, the transaction that marks the payment paid, what was paid for. Locks the
    /// session first; see the order of locks above.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn paid<'a>(
        &'a self,
        tx: &Tx<'_>,
        purpose: Purpose,
        subject_id: Uuid,
    ) -> Result<(Delivery, AfterCommit<'a>), DbError>;

    /// Takes back in `tx` what will not be paid: its payment has expired or failed. Nothing happens to
    /// what was delivered or is over. Locks the session first; see the order of locks above.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn unpaid<'a>(
        &'a self,
        tx: &Tx<'_>,
        purpose: Purpose,
        subject_id: Uuid,
    ) -> Result<AfterCommit<'a>, DbError>;

    /// Shows the customer's live connections where a payment is now. At most once: an app that missed
    /// it asks.
    fn show(&self, customer_id: Uuid, payment: &Payment);
}
