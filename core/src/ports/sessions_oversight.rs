//! Sessions, requests and reports of everybody, as admins see them.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::pg::{DbError, Tx};
use crate::timestamp::Timestamp;

/// What a session may be.
pub const SESSION_STATUSES: &[&str] = &["pending_payment", "active", "rerouting", "ended"];
/// What a request may be.
pub const REQUEST_STATUSES: &[&str] = &["searching", "matched", "expired", "cancelled"];

/// What a report may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// Nobody has looked at it yet.
    Open,
    /// Somebody looks into it.
    InReview,
    /// Something was done about it.
    Resolved,
    /// Nothing had to be done about it.
    Dismissed,
}

impl ReportStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::InReview, Self::Resolved, Self::Dismissed];

    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InReview => "in_review",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// What goes on at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatCounts {
    /// Sessions whose clock runs.
    pub active_sessions: i64,
    /// Sessions that wait for their payment.
    pub pending_payment_sessions: i64,
    /// Sessions that look for another mitra.
    pub rerouting_sessions: i64,
    /// Requests that look for a mitra.
    pub searching_requests: i64,
    /// Messages of the last minute.
    pub messages_last_minute: i64,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The oldest first; otherwise the latest.
    pub oldest_first: bool,
    /// The page after this one.
    pub after: Option<Uuid>,
    /// At most.
    pub limit: i64,
    /// Only what was made then or later.
    pub since: Option<Timestamp>,
    /// Only what was made before then.
    pub until: Option<Timestamp>,
}

impl Window {
    /// The first page, the latest first.
    pub const fn latest(limit: i64) -> Self {
        Self {
            oldest_first: false,
            after: None,
            limit,
            since: None,
            until: None,
        }
    }

    /// Between which ids the page lies, neither of them on it. An id begins with the millisecond in which
    /// it was made, so the index of ids finds a time as well.
    pub fn bounds(&self) -> (Uuid, Uuid) {
        let lower = self.since.map_or(Uuid::nil(), before_all_of);
        let upper = self.until.map_or(Uuid::max(), before_all_of);
        match self.after {
            Some(after) if self.oldest_first => (lower.max(after), upper),
            Some(after) => (lower, upper.min(after)),
            None => (lower, upper),
        }
    }
}

/// Less than every id that was made at this time or later, more than every earlier one.
fn before_all_of(time: Timestamp) -> Uuid {
    // An id has a version after its millisecond, so none is all zeros there.
    let ms = u128::try_from(time.unix_ms()).unwrap_or(0);
    Uuid::from_u128(ms << 80)
}

/// Which sessions to list. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// One of [`SESSION_STATUSES`], or `open`: all but `ended`.
    pub status: Option<String>,
    /// Of whom, on either side.
    pub user_id: Option<Uuid>,
    /// Of one of these customers.
    pub customer_ids: Option<Vec<Uuid>>,
    /// Held by one of these mitras now, or at its end.
    pub mitra_ids: Option<Vec<Uuid>>,
}

/// A session.
#[derive(Clone, Debug)]
pub struct OverseenSession {
    /// Its id.
    pub id: Uuid,
    /// The request that it came of.
    pub request_id: Uuid,
    /// One of [`SESSION_STATUSES`].
    pub status: String,
    /// Who asked.
    pub customer_id: Uuid,
    /// Who listens.
    pub mitra_id: Uuid,
    /// Who listened before, the first first.
    pub former_mitra_ids: Vec<Uuid>,
    /// What it is about; null where nothing was said, or once it is too old to be kept.
    pub topic: Option<String>,
    /// The package as it was when it was asked for: id, name, minutes, amount, currency.
    pub package: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its clock started.
    pub started_at: Option<Timestamp>,
    /// When its time is over.
    pub expires_at: Option<Timestamp>,
    /// What is left while the clock stands, in milliseconds.
    pub paused_ms: Option<i64>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<String>,
    /// How many messages it has.
    pub last_seq: i64,
    /// What the customer thought of it, 1 to 5.
    pub stars: Option<i16>,
    /// When its texts were deleted, because they were too old to be kept.
    pub erased_at: Option<Timestamp>,
}

/// Something that happened to a session or a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Happening {
    /// What: `started`, `rerouted`, `request_expired` and so on.
    pub event: String,
    /// `customer`, `mitra`, `admin` or `system`.
    pub actor: String,
    /// Who, where it was a person.
    pub actor_id: Option<Uuid>,
    /// Why.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A message as it was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TranscriptMessage {
    /// Its id.
    pub id: Uuid,
    /// Its place in the session, from 1.
    pub seq: i64,
    /// Who sent it.
    pub sender_id: Uuid,
    /// `customer` or `mitra`.
    pub sender_role: String,
    /// `text`, `image` or `audio`.
    pub kind: String,
    /// What it says.
    pub body: String,
    /// What it carries.
    pub attachment: Option<Value>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// More time that was asked for in a session.
#[derive(Clone, Debug)]
pub struct OverseenExtension {
    /// Its id; what its payment is for.
    pub id: Uuid,
    /// The package as it was when it was asked for.
    pub package: Value,
    /// `pending_payment`, `applied` or `lapsed`.
    pub status: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was applied, or lapsed.
    pub closed_at: Option<Timestamp>,
}

/// An entry in the books of a session's time.
#[derive(Clone, Debug)]
pub struct TimeEntry {
    /// `bought`, `consumed` or `returned`.
    pub kind: String,
    /// How much, in milliseconds.
    pub ms: i64,
    /// What was bought: the session itself or an extension.
    pub subject_id: Option<Uuid>,
    /// When.
    pub at: Timestamp,
}

/// Which requests to list. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// One of [`REQUEST_STATUSES`].
    pub status: Option<String>,
    /// By one of these customers.
    pub customer_ids: Option<Vec<Uuid>>,
    /// Offered to one of these mitras.
    pub offered_to: Option<Vec<Uuid>>,
}

/// A request for a chat, or a session's search for another mitra.
#[derive(Clone, Debug)]
pub struct OverseenRequest {
    /// Its id.
    pub id: Uuid,
    /// Who asked.
    pub customer_id: Uuid,
    /// One of [`REQUEST_STATUSES`].
    pub status: String,
    /// What it is about.
    pub topic: Option<String>,
    /// The package as it was when it was asked for.
    pub package: Value,
    /// The mitra who was asked first.
    pub preferred_mitra_id: Option<Uuid>,
    /// To how many it was offered.
    pub offered_to: i64,
    /// How many of them declined.
    pub declined: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it looks.
    pub expires_at: Timestamp,
    /// When it found somebody, or gave up.
    pub closed_at: Option<Timestamp>,
    /// Who won it.
    pub winner_id: Option<Uuid>,
    /// The session that came of it.
    pub session_id: Option<Uuid>,
    /// The session that looks for another mitra by it.
    pub reroute_of: Option<Uuid>,
}

/// An offer of a request to a mitra.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverseenOffer {
    /// To whom.
    pub mitra_id: Uuid,
    /// When.
    pub offered_at: Timestamp,
    /// When they declined.
    pub declined_at: Option<Timestamp>,
}

/// Which reports to list. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct ReportFilter {
    /// Where they are.
    pub status: Option<ReportStatus>,
    /// By or about one of these people.
    pub user_ids: Option<Vec<Uuid>>,
    /// Of this session.
    pub session_id: Option<Uuid>,
}

/// A complaint of one side of a session about the other.
#[derive(Clone, Debug)]
pub struct OverseenReport {
    /// Its id.
    pub id: Uuid,
    /// In which session.
    pub session_id: Uuid,
    /// By whom.
    pub reporter_id: Uuid,
    /// `customer` or `mitra`.
    pub reporter_role: String,
    /// About whom.
    pub reported_id: Uuid,
    /// In a word or a sentence.
    pub reason: String,
    /// At more length.
    pub details: Option<String>,
    /// The last messages before it, oldest first: seq, id, sender_id, sender_role, kind, body,
    /// attachment_id, sent_at. Empty in lists.
    pub evidence: Value,
    /// When.
    pub created_at: Timestamp,
    /// Where it is.
    pub status: ReportStatus,
    /// What admins wrote about it.
    pub note: Option<String>,
    /// Which admin last changed it, and when.
    pub handled_by: Option<Uuid>,
    /// When.
    pub handled_at: Option<Timestamp>,
}

/// A change of a report. What is not given stays.
#[derive(Clone, Debug, Default)]
pub struct ReportChange {
    /// Where it is now.
    pub status: Option<ReportStatus>,
    /// What is written about it.
    pub note: Option<String>,
}

/// Sees every session, request and report. What moves a session is
/// [`SessionControl`](super::SessionControl)'s.
#[async_trait]
pub trait SessionsOversight: Send + Sync {
    /// What goes on; cheap at any size.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn counts(&self) -> Result<ChatCounts, DbError>;

    /// A page of sessions.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn sessions(
        &self,
        filter: &SessionFilter,
        window: Window,
    ) -> Result<Vec<OverseenSession>, DbError>;

    /// One session.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn session(&self, id: Uuid) -> Result<Option<OverseenSession>, DbError>;

    /// What happened to a session, oldest first; at most a thousand.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn session_history(&self, id: Uuid) -> Result<Vec<Happening>, DbError>;

    /// The extensions of a session, oldest first; at most a thousand.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn extensions(&self, session_id: Uuid) -> Result<Vec<OverseenExtension>, DbError>;

    /// The books of a session's time, oldest first; at most a thousand entries.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn time_books(&self, session_id: Uuid) -> Result<Vec<TimeEntry>, DbError>;

    /// What was said in a session, ascending by `seq` from after `after_seq`. Whoever shows it writes
    /// down why in the audit.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn transcript(
        &self,
        id: Uuid,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<TranscriptMessage>, DbError>;

    /// A page of requests.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn requests(
        &self,
        filter: &RequestFilter,
        window: Window,
    ) -> Result<Vec<OverseenRequest>, DbError>;

    /// One request.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn request(&self, id: Uuid) -> Result<Option<OverseenRequest>, DbError>;

    /// To whom a request was offered, in that order; at most a thousand.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn offers(&self, request_id: Uuid) -> Result<Vec<OverseenOffer>, DbError>;

    /// A page of reports, without their evidence.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn reports(
        &self,
        filter: &ReportFilter,
        window: Window,
    ) -> Result<Vec<OverseenReport>, DbError>;

    /// One report, with its evidence.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn report(&self, id: Uuid) -> Result<Option<OverseenReport>, DbError>;

    /// Changes a report in `tx`, which locks it; what it was and what it is, without evidence. `None` when
    /// there is none. A change that asks for nothing new writes nothing.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn change_report(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
        change: &ReportChange,
        admin_id: Uuid,
    ) -> Result<Option<(OverseenReport, OverseenReport)>, DbError>;
}

#[cfg(test)]
mod tests {
    use uuid::Builder;

    use super::*;

    fn made_at(ms: u64) -> Uuid {
        Builder::from_unix_timestamp_millis(ms, &[0; 10]).into_uuid()
    }

    fn lies_in(window: &Window, ms: u64) -> bool {
        let (lower, upper) = window.bounds();
        lower < made_at(ms) && made_at(ms) < upper
    }

    #[test]
    fn a_page_has_what_was_made_from_its_beginning_to_before_its_end() {
        let window = Window {
            since: Some(Timestamp::from_unix_ms(1000)),
            until: Some(Timestamp::from_unix_ms(2000)),
            ..Window::latest(10)
        };
        let found = [999, 1000, 1999, 2000].map(|ms| lies_in(&window, ms));
        assert_eq!(found, [false, true, true, false]);
        assert!(lies_in(&Window::latest(10), u64::from(u32::MAX)));
    }

    #[test]
    fn a_later_page_goes_on_where_the_one_before_ended() {
        let window = Window {
            after: Some(made_at(1500)),
            since: Some(Timestamp::from_unix_ms(1000)),
            ..Window::latest(10)
        };
        let found = [999, 1400, 1500, 1600].map(|ms| lies_in(&window, ms));
        assert_eq!(found, [false, true, false, false]);
        let window = Window {
            oldest_first: true,
            ..window
        };
        let found = [1400, 1500, 1600].map(|ms| lies_in(&window, ms));
        assert_eq!(found, [false, false, true]);
    }
}
