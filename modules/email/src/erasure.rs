//! What goes of this module's rows when somebody closes their account.

use async_trait::async_trait;
use halobestie_core::clock::Clock;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Erasure, Leaver};

use crate::store;

/// The links of an account's email.
pub(crate) struct Links(pub(crate) Clock);

#[async_trait]
impl Erasure for Links {
    async fn erase(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError> {
        match leaver.email {
            Some(email) => store::forget(tx, email, self.0.now()).await,
            None => Ok(()),
        }
    }
}
