//! The accounts of admins, as whoever runs the server manages them.

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::AfterCommit;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{
    Admin, AdminAccounts, AdminChange, AdminError, AdminRole, NewAdmin, PasswordHash,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::info;
use uuid::Uuid;

use crate::login_throttle::account_hash;
use crate::password::{self, PasswordError};
use crate::state::State;
use crate::store::admins::{self, NewAdminRow};
use crate::store::login_failures;
use crate::store::sessions::{self, RevokeReason};

const NAME_CHARS: RangeInclusive<usize> = 1..=50;
/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const EMAIL_BYTES_MAX: usize = 254;
/// More than a team of admins ever has.
const LISTED_MAX: i64 = 1_000;

/// Manages the admins among `users`.
pub(crate) struct Admins(pub(crate) Arc<State>);

/// The form in which emails are stored.
pub(crate) fn normal_email(text: &str) -> String {
    text.trim().to_lowercase()
}

#[async_trait]
impl AdminAccounts for Admins {
    async fn hash_password(&self, password: SecretString) -> Result<PasswordHash, AdminError> {
        Ok(PasswordHash(hash(&self.0, password).await?.into()))
    }

    async fn create(
        &self,
        tx: &Tx<'_>,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin, AdminError> {
        let state = &self.0;
        let email = readable_email(&new.email)?;
        let display_name = readable_name(&new.display_name)?;
        let (id, now) = (state.entropy.uuid(&state.clock), state.clock.now());
        let row = NewAdminRow {
            id,
            email: &email,
            password_hash: password.0.expose_secret(),
            display_name,
            admin_role: new.role,
        };
        if !admins::insert(tx, row, now).await? {
            return Err(AdminError::Exists(email));
        }
        info!(user.id = %id, role = new.role.as_str(), "admin made");
        Ok(Admin {
            id,
            display_name: display_name.to_owned(),
            email,
            role: new.role,
            is_active: true,
            created_at: now,
            last_used_at: None,
        })
    }

    async fn change<'a>(
        &'a self,
        tx: &Tx<'_>,
        id: Uuid,
        change: &AdminChange,
    ) -> Result<Option<(Admin, Admin, AfterCommit<'a>)>, AdminError> {
        let state = &self.0;
        let name = change.display_name.as_deref().map(readable_name);
        let name = name.transpose()?;
        // Every owner is held, in one order, so that two owners cannot each leave the other as the last.
        let owners = admins::hold_owners(tx, id).await?;
        let Some(before) = admins::find(tx, id).await? else {
            return Ok(None);
        };
        let after = Admin {
            display_name: name.map_or_else(|| before.display_name.clone(), ToOwned::to_owned),
            role: change.role.unwrap_or(before.role),
            is_active: change.is_active.unwrap_or(before.is_active),
            ..before.clone()
        };
        let stays_owner = after.role == AdminRole::Owner && after.is_active;
        if owners == [id] && !stays_owner {
            return Err(AdminError::LastOwner);
        }
        admins::update(tx, &after).await?;
        let revoked = if after.is_active {
            Vec::new()
        } else {
            let (reason, now) = (RevokeReason::AccountDisabled, state.clock.now());
            sessions::revoke_all(tx, id, reason, now).await?
        };
        let after_commit = AfterCommit::new(async move {
            state.revocations.publish(&revoked);
            info!(user.id = %id, sessions = revoked.len(), "admin changed");
        });
        Ok(Some((before, after, after_commit)))
    }

    async fn set_password<'a>(
        &'a self,
        tx: &Tx<'_>,
        id: Uuid,
        password: &PasswordHash,
    ) -> Result<Option<AfterCommit<'a>>, AdminError> {
        let Some(admin) = admins::find(tx, id).await? else {
            return Ok(None);
        };
        let password = password.0.expose_secret();
        let (_, tell) = replace_password(&self.0, tx, &admin.email, password).await?;
        Ok(Some(tell))
    }

    async fn reset_password<'a>(
        &'a self,
        tx: &Tx<'_>,
        email: &str,
        password: &PasswordHash,
    ) -> Result<(Uuid, AfterCommit<'a>), AdminError> {
        let email = normal_email(email);
        replace_password(&self.0, tx, &email, password.0.expose_secret()).await
    }

    async fn list(&self) -> Result<Vec<Admin>, DbError> {
        admins::list(&self.0.db, LISTED_MAX).await
    }
}

/// Sets the password of the account with this email, and signs it out; whose it is.
async fn replace_password<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    email: &str,
    password_hash: &str,
) -> Result<(Uuid, AfterCommit<'a>), AdminError> {
    if email.contains('\0') {
        return Err(AdminError::Unknown(email.to_owned()));
    }
    // The account first: a sign-in holds it, with its old password, while it adds its session.
    let Some(user_id) = admins::set_password(tx, email, password_hash).await? else {
        return Err(AdminError::Unknown(email.to_owned()));
    };
    let (reason, now) = (RevokeReason::PasswordReset, state.clock.now());
    let revoked = sessions::revoke_all(tx, user_id, reason, now).await?;
    login_failures::forget_account(tx, &account_hash(&state.keys, email)).await?;
    let tell = AfterCommit::new(async move {
        state.revocations.publish(&revoked);
        info!(user.id = %user_id, sessions = revoked.len(), "admin's password reset");
    });
    Ok((user_id, tell))
}

pub(crate) async fn hash(state: &State, password: SecretString) -> Result<String, AdminError> {
    let text = password.expose_secret();
    // bcrypt ends a password at a NUL.
    if !password::LENGTHS.contains(&text.len()) || text.contains('\0') {
        return Err(AdminError::BadPassword);
    }
    let hash = state.passwords.hash(password, &state.entropy).await;
    hash.map_err(|error| match error {
        PasswordError::Broken(source) => AdminError::Hash(source),
        PasswordError::Busy => AdminError::Hash(error.into()),
    })
}

/// An address by its shape: only a mail that arrives proves more.
fn readable_email(text: &str) -> Result<String, AdminError> {
    let email = normal_email(text);
    let is_fine = email.len() <= EMAIL_BYTES_MAX
        && !email
            .chars()
            .any(|it| it.is_whitespace() || it.is_control())
        && email.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
    if is_fine {
        Ok(email)
    } else {
        Err(AdminError::NotAnEmail(text.to_owned()))
    }
}

pub(crate) fn readable_name(text: &str) -> Result<&str, AdminError> {
    let name = text.trim();
    let is_fine = NAME_CHARS.contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if is_fine {
        Ok(name)
    } else {
        Err(AdminError::NotAName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_has_two_sides_and_is_kept_in_lower_case() {
        let fine = readable_email("  Ratu@Halobestie.Test ").unwrap();
        assert_eq!(fine, "ratu@halobestie.test");
        let long = format!("{}@halobestie.test", "x".repeat(250));
        for wrong in [
            "", "ratu", "@", "@x", "x@", "a@b@c", "a b@c", "a@b\nc", "a\0@b", &long,
        ] {
            assert!(readable_email(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_has_letters_and_no_line_breaks() {
        assert_eq!(readable_name(" Ratu ").unwrap(), "Ratu");
        let long = "x".repeat(51);
        for wrong in ["", "  ", "two\nlines", &long] {
            assert!(readable_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
