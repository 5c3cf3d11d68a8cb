//! What is erased here when an account is closed: who the person was, in the audit.

use async_trait::async_trait;
use halobestie_core::audit;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Erasure, Leaver};

use crate::acts::subject;

/// The audit keeps what was done, and not to whom by name.
pub(crate) struct Audit;

#[async_trait]
impl Erasure for Audit {
    async fn erase(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError> {
        let of = |kind| subject(kind, leaver.user_id);
        audit::forget_person(tx, &[of("mitra"), of("customer")]).await
    }
}
