//! What clients see of requests, offers and sessions, and the names of people in it.

use std::collections::HashMap;

use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Directory, Person, Role};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::packages::Package;
use crate::pairing::RequestStatus;
use crate::session_state::{EndReason, SessionStatus};
use crate::store::offers::OfferRow;
use crate::store::requests::RequestRow;
use crate::store::sessions::SessionRow;

/// How many people one call of the directory takes.
const PEOPLE_MAX: usize = 1000;

/// The names of people, read in one go.
#[derive(Default)]
pub(crate) struct Names(HashMap<Uuid, Person>);

impl Names {
    /// Asks the directory for everybody who occurs.
    pub(crate) async fn of(directory: &dyn Directory, mut ids: Vec<Uuid>) -> Result<Self, DbError> {
        ids.sort_unstable();
        ids.dedup();
        let mut people = HashMap::new();
        for batch in ids.chunks(PEOPLE_MAX) {
            people.extend(directory.people(batch).await?);
        }
        Ok(Self(people))
    }

    /// A person's name; empty for an account that is gone.
    pub(crate) fn name(&self, id: Uuid) -> String {
        self.0
            .get(&id)
            .map(|person| person.display_name.clone())
            .unwrap_or_default()
    }
}

/// A customer's request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ChatRequest {
    pub(crate) id: Uuid,
    pub(crate) status: RequestStatus,
    /// To how many mitras it was offered so far.
    pub(crate) offered_to: i64,
    pub(crate) expires_at: Timestamp,
    /// The session that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<Uuid>,
    pub(crate) topic: Option<String>,
    pub(crate) package: Package,
}

impl From<RequestRow> for ChatRequest {
    fn from(row: RequestRow) -> Self {
        Self {
            id: row.id,
            status: row.status,
            offered_to: row.offered_to,
            expires_at: row.expires_at,
            session_id: row.session_id,
            topic: row.topic,
            package: row.package,
        }
    }
}

/// The customer as a mitra sees it before accepting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OfferCustomer {
    pub(crate) display_name: String,
}

/// A request as a mitra sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Offer {
    pub(crate) request_id: Uuid,
    pub(crate) topic: Option<String>,
    pub(crate) customer: OfferCustomer,
    pub(crate) package: Package,
    pub(crate) offered_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Offer {
    /// The view of a stored offer.
    pub(crate) fn of(row: &OfferRow, names: &Names) -> Self {
        Self {
            request_id: row.request_id,
            topic: row.topic.clone(),
            customer: OfferCustomer {
                display_name: names.name(row.customer_id),
            },
            package: row.package.clone(),
            offered_at: row.offered_at,
            expires_at: row.expires_at,
        }
    }
}

/// One of the two people of a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Side {
    pub(crate) id: Uuid,
    pub(crate) display_name: String,
}

/// A session as one of its sides sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) status: SessionStatus,
    pub(crate) customer: Side,
    pub(crate) mitra: Side,
    pub(crate) package: Package,
    pub(crate) topic: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    /// Whole seconds until the end; 0 once it is over.
    pub(crate) remaining_seconds: u64,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) end_reason: Option<EndReason>,
    /// The number of the last message.
    pub(crate) last_seq: i64,
    /// Messages of the other side that the caller has not read.
    pub(crate) unread: i64,
}

impl Session {
    /// The view of a stored session.
    pub(crate) fn of(row: &SessionRow, names: &Names, viewer: Role, now: Timestamp) -> Self {
        let side = |id| Side {
            id,
            display_name: names.name(id),
        };
        Self {
            id: row.id,
            status: row.status,
            customer: side(row.customer_id),
            mitra: side(row.mitra_id),
            package: row.package.clone(),
            topic: row.topic.clone(),
            started_at: row.started_at,
            expires_at: row.expires_at,
            remaining_seconds: remaining_seconds(row, now),
            ended_at: row.ended_at,
            end_reason: row.end_reason,
            last_seq: row.last_seq,
            unread: if viewer == Role::Mitra {
                row.mitra_unread
            } else {
                row.customer_unread
            },
        }
    }
}

fn remaining_seconds(row: &SessionRow, now: Timestamp) -> u64 {
    match (row.status, row.expires_at) {
        (SessionStatus::Ended, _) => 0,
        (_, Some(expires_at)) => expires_at.since(now).as_secs(),
        (_, None) => u64::from(row.package.minutes) * 60,
    }
}

/// A list in one piece.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T: ToSchema> {
    pub(crate) items: Vec<T>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    pub(crate) items: Vec<T>,
    /// For the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// A page of a session's messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagePage {
    /// Ascending by `seq`.
    pub(crate) items: Vec<crate::messages::Message>,
    /// The number of the session's last message.
    pub(crate) last_seq: i64,
}
