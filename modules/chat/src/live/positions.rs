//! How far one socket has been told of each session, offer and request.
//!
//! Pure. The invariant: a message is forwarded only as the successor of the one before it in its
//! session, so a socket's messages are in order and without gaps whatever the bus does.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::envelope::{Head, Kind};
use crate::pairing::GoneReason;
use crate::session_state::SessionStatus;
use crate::store::messages::Place;
use crate::store::sight::{RequestSight, SessionSight};

/// Sessions that are over are forgotten above this many.
const SESSIONS_BEFORE_PRUNING: usize = 256;

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// New: send it.
    Forward,
    /// Known, or not to be told yet.
    Drop,
    /// Messages before it are missing: read them after this place.
    Gap(Place),
}

/// What a socket has not been told, compared with Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Messages of a session.
    Messages {
        session_id: Uuid,
        after_seq: i64,
        last_seq: i64,
    },
    /// A change of a session.
    Session { session_id: Uuid, version: i64 },
    /// An open offer.
    Offer { request_id: Uuid },
    /// That an offer is gone.
    OfferGone {
        request_id: Uuid,
        reason: GoneReason,
    },
    /// A change of a request.
    Request { request_id: Uuid },
}

impl Missing {
    /// Its kind, its thing, and up to which number it is missing.
    pub(crate) fn mark(&self) -> (&'static str, Uuid, i64) {
        match *self {
            Self::Messages {
                session_id,
                last_seq,
                ..
            } => ("messages", session_id, last_seq),
            Self::Session {
                session_id,
                version,
            } => ("session", session_id, version),
            Self::Offer { request_id } => ("offer", request_id, 0),
            Self::OfferGone { request_id, .. } => ("offer_gone", request_id, 0),
            Self::Request { request_id } => ("request", request_id, 0),
        }
    }

    /// Whether this is lost, and not just under way: it was missing before, up to `earlier`. For
    /// messages that means one that was there then: a busy session is always a little behind.
    pub(crate) fn is_lost(&self, earlier: Option<i64>) -> bool {
        match (self, earlier) {
            (_, None) => false,
            (Self::Messages { after_seq, .. }, Some(last_seq)) => *after_seq < last_seq,
            (_, Some(_)) => true,
        }
    }
}

/// A socket's positions.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    sessions: HashMap<Uuid, Position>,
    offers: HashSet<Uuid>,
    /// Open requests, and to how many each was offered when that was told last.
    requests: HashMap<Uuid, i64>,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    seq: i64,
    version: i64,
    is_open: bool,
    /// Messages wait until the client has resumed or made clear that it will not: a live message
    /// sent before the missed ones would be out of order.
    is_held: bool,
    /// Who the other side is, as long as the session has not changed since that was known.
    other: Option<Uuid>,
}

impl Position {
    /// A session that did not exist when the socket came.
    const NEW: Self = Self {
        seq: 0,
        version: 0,
        is_open: true,
        is_held: false,
        other: None,
    };
}

impl Positions {
    /// A socket of this user that has just come, while these sessions were open.
    pub(crate) fn starting_at(user_id: Uuid, sessions: &[SessionSight]) -> Self {
        let position = |it: &SessionSight| {
            let is_held = it.last_seq > 0;
            (
                it.id,
                Position {
                    seq: it.last_seq,
                    version: it.version,
                    is_open: true,
                    is_held,
                    other: Some(it.sides().other(user_id)),
                },
            )
        };
        Self {
            sessions: sessions.iter().map(position).collect(),
            ..Self::default()
        }
    }

    /// Judges an event, and takes note of it where it is forwarded.
    pub(crate) fn judge(&mut self, head: Head) -> Verdict {
        let is_new = match head.kind {
            Kind::Message => return self.judge_message(head.id, head.number),
            Kind::Session => self.note_session(head.id, head.number, true),
            Kind::SessionOver => self.note_session(head.id, head.number, false),
            Kind::Offer => self.offers.insert(head.id),
            Kind::OfferGone => self.offers.remove(&head.id),
            Kind::Request => self.requests.insert(head.id, head.number) != Some(head.number),
            Kind::RequestOver => {
                self.requests.remove(&head.id);
                true
            }
            Kind::Passing => true,
        };
        if is_new {
            Verdict::Forward
        } else {
            Verdict::Drop
        }
    }

    fn judge_message(&mut self, session_id: Uuid, seq: i64) -> Verdict {
        self.prune();
        let position = self.sessions.entry(session_id).or_insert(Position::NEW);
        if position.is_held || seq <= position.seq {
            return Verdict::Drop;
        }
        if seq > position.seq + 1 {
            return Verdict::Gap(Place {
                session_id,
                after_seq: position.seq,
            });
        }
        position.seq = seq;
        Verdict::Forward
    }

    /// Whether the socket was sent this message, or was past it when it came.
    pub(crate) fn has_been_told(&self, session_id: Uuid, seq: i64) -> bool {
        let position = self.sessions.get(&session_id);
        position.is_some_and(|it| !it.is_held && it.seq >= seq)
    }

    fn note_session(&mut self, session_id: Uuid, version: i64, is_open: bool) -> bool {
        self.prune();
        let position = self.sessions.entry(session_id).or_insert(Position::NEW);
        let is_new = version > position.version;
        if is_new {
            position.version = version;
            position.is_open = is_open;
            // It may have been handed to somebody else.
            position.other = None;
        }
        is_new
    }

    /// Who the other side of an open session is, where that is known.
    pub(crate) fn other_side(&self, session_id: Uuid) -> Option<Uuid> {
        let position = self.sessions.get(&session_id);
        position.filter(|it| it.is_open).and_then(|it| it.other)
    }

    /// Notes who the other side of an open session is, as Postgres has just said. A change that this
    /// socket has not been told of yet makes it unknown again.
    pub(crate) fn note_other_side(&mut self, session_id: Uuid, other: Uuid) {
        if let Some(position) = self.sessions.get_mut(&session_id) {
            position.other = Some(other);
        }
    }

    fn prune(&mut self) {
        if self.sessions.len() >= SESSIONS_BEFORE_PRUNING {
            self.sessions.retain(|_, position| position.is_open);
        }
    }

    /// Puts a session where its client asked to go on from.
    pub(crate) fn resume_at(&mut self, session_id: Uuid, seq: i64) {
        let position = self.sessions.entry(session_id).or_insert(Position::NEW);
        position.seq = seq;
        position.is_held = false;
    }

    /// Lets go of the sessions that nobody resumed; from where each goes on.
    pub(crate) fn release(&mut self) -> Vec<Place> {
        let mut places = Vec::new();
        for (session_id, position) in &mut self.sessions {
            if std::mem::take(&mut position.is_held) {
                places.push(Place {
                    session_id: *session_id,
                    after_seq: position.seq,
                });
            }
        }
        places
    }

    /// Sessions that this socket believes to be open.
    pub(crate) fn open_sessions(&self) -> impl Iterator<Item = Uuid> {
        self.sessions
            .iter()
            .filter(|(_, position)| position.is_open)
            .map(|(id, _)| *id)
    }

    /// Requests that this socket believes to be open, its own and those offered to it.
    pub(crate) fn open_requests(&self) -> impl Iterator<Item = Uuid> {
        self.offers.iter().chain(self.requests.keys()).copied()
    }

    /// What a session in Postgres has that this socket has not been told.
    pub(crate) fn compare_session(&self, sight: &SessionSight, missing: &mut Vec<Missing>) {
        let session_id = sight.id;
        let is_over = sight.status == SessionStatus::Ended;
        let position = match self.sessions.get(&session_id) {
            Some(position) => *position,
            // Ended before this socket came, and another one's to worry about.
            None if is_over => return,
            None => Position::NEW,
        };
        if position.seq < sight.last_seq && !position.is_held {
            let (after_seq, last_seq) = (position.seq, sight.last_seq);
            missing.push(Missing::Messages {
                session_id,
                after_seq,
                last_seq,
            });
        }
        if position.version < sight.version {
            missing.push(Missing::Session {
                session_id,
                version: sight.version,
            });
        }
    }

    /// What a request in Postgres has that this socket, of a customer, has not been told.
    pub(crate) fn compare_request(&self, sight: &RequestSight, missing: &mut Vec<Missing>) {
        let is_open = sight.status.gone().is_none();
        let told = self.requests.get(&sight.id).copied();
        if told != is_open.then_some(sight.offered_to) {
            missing.push(Missing::Request {
                request_id: sight.id,
            });
        }
    }

    /// What Postgres has that this socket, of a mitra, has not been told: of the open offers to this
    /// mitra, and of those that it was told of before Postgres was read.
    pub(crate) fn compare_offers(&self, sights: &OfferSights<'_>, missing: &mut Vec<Missing>) {
        for request_id in sights.open {
            if !self.offers.contains(request_id) {
                missing.push(Missing::Offer {
                    request_id: *request_id,
                });
            }
        }
        for request_id in &self.offers {
            if sights.open.contains(request_id) {
                continue;
            }
            if let Some(reason) = (sights.gone)(*request_id) {
                missing.push(Missing::OfferGone {
                    request_id: *request_id,
                    reason,
                });
            }
        }
    }
}

/// The offers to one mitra as Postgres has them.
pub(crate) struct OfferSights<'a> {
    /// What is open to it.
    pub(crate) open: &'a HashSet<Uuid>,
    /// Why another one is not; `None` for one that came up after Postgres was read.
    pub(crate) gone: &'a dyn Fn(Uuid) -> Option<GoneReason>,
}

#[cfg(test)]
mod tests;
