//! The accounts of customers and mitras, as admins see and change them.

use async_trait::async_trait;
use uuid::Uuid;

use super::Role;
use crate::pg::{DbError, Tx};
use crate::problem::FieldError;
use crate::timestamp::Timestamp;

/// In which order accounts are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountOrder {
    /// The latest made first.
    #[default]
    Newest,
    /// The first made first.
    Oldest,
    /// By the name shown.
    Name,
}

/// Which accounts to list. All that is given must hold; closed ones are left out.
#[derive(Clone, Debug)]
pub struct AccountsQuery {
    /// Of whom.
    pub role: Role,
    /// A part of the name, phone or email, or the whole id.
    pub search: Option<String>,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
    /// Only these.
    pub ids: Option<Vec<Uuid>>,
    /// The order.
    pub order: AccountOrder,
    /// The page after this account.
    pub after: Option<Uuid>,
    /// At most.
    pub limit: i64,
}

impl AccountsQuery {
    /// Everybody of a role, the latest first.
    pub const fn of(role: Role, limit: i64) -> Self {
        Self {
            role,
            search: None,
            is_active: None,
            ids: None,
            order: AccountOrder::Newest,
            after: None,
            limit,
        }
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub role: Role,
    /// E.164.
    pub phone: Option<String>,
    /// Lower case.
    pub email: Option<String>,
    /// The name shown to others.
    pub display_name: String,
    /// `id` or `en`.
    pub language: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last sign-in or refresh of a session that lives.
    pub last_used_at: Option<Timestamp>,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A field that cannot be so.
    #[error("{}: {}", .0.field, .0.message)]
    Invalid(FieldError),
    /// Another account of the role has the phone.
    #[error("the phone belongs to another account")]
    PhoneTaken,
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Keeps the accounts of customers and mitras. Whether they may sign in is the
/// [`Directory`](super::Directory)'s.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// A page of accounts.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn list(&self, query: &AccountsQuery) -> Result<Vec<Account>, DbError>;

    /// Locks an account that is not closed until `tx` ends.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn hold(&self, tx: &Tx<'_>, role: Role, id: Uuid) -> Result<Option<Account>, DbError>;

    /// Makes a mitra's account in `tx`. The phone may be local or E.164.
    ///
    /// # Errors
    /// See [`AccountError`].
    async fn create_mitra(
        &self,
        tx: &Tx<'_>,
        phone: &str,
        display_name: &str,
    ) -> Result<Account, AccountError>;

    /// Names an account anew in `tx`; the name as it is kept.
    ///
    /// # Errors
    /// See [`AccountError`].
    async fn rename(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
        display_name: &str,
    ) -> Result<String, AccountError>;
}
