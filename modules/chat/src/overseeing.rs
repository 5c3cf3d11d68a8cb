//! Sessions, requests and reports as admins see them: the port, statement by statement.

use std::time::Duration;

use async_trait::async_trait;
use halobestie_core::clock::Clock;
use halobestie_core::pg::{Db, DbError, Tx};
use halobestie_core::ports::{
    ChatCounts, Happening, OverseenExtension, OverseenOffer, OverseenReport, OverseenRequest,
    OverseenSession, ReportChange, ReportFilter, RequestFilter, SessionFilter, SessionsOversight,
    TimeEntry, TranscriptMessage, Window,
};
use uuid::Uuid;

use crate::store::{overseen_reports, overseen_requests, overseen_sessions};

const MINUTE: Duration = Duration::from_secs(60);

/// Sees everything.
pub(crate) struct Overseer {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

#[async_trait]
impl SessionsOversight for Overseer {
    async fn counts(&self) -> Result<ChatCounts, DbError> {
        let now = self.clock.now();
        overseen_sessions::counts(&self.db, now, now - MINUTE).await
    }

    async fn sessions(
        &self,
        filter: &SessionFilter,
        window: Window,
    ) -> Result<Vec<OverseenSession>, DbError> {
        overseen_sessions::list(&self.db, filter, window).await
    }

    async fn session(&self, id: Uuid) -> Result<Option<OverseenSession>, DbError> {
        overseen_sessions::find(&self.db, id).await
    }

    async fn session_history(&self, id: Uuid) -> Result<Vec<Happening>, DbError> {
        overseen_sessions::history(&self.db, id).await
    }

    async fn extensions(&self, session_id: Uuid) -> Result<Vec<OverseenExtension>, DbError> {
        overseen_sessions::extensions(&self.db, session_id).await
    }

    async fn time_books(&self, session_id: Uuid) -> Result<Vec<TimeEntry>, DbError> {
        overseen_sessions::time_books(&self.db, session_id).await
    }

    async fn transcript(
        &self,
        id: Uuid,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<TranscriptMessage>, DbError> {
        overseen_sessions::transcript(&self.db, id, after_seq, limit).await
    }

    async fn requests(
        &self,
        filter: &RequestFilter,
        window: Window,
    ) -> Result<Vec<OverseenRequest>, DbError> {
        overseen_requests::list(&self.db, filter, window).await
    }

    async fn request(&self, id: Uuid) -> Result<Option<OverseenRequest>, DbError> {
        overseen_requests::find(&self.db, id).await
    }

    async fn offers(&self, request_id: Uuid) -> Result<Vec<OverseenOffer>, DbError> {
        overseen_requests::offers(&self.db, request_id).await
    }

    async fn reports(
        &self,
        filter: &ReportFilter,
        window: Window,
    ) -> Result<Vec<OverseenReport>, DbError> {
        overseen_reports::list(&self.db, filter, window).await
    }

    async fn report(&self, id: Uuid) -> Result<Option<OverseenReport>, DbError> {
        overseen_reports::find(&self.db, id).await
    }

    async fn change_report(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
        change: &ReportChange,
        admin_id: Uuid,
    ) -> Result<Option<(OverseenReport, OverseenReport)>, DbError> {
        let Some(before) = overseen_reports::hold(tx, id).await? else {
            return Ok(None);
        };
        let keeps_status = change.status.is_none_or(|it| it == before.status);
        let keeps_note = change.note.is_none() || change.note == before.note;
        if keeps_status && keeps_note {
            return Ok(Some((before.clone(), before)));
        }
        let now = self.clock.now();
        overseen_reports::change(tx, id, change, admin_id, now).await?;
        let after = OverseenReport {
            status: change.status.unwrap_or(before.status),
            note: change.note.clone().or_else(|| before.note.clone()),
            handled_by: Some(admin_id),
            handled_at: Some(now),
            ..before.clone()
        };
        Ok(Some((before, after)))
    }
}

#[cfg(test)]
mod tests {
    use halobestie_core::ports::{REQUEST_STATUSES, SESSION_STATUSES};

    use crate::pairing::RequestStatus;
    use crate::session_state::SessionStatus;

    #[test]
    fn the_statuses_that_admins_may_ask_for_are_ours() {
        for status in SESSION_STATUSES {
            assert!(SessionStatus::parse(status).is_some(), "{status}");
        }
        for status in REQUEST_STATUSES {
            assert!(RequestStatus::parse(status).is_some(), "{status}");
        }
    }
}
