//! What this module promises to the others.

use std::collections::HashMap;

use async_trait::async_trait;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::SessionLoad;
use uuid::Uuid;

use crate::store::sessions;

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
