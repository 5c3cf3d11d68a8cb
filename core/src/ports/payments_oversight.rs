//! Payments of everybody, as admins see them and give them back.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Payment, PaymentStatus, Window};
use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// Which payments to list. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Where they are.
    pub status: Option<PaymentStatus>,
    /// By one of these customers.
    pub customer_ids: Option<Vec<Uuid>>,
    /// For this session.
    pub session_id: Option<Uuid>,
}

/// What was paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Paid {
    /// How many payments.
    pub count: i64,
    /// Whole rupiah.
    pub amount: i64,
}

/// A payment.
#[derive(Clone, Debug)]
pub struct OverseenPayment {
    /// As its customer sees it.
    pub payment: Payment,
    /// Who pays.
    pub customer_id: Uuid,
    /// What the customer reads on the invoice.
    pub description: String,
    /// What the provider knows it by.
    pub invoice_id: Option<String>,
    /// All that came in for it, in whole rupiah.
    pub paid_amount: i64,
    /// What has gone back or is on its way, in whole rupiah.
    pub refunded_amount: i64,
    /// What can still be asked back, in whole rupiah.
    pub refundable: i64,
    /// Why somebody has to look at it.
    pub review_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Something that happened to a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PaymentEvent {
    /// When.
    pub at: Timestamp,
    /// `created`, `invoiced`, `webhook`, `received`, `refund` and so on.
    pub kind: String,
    /// In a sentence.
    pub text: String,
    /// Its particulars: what the provider sent, the parts of a refund.
    pub data: Option<Value>,
}

/// A refund that is to be.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    /// Of which payment.
    pub payment_id: Uuid,
    /// Whole rupiah; all that can still go back where it is missing.
    pub amount: Option<i64>,
    /// Why: 1 to 500 characters.
    pub reason: String,
    /// A person has given the money back already; nothing is asked of the provider.
    pub by_hand: bool,
    /// Who orders it.
    pub admin_id: Uuid,
}

/// A refund.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = payments::Refund)]
pub struct OverseenRefund {
    /// Its id; also what the provider knows it by.
    pub id: Uuid,
    /// Whose money it is.
    pub payment_id: Uuid,
    /// Whole rupiah.
    pub amount: i64,
    /// Always `IDR`.
    pub currency: &'static str,
    /// The provider's name, or `by_hand`.
    pub way: &'static str,
    /// `wanted`, `pending`, `succeeded` or `failed`.
    pub status: &'static str,
    /// `too_late`, `second_payment` or `requested`.
    pub cause: &'static str,
    /// What an admin wrote about it.
    pub reason: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What was taken down of a refund.
pub struct RefundTaken<'a> {
    /// Where the payment was.
    pub before: PaymentStatus,
    /// Where the payment is.
    pub after: PaymentStatus,
    /// The refund.
    pub refund: OverseenRefund,
    /// Asks the provider, and shows the customer.
    pub after_commit: AfterCommit<'a>,
}

/// Sees every payment and gives money back. Where no module provides it, nothing is charged.
#[async_trait]
pub trait PaymentsOversight: Send + Sync {
    /// What was paid from `since` to before `until`.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn paid(&self, since: Timestamp, until: Timestamp) -> Result<Paid, DbError>;

    /// A page of payments.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn payments(
        &self,
        filter: &PaymentFilter,
        window: Window,
    ) -> Result<Vec<OverseenPayment>, DbError>;

    /// One payment.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn payment(&self, id: Uuid) -> Result<Option<OverseenPayment>, DbError>;

    /// The refunds of a payment, oldest first, those that failed included.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn refunds(&self, payment_id: Uuid) -> Result<Vec<OverseenRefund>, DbError>;

    /// What happened to a payment, oldest first; at most a thousand.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn payment_history(&self, id: Uuid) -> Result<Vec<PaymentEvent>, DbError>;

    /// Takes a refund down in `tx`; it is made after the commit, surely: at once where the returned is
    /// run, by a worker otherwise.
    ///
    /// # Errors
    /// `validation_failed`, `not_found`, `not_refundable`, or that Postgres does not answer.
    async fn refund<'a>(
        &'a self,
        tx: &Tx<'_>,
        order: &RefundOrder,
    ) -> Result<RefundTaken<'a>, Problem>;
}
