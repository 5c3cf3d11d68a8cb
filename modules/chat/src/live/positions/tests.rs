//! What a socket makes of every order in which things may reach it.

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
    let mut positions = Positions::starting_at(MITRA, &[sight(4, 1, SessionStatus::Active)]);
    assert_eq!(positions.judge(message(5)), Verdict::Drop);
    positions.resume_at(SESSION, 5);
    assert_eq!(positions.judge(message(5)), Verdict::Drop);
    assert_eq!(positions.judge(message(6)), Verdict::Forward);
}

#[test]
fn a_session_that_nobody_resumes_goes_on_where_the_socket_came() {
    let mut positions = Positions::starting_at(MITRA, &[sight(4, 1, SessionStatus::Active)]);
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
fn the_other_side_is_known_until_the_session_changes() {
    let other = Uuid::from_u128(3);
    let mut positions = Positions::starting_at(MITRA, &[sight(4, 1, SessionStatus::Active)]);
    assert_eq!(positions.other_side(SESSION), Some(Uuid::nil()));
    assert_eq!(positions.judge(message(5)), Verdict::Drop);
    assert_eq!(positions.other_side(SESSION), Some(Uuid::nil()));
    let change = |kind, number| Head {
        kind,
        id: SESSION,
        number,
    };
    positions.judge(change(Kind::Session, 2));
    assert_eq!(positions.other_side(SESSION), None);
    positions.note_other_side(SESSION, other);
    assert_eq!(positions.other_side(SESSION), Some(other));
    positions.judge(change(Kind::SessionOver, 3));
    positions.note_other_side(SESSION, other);
    assert_eq!(positions.other_side(SESSION), None);
}

#[test]
fn a_socket_that_is_behind_is_found() {
    let mut positions = Positions::starting_at(MITRA, &[sight(0, 1, SessionStatus::Active)]);
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
    let compared = |positions: &Positions, gone: Option<GoneReason>, is_open: bool| {
        let mut missing = Vec::new();
        let open = is_open.then_some(request_id).into_iter().collect();
        let sights = OfferSights {
            open: &open,
            gone: &|_| gone,
        };
        positions.compare_offers(&sights, &mut missing);
        missing
    };
    assert_eq!(positions.judge(head(Kind::OfferGone)), Verdict::Drop);
    assert_eq!(
        compared(&positions, None, true),
        [Missing::Offer { request_id }]
    );
    assert_eq!(positions.judge(head(Kind::Offer)), Verdict::Forward);
    assert_eq!(positions.judge(head(Kind::Offer)), Verdict::Drop);
    assert_eq!(compared(&positions, None, true), []);
    assert_eq!(
        compared(&positions, None, false),
        [],
        "it came after the look"
    );
    let reason = GoneReason::Taken;
    let gone = [Missing::OfferGone { request_id, reason }];
    assert_eq!(compared(&positions, Some(reason), false), gone);
    assert_eq!(positions.judge(head(Kind::OfferGone)), Verdict::Forward);
    assert_eq!(compared(&positions, Some(reason), false), []);
}

#[test]
fn a_customer_is_told_of_every_wave_and_of_the_end() {
    let mut positions = Positions::default();
    let id = Uuid::from_u128(9);
    let compared = |positions: &Positions, status, offered_to| {
        let mut missing = Vec::new();
        let sight = RequestSight {
            id,
            customer_id: Some(Uuid::nil()),
            status,
            offered_to,
            mitra_ids: Vec::new(),
        };
        positions.compare_request(&sight, &mut missing);
        missing.len()
    };
    let head = |kind, number| Head { kind, id, number };
    assert_eq!(compared(&positions, RequestStatus::Searching, 2), 1);
    assert_eq!(positions.judge(head(Kind::Request, 2)), Verdict::Forward);
    assert_eq!(positions.judge(head(Kind::Request, 2)), Verdict::Drop);
    assert_eq!(compared(&positions, RequestStatus::Searching, 2), 0);
    assert_eq!(compared(&positions, RequestStatus::Searching, 4), 1);
    assert_eq!(positions.judge(head(Kind::Request, 4)), Verdict::Forward);
    assert_eq!(compared(&positions, RequestStatus::Matched, 4), 1);
    assert_eq!(
        positions.judge(head(Kind::RequestOver, 4)),
        Verdict::Forward
    );
    assert_eq!(compared(&positions, RequestStatus::Matched, 4), 0);
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
