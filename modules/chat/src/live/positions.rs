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
    requests: HashSet<Uuid>,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    seq: i64,
    version: i64,
    is_open: bool,
    /// Messages wait until the client has resumed or made clear that it will not: a live message
    /// sent before the missed ones would be out of order.
    is_held: bool,
}

impl Position {
    /// A session that did not exist when the socket came.
    const NEW: Self = Self {
        seq: 0,
        version: 0,
        is_open: true,
        is_held: false,
    };
}

impl Positions {
    /// A socket that has just come, while these sessions were open.
    pub(crate) fn starting_at(sessions: &[SessionSight]) -> Self {
        let position = |it: &SessionSight| {
            let is_held = it.last_seq > 0;
            (
                it.id,
                Position {
                    seq: it.last_seq,
                    version: it.version,
                    is_open: true,
                    is_held,
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
            Kind::Request => {
                self.requests.insert(head.id);
                true
            }
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
        }
        is_new
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
        self.offers.iter().chain(&self.requests).copied()
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
        if is_open != self.requests.contains(&sight.id) {
            missing.push(Missing::Request {
                request_id: sight.id,
            });
        }
    }

    /// What a request in Postgres has that this socket, of this mitra, has not been told.
    pub(crate) fn compare_offer(
        &self,
        sight: &RequestSight,
        mitra_id: Uuid,
        missing: &mut Vec<Missing>,
    ) {
        let request_id = sight.id;
        match (sight.status.gone(), self.offers.contains(&request_id)) {
            (None, false) if sight.mitra_ids.contains(&mitra_id) => {
                missing.push(Missing::Offer { request_id });
            }
            (Some(reason), true) => missing.push(Missing::OfferGone { request_id, reason }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairing::RequestStatus;

    const SESSION: Uuid = Uuid::from_u128(1);
    const MITRA: Uuid = Uuid::from_u128(2);

    fn message(seq: i64) -> Head {
        Head {
            kind: Kind::Message,
            id: SESSION,
            number: seq,
        }
    }

    fn sight(last_seq: i64, version: i64, status: SessionStatus) -> SessionSight {
        SessionSight {
            id: SESSION,
            customer_id: Uuid::nil(),
            mitra_id: MITRA,
            status,
            last_seq,
            version,
        }
    }

    fn compared(positions: &Positions, sight: &SessionSight) -> Vec<Missing> {
        let mut missing = Vec::new();
        positions.compare_session(sight, &mut missing);
        missing
    }

    #[test]
    fn messages_are_forwarded_once_and_in_order() {
        let mut positions = Positions::default();
        assert_eq!(positions.judge(message(1)), Verdict::Forward);
        assert_eq!(positions.judge(message(1)), Verdict::Drop);
        let gap = Verdict::Gap(Place {
            session_id: SESSION,
            after_seq: 1,
        });
        assert_eq!(positions.judge(message(3)), gap);
        assert_eq!(positions.judge(message(2)), Verdict::Forward);
        assert_eq!(positions.judge(message(3)), Verdict::Forward);
    }

    #[test]
    fn a_session_that_went_on_before_waits_for_its_resume() {
        let mut positions = Positions::starting_at(&[sight(4, 1, SessionStatus::Active)]);
        assert_eq!(positions.judge(message(5)), Verdict::Drop);
        positions.resume_at(SESSION, 5);
        assert_eq!(positions.judge(message(5)), Verdict::Drop);
        assert_eq!(positions.judge(message(6)), Verdict::Forward);
    }

    #[test]
    fn a_session_that_nobody_resumes_goes_on_where_the_socket_came() {
        let mut positions = Positions::starting_at(&[sight(4, 1, SessionStatus::Active)]);
        assert_eq!(positions.judge(message(5)), Verdict::Drop);
        assert_eq!(
            positions.release(),
            [Place {
                session_id: SESSION,
                after_seq: 4
            }]
        );
        assert_eq!(positions.release(), []);
        assert_eq!(positions.judge(message(5)), Verdict::Forward);
    }

    #[test]
    fn a_socket_that_is_behind_is_found() {
        let mut positions = Positions::starting_at(&[sight(0, 1, SessionStatus::Active)]);
        assert_eq!(
            compared(&positions, &sight(0, 1, SessionStatus::Active)),
            []
        );
        assert_eq!(
            compared(&positions, &sight(2, 2, SessionStatus::Ended)),
            [
                Missing::Messages {
                    session_id: SESSION,
                    after_seq: 0,
                    last_seq: 2
                },
                Missing::Session {
                    session_id: SESSION,
                    version: 2
                },
            ]
        );
        let over = Head {
            kind: Kind::SessionOver,
            id: SESSION,
            number: 2,
        };
        assert_eq!(positions.judge(over), Verdict::Forward);
        assert_eq!(positions.judge(over), Verdict::Drop);
        assert_eq!(positions.open_sessions().count(), 0);
    }

    #[test]
    fn what_is_missing_once_may_be_under_way() {
        let session_id = SESSION;
        let behind = |after_seq| Missing::Messages {
            session_id,
            after_seq,
            last_seq: 9,
        };
        assert!(!behind(3).is_lost(None));
        assert!(behind(3).is_lost(Some(4)));
        assert!(!behind(4).is_lost(Some(4)));
        assert!(
            Missing::Session {
                session_id,
                version: 2
            }
            .is_lost(Some(2))
        );
    }

    #[test]
    fn a_session_that_ended_before_the_socket_came_is_no_news() {
        let positions = Positions::default();
        assert_eq!(compared(&positions, &sight(2, 2, SessionStatus::Ended)), []);
        assert_eq!(
            compared(&positions, &sight(0, 1, SessionStatus::Active)).len(),
            1
        );
    }

    #[test]
    fn offers_are_told_once_and_taken_back_once() {
        let mut positions = Positions::default();
        let request_id = Uuid::from_u128(9);
        let head = |kind| Head {
            kind,
            id: request_id,
            number: 0,
        };
        let sight = |status| RequestSight {
            id: request_id,
            customer_id: None,
            status,
            mitra_ids: vec![MITRA],
        };
        let compared = |positions: &Positions, status| {
            let mut missing = Vec::new();
            positions.compare_offer(&sight(status), MITRA, &mut missing);
            missing
        };
        assert_eq!(positions.judge(head(Kind::OfferGone)), Verdict::Drop);
        let offer = [Missing::Offer { request_id }];
        assert_eq!(compared(&positions, RequestStatus::Searching), offer);
        assert_eq!(positions.judge(head(Kind::Offer)), Verdict::Forward);
        assert_eq!(positions.judge(head(Kind::Offer)), Verdict::Drop);
        assert_eq!(compared(&positions, RequestStatus::Searching), []);
        let gone = [Missing::OfferGone {
            request_id,
            reason: GoneReason::Taken,
        }];
        assert_eq!(compared(&positions, RequestStatus::Matched), gone);
        assert_eq!(positions.judge(head(Kind::OfferGone)), Verdict::Forward);
        assert_eq!(compared(&positions, RequestStatus::Matched), []);
    }

    proptest::proptest! {
        /// Whatever order and repetition the bus makes of 1..=20, with gaps filled as a socket does it:
        /// what goes out is 1, 2, 3 … without a gap.
        #[test]
        fn what_goes_out_has_no_gaps(arrivals in proptest::collection::vec(1i64..=20, 0..200)) {
            let mut positions = Positions::default();
            let mut out = Vec::new();
            for seq in arrivals {
                match positions.judge(message(seq)) {
                    Verdict::Forward => out.push(seq),
                    Verdict::Drop => {}
                    Verdict::Gap(place) => for missed in place.after_seq + 1..=seq {
                        proptest::prop_assert_eq!(positions.judge(message(missed)), Verdict::Forward);
                        out.push(missed);
                    },
                }
            }
            let expected: Vec<i64> = (1..=out.len() as i64).collect();
            proptest::prop_assert_eq!(out, expected);
        }
    }
}
