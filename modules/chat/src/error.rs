//! What can go wrong in pairing and chat, and the codes that clients see for it.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes;
use halobestie_core::{Coded, ErrorCode};

macro_rules! conflicts {
    ($($(#[$doc:meta])* $ident:ident = $name:literal, $title:literal, $meaning:literal, $client:literal;)*) => {
        $($(#[$doc])* pub(crate) static $ident: ErrorCode = ErrorCode {
            name: $name, status: 409, title: $title, meaning: $meaning, client: $client,
        };)*
        /// Every code of this module, for the catalogue.
        pub(crate) static ALL: &[&ErrorCode] = &[$(&$ident),*];
    };
}

conflicts! {
    /// Nobody to offer a request to.
    NO_MITRA_AVAILABLE = "no_mitra_available", "No mitra available",
        "No mitra can take a chat right now.", "Say so, watch the beacon and let the customer try again.";
    /// The customer is waiting already.
    REQUEST_OPEN = "request_open", "Request already open",
        "You already have an open chat request.", "Show the open request, or cancel it first.";
    /// The customer is chatting already.
    SESSION_OPEN = "session_open", "Session already open",
        "You already have an open chat session.", "Go to the open session, or end it first.";
    /// Somebody was faster.
    OFFER_TAKEN = "offer_taken", "Offer taken",
        "Another mitra has taken this offer.", "Remove the offer from the list.";
    /// Too late.
    OFFER_EXPIRED = "offer_expired", "Offer expired",
        "This offer is no longer open to you.", "Remove the offer from the list.";
    /// The customer has gone.
    OFFER_CANCELLED = "offer_cancelled", "Offer cancelled",
        "The customer has cancelled this request.", "Remove the offer from the list.";
    /// The mitra has as many sessions as it may have.
    CAPACITY_REACHED = "capacity_reached", "Capacity reached",
        "You have as many open sessions as you may have.", "End a session first; the offer may still be open then.";
    /// The session does not take messages.
    SESSION_NOT_ACTIVE = "session_not_active", "Session not active",
        "This session is not active, so this cannot be done in it.", "Show the session's state; do not retry.";
    /// One extension at a time.
    EXTENSION_PENDING = "extension_pending", "Extension waits for payment",
        "An extension of this session waits for its payment already.", "Show that payment; another extension can be had once it is paid or has expired.";
    /// A session cannot grow for ever.
    EXTENSION_LIMIT = "extension_limit", "Extension too long",
        "With this extension more than 24 hours would be left.", "Extend the session when less of it is left.";
    /// A request that is over cannot be cancelled.
    REQUEST_CLOSED = "request_closed", "Request closed",
        "This request is already matched or expired.", "Read the request again and show what became of it.";
    /// The session's state does not allow this.
    SESSION_STATE = "session_state", "Not in this state",
        "The session's state does not allow this.", "Read the session again.";
    /// A session is rated once.
    ALREADY_RATED = "already_rated", "Already rated",
        "You have rated this session already.", "Show that it is rated; a rating does not change.";
    /// A list of blocks is bounded.
    TOO_MANY_BLOCKS = "too_many_blocks", "Too many blocks",
        "You have blocked as many people as you may.", "Take a block back first.";
}

/// Why a call on pairing or chat failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChatError {
    #[error("no mitra is available")]
    NoMitraAvailable,
    #[error("the customer has an open request")]
    RequestOpen,
    #[error("the customer has an open session")]
    SessionOpen,
    #[error("the request is over")]
    RequestClosed,
    #[error("another mitra has taken the offer")]
    OfferTaken,
    #[error("the offer has expired")]
    OfferExpired,
    #[error("the mitra is offline")]
    MitraOffline,
    #[error("the mitra may not work")]
    MitraDeactivated,
    #[error("the request was cancelled")]
    OfferCancelled,
    #[error("the mitra's capacity is reached")]
    CapacityReached,
    #[error("the session is not active")]
    SessionNotActive,
    #[error("an extension waits for its payment")]
    ExtensionPending,
    #[error("too much time would be left")]
    ExtensionLimit,
    #[error("the session's state does not allow this")]
    SessionState,
    #[error("the session is rated")]
    AlreadyRated,
    #[error("the caller has blocked too many people")]
    TooManyBlocks,
    #[error("no such thing for this caller")]
    NotFound,
    #[error("the caller sends too fast")]
    RateLimited(Duration),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for ChatError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::NoMitraAvailable => &NO_MITRA_AVAILABLE,
            Self::RequestOpen => &REQUEST_OPEN,
            Self::SessionOpen => &SESSION_OPEN,
            Self::RequestClosed => &REQUEST_CLOSED,
            Self::OfferTaken => &OFFER_TAKEN,
            Self::OfferExpired | Self::MitraOffline => &OFFER_EXPIRED,
            Self::MitraDeactivated => &codes::FORBIDDEN,
            Self::OfferCancelled => &OFFER_CANCELLED,
            Self::CapacityReached => &CAPACITY_REACHED,
            Self::SessionNotActive => &SESSION_NOT_ACTIVE,
            Self::ExtensionPending => &EXTENSION_PENDING,
            Self::ExtensionLimit => &EXTENSION_LIMIT,
            Self::SessionState => &SESSION_STATE,
            Self::AlreadyRated => &ALREADY_RATED,
            Self::TooManyBlocks => &TOO_MANY_BLOCKS,
            Self::NotFound => &codes::NOT_FOUND,
            Self::RateLimited(_) => &codes::RATE_LIMITED,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::MitraOffline => Some("You are offline; go online to take offers.".to_owned()),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }
}
