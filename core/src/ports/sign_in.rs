//! Signing somebody in who has proven, to another module, that an email is theirs.

use async_trait::async_trait;
use uuid::Uuid;

use super::Device;
use crate::http::Response;
use crate::pg::{DbError, Tx};
use crate::problem::Problem;

/// Somebody who was signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user_id: Uuid,
    /// Whether this made the account.
    pub is_new: bool,
    /// The tokens, to be answered once the transaction has committed.
    pub reply: Response,
}

/// Opens sessions.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Opens a session in `tx` for the customer with this email (lower case), whose account it makes
    /// where there is none. The proof must be used up in the same transaction and before this call, so
    /// that whoever closes the account locks in the same order.
    ///
    /// # Errors
    /// `account_disabled`, or that Postgres does not answer. Commit all the same: the proof is used up
    /// by a refusal, and a transaction that failed cannot be committed anyway.
    async fn by_email(
        &self,
        tx: &Tx<'_>,
        email: &str,
        device: Option<&Device>,
    ) -> Result<SignedIn, Problem>;

    /// The language (`id` or `en`) of the customer with this email (lower case), if there is one.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn language_of(&self, email: &str) -> Result<Option<String>, DbError>;

    /// A keyed hash of an email or an address, so that it can be counted and compared without being
    /// kept. It changes with the server's secret.
    fn fingerprint(&self, contact: &str) -> [u8; 32];
}
