//! Signing in who has proven, to another module, that an email is theirs.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Device, Role, SignIn, SignedIn};
use halobestie_core::problem::Problem;

use crate::error::AuthError;
use crate::keys::Purpose;
use crate::state::State;
use crate::store::users::{self, NewUser, User};

/// Opens sessions for verified emails.
pub(crate) struct ByEmail(pub(crate) Arc<State>);

#[async_trait]
impl SignIn for ByEmail {
    async fn by_email(
        &self,
        tx: &Tx<'_>,
        email: &str,
        device: Option<&Device>,
    ) -> Result<SignedIn, Problem> {
        let now = self.0.clock.now();
        let (user, is_new) = self.find_or_make(tx, email, now).await?;
        if !user.is_active {
            return Err(AuthError::AccountDisabled.into());
        }
        let user_id = user.id;
        let tokens = self.0.open_session(tx, user, is_new, device, now).await?;
        Ok(SignedIn {
            user_id,
            is_new,
            reply: tokens.reply()?,
        })
    }

    async fn language_of(&self, email: &str) -> Result<Option<String>, DbError> {
        users::language_by_email(&self.0.db, Role::Customer, email).await
    }

    fn fingerprint(&self, contact: &str) -> [u8; 32] {
        self.0.keys.hash(Purpose::Contact, &[contact.as_bytes()])
    }
}

impl ByEmail {
    /// The customer's account, held, and whether it was made now.
    async fn find_or_make(
        &self,
        tx: &Tx<'_>,
        email: &str,
        now: Timestamp,
    ) -> Result<(User, bool), AuthError> {
        if let Some(user) = users::hold_by_email(tx, Role::Customer, email).await? {
            return Ok((user, false));
        }
        let new = NewUser {
            id: self.0.entropy.uuid(&self.0.clock),
            role: Role::Customer,
            phone: None,
            email: Some(email),
            display_name: &users::friendly_name(&self.0.entropy),
        };
        if let Some(user) = users::insert(tx, new, now).await? {
            return Ok((user, true));
        }
        // Two first sign-ins at once: the other has made the account, and has committed it.
        let user = users::hold_by_email(tx, Role::Customer, email).await?;
        let gone = DbError::Content("an account was made and closed while its owner signed in");
        Ok((user.ok_or(gone)?, false))
    }
}
