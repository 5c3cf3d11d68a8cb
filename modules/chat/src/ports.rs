//! What this module promises to the others.

use std::collections::HashMap;

use async_trait::async_trait;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Conversations, SessionLoad};
use uuid::Uuid;

use crate::store::{messages, sessions, sides};

/// How many open sessions mitras have, from Postgres.
pub(crate) struct OpenSessions {
    pub(crate) db: Db,
}

#[async_trait]
impl SessionLoad for OpenSessions {
    async fn open_sessions(&self, mitra_ids: &[Uuid]) -> Result<HashMap<Uuid, u32>, DbError> {
        sessions::load_of(&self.db, mitra_ids).await
    }

    async fn all_open_sessions(&self) -> Result<HashMap<Uuid, u32>, DbError> {
        sessions::load_of_all(&self.db).await
    }
}

/// Who talks to whom, and what their messages carry, from Postgres.
pub(crate) struct Talks {
    pub(crate) db: Db,
}

#[async_trait]
impl Conversations for Talks {
    async fn is_side(&self, session_id: Uuid, user_id: Uuid) -> Result<bool, DbError> {
        Ok(sides::last_seq_of(&self.db, user_id, session_id)
            .await?
            .is_some())
    }

    async fn carried(&self, upload_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
        messages::carried(&self.db, upload_ids).await
    }
}
