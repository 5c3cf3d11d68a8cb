//! What this module answers for: which uploads are still in use.

use async_trait::async_trait;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::Conversations;
use uuid::Uuid;

use super::store;

/// Knows which pictures drafts and publications name.
pub(crate) struct Pictures(pub(crate) Db);

#[async_trait]
impl Conversations for Pictures {
    /// A person's drafts are theirs alone.
    async fn is_side(&self, session_id: Uuid, user_id: Uuid) -> Result<bool, DbError> {
        Ok(session_id == user_id)
    }

    async fn carried(&self, upload_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
        store::pictures::named(&self.0, upload_ids).await
    }
}
