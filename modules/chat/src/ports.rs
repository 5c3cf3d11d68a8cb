//! What this module promises to the others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::pg::{Db, DbError, Tx};
use halobestie_core::ports::{
    Arrival, ChatNews, Conversations, EndedSession, SessionControl, SessionLoad, Side, SoldTime,
    TimeOfSession, Unread,
};
use uuid::Uuid;

use crate::ending::{self, Ender};
use crate::error::ChatError;
use crate::session_state::EndReason;
use crate::state::State;
use crate::store::{messages, requests, sessions, sides, time, unread};

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

/// The books of the sessions' time, from Postgres.
pub(crate) struct TimeBooks {
    pub(crate) db: Db,
}

#[async_trait]
impl SoldTime for TimeBooks {
    async fn of_sessions(&self, session_ids: &[Uuid]) -> Result<Vec<TimeOfSession>, DbError> {
        time::of_sessions(&self.db, session_ids).await
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
    ) -> Result<Option<EndedSession<'a>>, DbError> {
        match ending::end_known(&self.state, tx, session_id, Ender::Admin(admin_id)).await {
            Ok(ended) => Ok(Some(EndedSession {
                was: ended.was.as_str(),
                reason: ended.reason.map(EndReason::as_str),
                after_commit: ended.after,
            })),
            Err(ChatError::Db(error)) => Err(error),
            // An admin may end whatever goes on, so there is none.
            Err(_) => Ok(None),
        }
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

/// Knows what is still news in chats.
pub(crate) struct Reporter {
    pub(crate) state: Arc<State>,
}

#[async_trait]
impl ChatNews for Reporter {
    async fn unacknowledged(&self, arrivals: &[Arrival]) -> Result<Vec<Arrival>, DbError> {
        let mut unheard = unread::still_unread(&self.state.db, arrivals).await?;
        if !unheard.is_empty() {
            let proven = self.state.proofs.of(&unheard).await;
            unheard.retain(|it| !proven.contains(it));
        }
        Ok(unheard)
    }

    async fn unread(&self, sides: &[Side]) -> Result<Vec<Unread>, DbError> {
        unread::unread(&self.state.db, sides).await
    }

    async fn open_requests(&self, request_ids: &[Uuid]) -> Result<HashSet<Uuid>, DbError> {
        let now = self.state.clock.now();
        requests::still_open(&self.state.db, request_ids, now).await
    }
}
