//! Admins at work: who a request of the control center is from, read from where it is true.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::{AdminRole, PasswordHash, Principal};
use crate::after_commit::AfterCommit;
use crate::audit::Actor;
use crate::pg::{DbError, Tx};
use crate::problem::Problem;

/// An admin who is signed in at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAdmin {
    /// Who, by the name of now.
    pub actor: Actor,
    /// What they may do, as of now.
    pub role: AdminRole,
    /// The sign-in session.
    pub session_id: Uuid,
}

/// A session that pages of the control center are seen by.
#[derive(Debug)]
pub struct PageSession {
    /// What the browser keeps in its cookie: 256 bits of chance, kept hashed.
    pub token: SecretString,
    /// How long it lives.
    pub life: Duration,
    /// Who signed in.
    pub admin: SignedAdmin,
}

/// An admin's own password that was right a moment ago, and the one that is to follow it.
#[derive(Debug)]
pub struct PasswordChange {
    /// The hash that it was right by.
    pub before: SecretString,
    /// The next one.
    pub after: PasswordHash,
}

/// Signs admins in and says who they are. Every answer is read from Postgres, so whoever is demoted,
/// deactivated or signed out is so at their next request, whatever a token or a cookie says.
#[async_trait]
pub trait AdminSessions: Send + Sync {
    /// The admin of a checked access token; `None` where its session is over, or they may not sign in.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn by_token(&self, principal: &Principal) -> Result<Option<SignedAdmin>, DbError>;

    /// The admin of a page session's cookie, which lives longer by it; `None` for anything that is, or is
    /// no longer, one.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn by_cookie(&self, token: &str) -> Result<Option<SignedAdmin>, DbError>;

    /// The same without a use of the session: for what a page asks by itself, while nobody may be there.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn living(&self, token: &str) -> Result<Option<SignedAdmin>, DbError>;

    /// Signs in for pages, by the rules and limits of the sign-in by HTTP.
    ///
    /// # Errors
    /// `invalid_credentials`, `account_disabled`, `rate_limited`, `overloaded`, or that Postgres does not
    /// answer.
    async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        address: IpAddr,
    ) -> Result<PageSession, Problem>;

    /// Ends a session, on every replica at once.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn sign_out(&self, admin: &SignedAdmin) -> Result<(), DbError>;

    /// Checks an admin's own password, by the limits of a sign-in, and hashes the one that is to follow.
    ///
    /// # Errors
    /// `validation_failed` naming `current` or `new`, `rate_limited`, `overloaded`, or that Postgres does
    /// not answer.
    async fn check_password(
        &self,
        admin: &SignedAdmin,
        (current, new): (SecretString, SecretString),
        address: IpAddr,
    ) -> Result<PasswordChange, Problem>;

    /// Changes an admin's own password in `tx` and revokes every session but the one that asks: on every
    /// replica once the returned is run, and within half a minute should it be dropped.
    ///
    /// # Errors
    /// `validation_failed` naming `current` where the password has changed meanwhile, or that Postgres
    /// does not answer.
    async fn change_password<'a>(
        &'a self,
        tx: &Tx<'_>,
        admin: &SignedAdmin,
        change: &PasswordChange,
    ) -> Result<AfterCommit<'a>, Problem>;
}
