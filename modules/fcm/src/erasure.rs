//! What goes of this module's rows when somebody closes their account.

use async_trait::async_trait;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Erasure, Leaver};

use crate::store;

/// The device tokens of an account. Pushes that wait name registrations, which are gone with them.
pub(crate) struct Tokens;

#[async_trait]
impl Erasure for Tokens {
    async fn erase(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError> {
        store::delete_of_user(tx, leaver.user_id).await?;
        Ok(())
    }
}
