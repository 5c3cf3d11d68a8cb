//! The books of the money, as whoever runs the server checks them.

use async_trait::async_trait;
use serde::Serialize;

use crate::pg::DbError;

/// What a check of the books came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BooksReport {
    /// Movements of money that were read.
    pub movements: u64,
    /// Payments that were compared with them.
    pub payments: u64,
    /// Refunds that were compared with them.
    pub refunds: u64,
    /// Sessions that were compared with them; none where nobody tells of sessions.
    pub sessions: u64,
    /// The balance of each account, debits positive, in whole rupiah.
    pub balances: Vec<AccountBalance>,
    /// What does not fit, in plain words; the first thousand. Empty: everything is explained.
    pub differences: Vec<String>,
    /// How many differences there are in all.
    pub differences_in_all: u64,
}

/// What stands on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountBalance {
    /// The account's name.
    pub account: String,
    /// Whole rupiah, debits positive.
    pub amount: i64,
}

/// Keeps the books of the money.
#[async_trait]
pub trait Books: Send + Sync {
    /// Reads all of the books and says what does not fit: movements that do not balance, and what
    /// differs from payments, refunds and sessions. Changes nothing.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn check(&self) -> Result<BooksReport, DbError>;
}
