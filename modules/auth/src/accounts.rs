//! The accounts of customers and mitras, as admins see and change them.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Account, AccountError, Accounts, AccountsQuery, Role};
use halobestie_core::problem::FieldError;
use uuid::Uuid;

use crate::admins::readable_name;
use crate::phone::Phone;
use crate::state::State;
use crate::store::accounts as store;
use crate::store::users::{self, NewUser};

/// Keeps the accounts among `users`.
pub(crate) struct Registry(pub(crate) Arc<State>);

#[async_trait]
impl Accounts for Registry {
    async fn list(&self, query: &AccountsQuery) -> Result<Vec<Account>, DbError> {
        store::list(&self.0.db, query).await
    }

    async fn hold(&self, tx: &Tx<'_>, role: Role, id: Uuid) -> Result<Option<Account>, DbError> {
        store::hold(tx, role, id).await
    }

    async fn create_mitra(
        &self,
        tx: &Tx<'_>,
        phone: &str,
        display_name: &str,
    ) -> Result<Account, AccountError> {
        let state = &self.0;
        let phone = Phone::parse(phone)
            .ok_or_else(|| invalid("phone", "must be a mobile number, such as 0812…"))?;
        let display_name = name(display_name)?;
        let now = state.clock.now();
        let new = NewUser {
            id: state.entropy.uuid(&state.clock),
            role: Role::Mitra,
            phone: Some(phone.as_str()),
            email: None,
            display_name,
        };
        let made = users::insert(tx, new, now).await?;
        let made = made.ok_or(AccountError::PhoneTaken)?;
        Ok(Account {
            id: made.id,
            role: made.role,
            phone: made.phone,
            email: made.email,
            display_name: made.display_name,
            language: made.language,
            is_active: made.is_active,
            created_at: now,
            last_used_at: None,
        })
    }

    async fn rename(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
        display_name: &str,
    ) -> Result<String, AccountError> {
        let display_name = name(display_name)?;
        users::update_profile(tx, id, Some(display_name), None).await?;
        Ok(display_name.to_owned())
    }
}

fn name(text: &str) -> Result<&str, AccountError> {
    let message = "must have 1 to 50 characters, without line breaks";
    readable_name(text).map_err(|_| invalid("display_name", message))
}

fn invalid(field: &str, message: &str) -> AccountError {
    AccountError::Invalid(FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    })
}
