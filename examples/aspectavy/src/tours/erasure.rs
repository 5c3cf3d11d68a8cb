//! What goes of this module's rows when somebody closes their account: all of theirs.

use async_trait::async_trait;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Erasure, Leaver};

use super::store;

/// The tours of somebody.
pub(super) struct Tours;

#[async_trait]
impl Erasure for Tours {
    async fn erase(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError> {
        // What is being written comes first and is deleted, or later and finds the account closed.
        store::lock_owner(tx, leaver.user_id).await?;
        store::delete_all(tx, leaver.user_id).await
    }
}
