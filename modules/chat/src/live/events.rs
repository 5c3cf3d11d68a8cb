//! The events that positions know, each put into its envelope in one place, so that one sent live and
//! one found by catch-up are the same.

use halobestie_core::Timestamp;
use halobestie_core::ports::{Payment, Role};
use uuid::Uuid;

use super::envelope::{Envelope, Head, Kind};
use super::frames::ServerFrame;
use crate::messages::Message;
use crate::pairing::GoneReason;
use crate::session_state::SessionStatus;
use crate::store::sessions::SessionRow;
use crate::store::timers::Ending;
use crate::views::{ChatRequest, Details, Offer, Session};

/// `message.new`
pub(crate) fn message(message: &Message) -> Option<Envelope> {
    let head = Head {
        kind: Kind::Message,
        id: message.session_id,
        number: message.seq,
    };
    Envelope::seal(head, &ServerFrame::MessageNew { message })
}

/// `session.updated`, as this side sees it.
pub(crate) fn session(
    row: &SessionRow,
    details: &Details,
    viewer: Role,
    now: Timestamp,
) -> Option<Envelope> {
    let kind = match row.status {
        SessionStatus::Ended => Kind::SessionOver,
        _ => Kind::Session,
    };
    session_as(kind, row, details, viewer, now)
}

/// `session.updated` for a mitra whose session another one has taken: as far as its sockets go it is over.
pub(crate) fn session_left(
    row: &SessionRow,
    details: &Details,
    now: Timestamp,
) -> Option<Envelope> {
    session_as(Kind::SessionOver, row, details, Role::Mitra, now)
}

fn session_as(
    kind: Kind,
    row: &SessionRow,
    details: &Details,
    viewer: Role,
    now: Timestamp,
) -> Option<Envelope> {
    let head = Head {
        kind,
        id: row.id,
        number: row.version,
    };
    let session = Session::of(row, details, viewer, now);
    let frame = ServerFrame::SessionUpdated {
        session: &session,
        reason: reason(row),
    };
    Envelope::seal(head, &frame)
}

/// What `session.updated` says has happened: why it ended, or its last change.
fn reason(row: &SessionRow) -> &str {
    match (row.end_reason, &row.last_change) {
        (Some(reason), _) => reason.as_str(),
        (None, Some(change)) => change,
        // Written by a release that did not note it: it started at once.
        (None, None) => "started",
    }
}

/// `session.expiring`
pub(crate) fn expiring(ending: &Ending, now: Timestamp) -> Option<Envelope> {
    let head = Head {
        kind: Kind::Session,
        id: ending.id,
        number: ending.version,
    };
    let left = ending.expires_at.since(now);
    let remaining_seconds = left
        .as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX);
    let session_id = ending.id;
    Envelope::seal(
        head,
        &ServerFrame::SessionExpiring {
            session_id,
            remaining_seconds,
        },
    )
}

/// `offer.new`
pub(crate) fn offer(offer: &Offer) -> Option<Envelope> {
    let head = Head {
        kind: Kind::Offer,
        id: offer.request_id,
        number: 0,
    };
    Envelope::seal(head, &ServerFrame::OfferNew { offer })
}

/// `offer.gone`
pub(crate) fn offer_gone(request_id: Uuid, reason: GoneReason) -> Option<Envelope> {
    let head = Head {
        kind: Kind::OfferGone,
        id: request_id,
        number: 0,
    };
    Envelope::seal(head, &ServerFrame::OfferGone { request_id, reason })
}

/// `request.updated`
pub(crate) fn request(request: &ChatRequest) -> Option<Envelope> {
    let kind = if request.status.gone().is_some() {
        Kind::RequestOver
    } else {
        Kind::Request
    };
    let head = Head {
        kind,
        id: request.id,
        number: 0,
    };
    Envelope::seal(head, &ServerFrame::RequestUpdated { request })
}

/// `payment.updated`: an app that missed it asks for the payment.
pub(crate) fn payment(payment: &Payment) -> Option<Envelope> {
    passing(payment.id, &ServerFrame::PaymentUpdated { payment })
}

/// `message.read`
pub(crate) fn read(session_id: Uuid, reader_id: Uuid, seq: i64) -> Option<Envelope> {
    passing(
        session_id,
        &ServerFrame::MessageRead {
            session_id,
            reader_id,
            seq,
        },
    )
}

/// `typing`
pub(crate) fn typing(session_id: Uuid, user_id: Uuid, typing: bool) -> Option<Envelope> {
    passing(
        session_id,
        &ServerFrame::Typing {
            session_id,
            user_id,
            typing,
        },
    )
}

fn passing(id: Uuid, frame: &ServerFrame<'_>) -> Option<Envelope> {
    Envelope::seal(
        Head {
            kind: Kind::Passing,
            id,
            number: 0,
        },
        frame,
    )
}
