//! The rules of pairing: what can become of a request, and what that means for its offers.
//!
//! Pure. The one claim on a request is the conditional statement in `store::requests::claim`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;

/// How long the preferred mitra is asked alone.
pub(crate) const EXCLUSIVE: Duration = Duration::from_secs(20);

/// Where a request is. Nothing ever leaves any but the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestStatus {
    /// Mitras are being asked.
    Searching,
    /// One of them has accepted.
    Matched,
    /// Nobody accepted in time.
    Expired,
    /// The customer took it back.
    Cancelled,
}

impl RequestStatus {
    const ALL: [Self; 4] = [
        Self::Searching,
        Self::Matched,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The name on the wire and in Postgres.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Searching => "searching",
            Self::Matched => "matched",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Why an offer is gone, once its request is over.
    pub(crate) fn gone(self) -> Option<GoneReason> {
        match self {
            Self::Searching => None,
            Self::Matched => Some(GoneReason::Taken),
            Self::Expired => Some(GoneReason::Expired),
            Self::Cancelled => Some(GoneReason::Cancelled),
        }
    }
}

/// Why an offer is no longer open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GoneReason {
    /// A mitra has accepted.
    Taken,
    /// Nobody accepted in time.
    Expired,
    /// The customer took the request back.
    Cancelled,
}

impl GoneReason {
    /// The name on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What an accept finds before it tries to claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Accepting {
    /// Open: try to claim it.
    Open,
    /// This mitra has won it before: the same session again.
    AlreadyMine(Uuid),
}

/// Looks at a request on behalf of a mitra to whom it was offered.
///
/// # Errors
/// Why it cannot be accepted any more.
pub(crate) fn acceptable(
    status: RequestStatus,
    won_by: Option<Uuid>,
    session_id: Option<Uuid>,
    mitra_id: Uuid,
) -> Result<Accepting, ChatError> {
    match (status, session_id) {
        (RequestStatus::Searching, _) => Ok(Accepting::Open),
        (RequestStatus::Matched, Some(session_id)) if won_by == Some(mitra_id) => {
            Ok(Accepting::AlreadyMine(session_id))
        }
        (RequestStatus::Matched, _) => Err(ChatError::OfferTaken),
        (RequestStatus::Expired, _) => Err(ChatError::OfferExpired),
        (RequestStatus::Cancelled, _) => Err(ChatError::OfferCancelled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_winner_may_accept_again() {
        let (winner, other, session) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let look = |mitra| acceptable(RequestStatus::Matched, Some(winner), Some(session), mitra);
        assert_eq!(look(winner).unwrap(), Accepting::AlreadyMine(session));
        assert!(matches!(look(other), Err(ChatError::OfferTaken)));
    }

    #[test]
    fn a_request_that_is_over_says_why() {
        let look = |status| acceptable(status, None, None, Uuid::nil());
        assert_eq!(look(RequestStatus::Searching).unwrap(), Accepting::Open);
        assert!(matches!(
            look(RequestStatus::Expired),
            Err(ChatError::OfferExpired)
        ));
        assert!(matches!(
            look(RequestStatus::Cancelled),
            Err(ChatError::OfferCancelled)
        ));
        for status in RequestStatus::ALL {
            assert_eq!(status.gone().is_none(), status == RequestStatus::Searching);
            assert_eq!(RequestStatus::parse(status.as_str()), Some(status));
        }
    }
}
