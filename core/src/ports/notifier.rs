//! Telling people of something although their app may sleep.
//!
//! Whoever makes something happen says so in the transaction that makes it so, and says no more: which
//! devices there are, in which words and how long it is worth telling is the notifier's. So a notice is
//! told exactly if what it is about was committed. Where no module provides the port, nothing is written.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PaymentStatus, Purpose};
use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};
use crate::timestamp::Timestamp;

/// Something that one person is to hear of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Who.
    pub user_id: Uuid,
    /// What.
    pub news: News,
}

impl Notice {
    /// Tells each of these people the same.
    pub fn to_all(user_ids: &[Uuid], news: &News) -> Vec<Self> {
        let notice = |user_id: &Uuid| Self {
            user_id: *user_id,
            news: news.clone(),
        };
        user_ids.iter().map(notice).collect()
    }
}

/// What has happened: ids and facts, never what people wrote. The tags are the names that live sockets
/// use. Kept as JSON for a while, so a field that is new must have a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum News {
    /// A mitra is asked.
    #[serde(rename = "offer.new")]
    OfferNew {
        /// What is offered.
        request_id: Uuid,
        /// Until when it can be accepted.
        expires_at: Timestamp,
    },
    /// A mitra's offer is taken, expired or cancelled.
    #[serde(rename = "offer.gone")]
    OfferGone {
        /// What was offered.
        request_id: Uuid,
        /// `taken`, `expired` or `cancelled`.
        reason: String,
    },
    /// A message was written. Told only where no live socket of the person acknowledges it soon.
    #[serde(rename = "message.new")]
    MessageNew {
        /// Where.
        session_id: Uuid,
        /// Its number there.
        seq: i64,
    },
    /// A session is near its end.
    #[serde(rename = "session.expiring")]
    SessionExpiring {
        /// Which.
        session_id: Uuid,
        /// Its end.
        expires_at: Timestamp,
    },
    /// A session has begun, paused, gone on or ended.
    #[serde(rename = "session.updated")]
    SessionUpdated {
        /// Which.
        session_id: Uuid,
        /// `pending_payment`, `active`, `rerouting` or `ended`.
        status: String,
        /// Why it has ended, in the words of the API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_reason: Option<String>,
    },
    /// A payment has moved on.
    #[serde(rename = "payment.updated")]
    PaymentUpdated {
        /// Which.
        payment_id: Uuid,
        /// The session that it is for.
        session_id: Uuid,
        /// What is paid for.
        purpose: Purpose,
        /// Where it is now.
        status: PaymentStatus,
        /// Until when it can be paid; for one that waits to be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
}

impl News {
    /// Its name, as live sockets call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OfferNew { .. } => "offer.new",
            Self::OfferGone { .. } => "offer.gone",
            Self::MessageNew { .. } => "message.new",
            Self::SessionExpiring { .. } => "session.expiring",
            Self::SessionUpdated { .. } => "session.updated",
            Self::PaymentUpdated { .. } => "payment.updated",
        }
    }
}

/// Tells people, wherever their devices are.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Writes in `tx` that these people are to be told: by one statement, whatever their number. They
    /// are told after the commit, surely: at once where the returned is run, within a second or two
    /// otherwise.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn notify(
        &self,
        tx: &Tx<'_>,
        notices: &[Notice],
    ) -> Result<AfterCommit<'static>, DbError>;
}
