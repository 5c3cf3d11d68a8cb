//! What goes when somebody closes their account: everything, the published too.

use async_trait::async_trait;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Erasure, Leaver};

use super::store;

/// All that a person has here.
pub(crate) struct Everything;

#[async_trait]
impl Erasure for Everything {
    async fn erase(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError> {
        // What is being written comes first and is deleted, or later and finds the account closed.
        store::lock(tx, leaver.user_id).await?;
        store::drafts::delete_all(tx, leaver.user_id).await?;
        store::conflicts::delete_all(tx, leaver.user_id).await?;
        store::publications::delete_all(tx, leaver.user_id).await
    }
}
