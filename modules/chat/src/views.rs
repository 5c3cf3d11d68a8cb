//! What clients see of requests, offers and sessions, and the names of people in it.

use std::collections::HashMap;

use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Directory, Payment, PaymentStatus, Payments, Person, Role};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extending::ExtensionStatus;
use crate::packages::Package;
use crate::pairing::RequestStatus;
use crate::session_state::{EndReason, SessionStatus};
use crate::store::offers::OfferRow;
use crate::store::requests::RequestRow;
use crate::store::sessions::SessionRow;

/// How many people one call of the directory takes, and how many sessions one of the payments.
const IDS_MAX: usize = 1000;

/// The names of people, read in one go.
#[derive(Default)]
pub(crate) struct Names(HashMap<Uuid, Person>);

impl Names {
    /// Asks the directory for everybody who occurs.
    pub(crate) async fn of(directory: &dyn Directory, mut ids: Vec<Uuid>) -> Result<Self, DbError> {
        ids.sort_unstable();
        ids.dedup();
        let mut people = HashMap::new();
        for batch in ids.chunks(IDS_MAX) {
            people.extend(directory.people(batch).await?);
        }
        Ok(Self(people))
    }

    /// A person's name; empty for an account that is gone.
    fn name(&self, id: Uuid) -> String {
        self.0
            .get(&id)
            .map(|person| person.display_name.clone())
            .unwrap_or_default()
    }
}

/// What the views of sessions need beyond their rows: names, and what was charged.
#[derive(Default)]
pub(crate) struct Details {
    names: Names,
    payments: HashMap<Uuid, Payment>,
}

impl Details {
    /// Asks for everybody and everything that occurs in these sessions.
    pub(crate) async fn of(
        directory: &dyn Directory,
        payments: Option<&dyn Payments>,
        rows: &[SessionRow],
    ) -> Result<Self, DbError> {
        let people = rows
            .iter()
            .flat_map(|row| [row.customer_id, row.mitra_id])
            .collect();
        let names = Names::of(directory, people).await?;
        let charged = rows.iter().filter(|row| row.package.amount > 0);
        let ids: Vec<Uuid> = charged.map(|row| row.id).collect();
        let mut found = HashMap::new();
        if let Some(payments) = payments {
            for batch in ids.chunks(IDS_MAX) {
                found.extend(payments.of_subjects(batch).await?);
            }
        }
        Ok(Self {
            names,
            payments: found,
        })
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
    /// Of a session that looks for another mitra: whole seconds that are left of it. Absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remaining_seconds: Option<u64>,
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
            remaining_seconds: row.left_ms.map(whole_seconds),
        }
    }
}

/// One of the two people of a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Side {
    pub(crate) id: Uuid,
    pub(crate) display_name: String,
}

/// What is to be paid for a session or an extension.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Due {
    pub(crate) id: Uuid,
    pub(crate) status: PaymentStatus,
    /// Whole rupiah.
    pub(crate) amount: i64,
    /// Where the customer pays; null until the invoice is made, and always for the mitra.
    pub(crate) invoice_url: Option<String>,
    /// Until when it can be paid.
    pub(crate) expires_at: Timestamp,
}

impl Due {
    /// A payment as one of the two sides sees it: the invoice is the customer's alone.
    pub(crate) fn of(payment: &Payment, viewer: Role) -> Self {
        Self {
            id: payment.id,
            status: payment.status,
            amount: payment.amount,
            invoice_url: payment
                .invoice_url
                .clone()
                .filter(|_| viewer == Role::Customer),
            expires_at: payment.expires_at,
        }
    }
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
    /// When its clock first ran; null until it is paid.
    pub(crate) started_at: Option<Timestamp>,
    /// When it will end; null while its clock stands.
    pub(crate) expires_at: Option<Timestamp>,
    /// Whole seconds that are left of its time, running or not; 0 once it is over.
    pub(crate) remaining_seconds: u64,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) end_reason: Option<EndReason>,
    /// The number of the last message.
    pub(crate) last_seq: i64,
    /// Messages of the other side that the caller has not read.
    pub(crate) unread: i64,
    /// What was charged for it; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<Due>,
}

impl Session {
    /// The view of a stored session.
    pub(crate) fn of(row: &SessionRow, details: &Details, viewer: Role, now: Timestamp) -> Self {
        let side = |id| Side {
            id,
            display_name: details.names.name(id),
        };
        let payment = details.payments.get(&row.id);
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
            payment: payment.map(|payment| Due::of(payment, viewer)),
        }
    }
}

fn remaining_seconds(row: &SessionRow, now: Timestamp) -> u64 {
    match row.status {
        SessionStatus::Ended => 0,
        SessionStatus::PendingPayment => u64::from(row.package.minutes) * 60,
        SessionStatus::Active => row.expires_at.map_or(0, |end| end.since(now).as_secs()),
        SessionStatus::Rerouting => row.paused_ms.map_or(0, whole_seconds),
    }
}

fn whole_seconds(ms: i64) -> u64 {
    u64::try_from(ms / 1000).unwrap_or(0)
}

/// More time for a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Extension {
    pub(crate) id: Uuid,
    pub(crate) status: ExtensionStatus,
    /// By how much the session is extended.
    pub(crate) minutes: u32,
    /// What is to be paid for it; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<Due>,
    pub(crate) session: Session,
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
