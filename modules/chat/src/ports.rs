//! What this module promises to the others.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::AfterCommit;
use halobestie_core::pg::{Db, DbError, Tx};
use halobestie_core::ports::{SessionControl, SessionLoad};
use uuid::Uuid;

use crate::ending::{self, Ender};
use crate::error::ChatError;
use crate::state::State;
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

/// Ends sessions by order of an admin.
pub(crate) struct Desk {
    pub(crate) state: Arc<State>,
}

#[async_trait]
impl SessionControl for Desk {
    async fn end<'a>(
        &'a self,
        tx: &Tx<'_>,
        session_id: Uuid,
        admin_id: Uuid,
    ) -> Result<Option<AfterCommit<'a>>, DbError> {
        match ending::end_in(&self.state, tx, session_id, Ender::Admin(admin_id)).await {
            Ok(after) => Ok(Some(after)),
            Err(ChatError::Db(error)) => Err(error),
            // An admin may end whatever goes on, so there is none.
            Err(_) => Ok(None),
        }
    }
}
