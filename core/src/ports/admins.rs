//! The accounts of admins, as whoever runs the server manages them.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};
use crate::problem::BoxError;
use crate::timestamp::Timestamp;

/// What an admin may do in the control center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Everything, other admins included.
    Owner,
    /// The daily work.
    Operator,
    /// Looks, and changes nothing.
    Viewer,
}

impl AdminRole {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Operator, Self::Viewer];

    /// Whether this role may do what takes `needed`.
    pub const fn covers(self, needed: Self) -> bool {
        self as u8 <= needed as u8
    }

    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for AdminRole {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for AdminRole {
    type Err = UnknownAdminRole;
    fn from_str(text: &str) -> Result<Self, UnknownAdminRole> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.as_str() == text)
            .ok_or(UnknownAdminRole)
    }
}

/// A role that no admin has.
#[derive(Debug, thiserror::Error)]
#[error("expected owner, operator or viewer")]
pub struct UnknownAdminRole;

/// An admin who is to be.
#[derive(Clone, Debug)]
pub struct NewAdmin {
    /// As it was typed; kept in lower case.
    pub email: String,
    /// The name that the control center shows.
    pub display_name: String,
    /// What they may do.
    pub role: AdminRole,
}

/// A password that was hashed, before any transaction begins: it takes a while on purpose.
#[derive(Clone, Debug)]
pub struct PasswordHash(pub SecretString);

/// A change of an admin's account. What is not given stays.
#[derive(Clone, Debug, Default)]
pub struct AdminChange {
    /// The name that the control center shows.
    pub display_name: Option<String>,
    /// What they may do, from their next request on.
    pub role: Option<AdminRole>,
    /// Whether they may sign in; if not, every session is revoked.
    pub is_active: Option<bool>,
}

/// An admin's account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Admin {
    /// Their id.
    pub id: Uuid,
    /// Lower case.
    pub email: String,
    /// The name that the control center shows.
    pub display_name: String,
    /// What they may do.
    pub role: AdminRole,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// The last sign-in or refresh of a session that lives.
    pub last_used_at: Option<Timestamp>,
}

/// Why an admin's account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Not an email address.
    #[error("{0:?} is not an email address")]
    NotAnEmail(String),
    /// An empty or overlong name.
    #[error("a name must have 1 to 50 characters, without line breaks")]
    NotAName,
    /// Too short, or longer than bcrypt reads.
    #[error("a password must have 8 to 71 bytes")]
    BadPassword,
    /// There is one.
    #[error("there is an admin {0} already")]
    Exists(String),
    /// There is none.
    #[error("there is no admin {0}")]
    Unknown(String),
    /// Nobody would be left who may do everything.
    #[error("the last owner who may sign in must stay one")]
    LastOwner,
    /// The password could not be hashed.
    #[error("cannot hash the password")]
    Hash(#[source] BoxError),
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes and changes the accounts of admins.
#[async_trait]
pub trait AdminAccounts: Send + Sync {
    /// Hashes a password of 8 to 71 bytes.
    ///
    /// # Errors
    /// [`AdminError::BadPassword`] and [`AdminError::Hash`].
    async fn hash_password(&self, password: SecretString) -> Result<PasswordHash, AdminError>;

    /// Makes an account in `tx`.
    ///
    /// # Errors
    /// See [`AdminError`].
    async fn create(
        &self,
        tx: &Tx<'_>,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin, AdminError>;

    /// Changes an account in `tx`; what it was and what it is. `None` when there is none. Whoever may not
    /// sign in any more is signed out: on every replica once the returned is run, and within half a minute
    /// should it be dropped.
    ///
    /// # Errors
    /// [`AdminError::NotAName`], [`AdminError::LastOwner`], [`AdminError::Db`].
    async fn change<'a>(
        &'a self,
        tx: &Tx<'_>,
        id: Uuid,
        change: &AdminChange,
    ) -> Result<Option<(Admin, Admin, AfterCommit<'a>)>, AdminError>;

    /// Sets another password in `tx`, forgets the wrong ones that were tried, and revokes every session:
    /// on every replica once the returned is run. `None` when there is no such account.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn set_password<'a>(
        &'a self,
        tx: &Tx<'_>,
        id: Uuid,
        password: &PasswordHash,
    ) -> Result<Option<AfterCommit<'a>>, AdminError>;

    /// The same by the email, as it was typed; whose account it is.
    ///
    /// # Errors
    /// [`AdminError::Unknown`], [`AdminError::Db`].
    async fn reset_password<'a>(
        &'a self,
        tx: &Tx<'_>,
        email: &str,
        password: &PasswordHash,
    ) -> Result<(Uuid, AfterCommit<'a>), AdminError>;

    /// Every account that is not closed, by email; at most a thousand.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn list(&self) -> Result<Vec<Admin>, DbError>;
}
