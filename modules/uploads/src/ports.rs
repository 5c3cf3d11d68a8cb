//! What this module promises to the others.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Attachment, Attachments};
use uuid::Uuid;

use crate::state::State;
use crate::store;

/// What was uploaded, to be sent.
pub(crate) struct Uploads(pub(crate) Arc<State>);

#[async_trait]
impl Attachments for Uploads {
    async fn attach(
        &self,
        upload_id: Uuid,
        owner_id: Uuid,
        session_id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Attachment>, DbError> {
        let upload = store::attach(&self.0.db, upload_id, owner_id, session_id, now).await?;
        Ok(upload.map(|upload| upload.attachment()))
    }
}
