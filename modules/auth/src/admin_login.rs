//! The sign-in of admins by password: what the door for tokens and the one for pages share.

use std::net::IpAddr;

use halobestie_core::BoxError;
use halobestie_core::pg::Tx;
use halobestie_core::problem::Problem;
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};
use uuid::Uuid;

use crate::admins::normal_email;
use crate::error::AuthError;
use crate::login_throttle::{Admitted, Throttle};
use crate::state::State;
use crate::store::admins;
use crate::store::users::User;

/// A password that was right a moment ago, and where from.
pub(crate) struct RightPassword {
    user_id: Uuid,
    kept: String,
    throttle: Throttle,
    admitted: Admitted,
}

/// Checks a password, as slowly for an unknown email.
///
/// # Errors
/// `invalid_credentials`, `rate_limited`, `overloaded`, or that Postgres does not answer.
pub(crate) async fn check(
    state: &State,
    email: &str,
    password: SecretString,
    address: IpAddr,
) -> Result<RightPassword, Problem> {
    let email = normal_email(email);
    let throttle = Throttle::new(&state.keys, &email, address);
    let admitted = throttle.admit(state, state.clock.now()).await?;
    if email.contains('\0') || password.expose_secret().contains('\0') {
        // Nobody's, and neither Postgres nor bcrypt reads it. It is found out as slowly as any other.
        state.passwords.is_right("nobody's".into(), None).await?;
        return Err(AuthError::InvalidCredentials.into());
    }
    let found = admins::password(&state.db, &email).await?;
    let kept = found.as_ref().and_then(|(_, kept)| kept.clone());
    let is_right = state.passwords.is_right(password, kept).await;
    // From here on it is no secret whether there is such an account.
    match found.filter(|_| matches!(is_right, Ok(true))) {
        Some((user_id, Some(kept))) => Ok(RightPassword {
            user_id,
            kept,
            throttle,
            admitted,
        }),
        _ => {
            is_right?;
            Err(AuthError::InvalidCredentials.into())
        }
    }
}

impl RightPassword {
    /// The account, held by the transaction in which its session is to be made.
    ///
    /// # Errors
    /// `invalid_credentials` where the password has changed meanwhile, `account_disabled`, or that
    /// Postgres does not answer.
    pub(crate) async fn hold(&self, tx: &Tx<'_>) -> Result<User, Problem> {
        // Held and looked at again: while the password was checked the account may have been closed, or
        // the password reset, and a reset must find every session of the old one.
        let user = admins::hold_with_password(tx, self.user_id, &self.kept).await?;
        let user = user.ok_or(AuthError::InvalidCredentials)?;
        if !user.is_active {
            return Err(AuthError::AccountDisabled.into());
        }
        Ok(user)
    }

    /// The hash that it was right by.
    pub(crate) fn kept(&self) -> &str {
        &self.kept
    }

    /// Takes its own try back.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn take_back(&self, state: &State, tx: &Tx<'_>) -> Result<(), Problem> {
        let now = state.clock.now();
        Ok(self.throttle.was_right(tx, self.admitted, now).await?)
    }

    /// Takes its own try back and commits; what the session's transaction ends with.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn commit(&self, state: &State, tx: Tx<'_>) -> Result<(), Problem> {
        self.take_back(state, &tx).await?;
        tx.commit().await?;
        info!(user.id = %self.user_id, "admin signed in");
        Ok(())
    }

    /// Makes a hash of another cost anew. The sign-in does not depend on it.
    pub(crate) async fn renew_hash(&self, state: &State, password: SecretString) {
        if !state.passwords.is_outdated(&self.kept) {
            return;
        }
        let renewed = async {
            let hash = state.passwords.hash(password, &state.entropy).await?;
            admins::replace_hash(&state.db, self.user_id, &self.kept, &hash).await?;
            Ok::<(), BoxError>(())
        };
        if let Err(error) = renewed.await {
            warn!(error = &*error, user.id = %self.user_id, "a password's hash was not renewed");
        }
    }
}
