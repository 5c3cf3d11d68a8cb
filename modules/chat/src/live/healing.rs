//! Reads from Postgres what sockets have missed, once for all of them, and leaves it in their
//! mailboxes. What does not fit is found again in the next round.

use std::collections::HashMap;

use halobestie_core::pg::DbError;
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::catch_up::Lack;
use super::envelope::Envelope;
use super::events;
use super::positions::Missing;
use crate::state::State;
use crate::store::messages::Place;
use crate::store::{messages, offers, requests, sessions};
use crate::views::{Names, Offer};

/// How many messages of a session one round reads.
const MESSAGES_A_SESSION: i64 = 100;
/// How many sessions, offers or requests one round reads.
const THINGS_MAX: usize = 500;

/// Makes up for everything in the list.
pub(crate) async fn heal(state: &State, lost: &[Lack]) -> Result<(), DbError> {
    for lack in lost {
        let (kind, ..) = lack.missing.mark();
        state.metrics.caught_up.with_label_values(&[kind]).inc();
    }
    heal_sessions(state, lost).await?;
    heal_messages(state, lost).await?;
    heal_offers(state, lost).await?;
    heal_requests(state, lost).await
}

async fn heal_messages(state: &State, lost: &[Lack]) -> Result<(), DbError> {
    let mut first_after: HashMap<Uuid, i64> = HashMap::new();
    for lack in lost {
        if let Missing::Messages {
            session_id,
            after_seq,
            ..
        } = lack.missing
        {
            let first = first_after.entry(session_id).or_insert(after_seq);
            *first = after_seq.min(*first);
        }
    }
    let places: Vec<Place> = first_after
        .into_iter()
        .take(THINGS_MAX)
        .map(|(session_id, after_seq)| Place {
            session_id,
            after_seq,
        })
        .collect();
    if places.is_empty() {
        return Ok(());
    }
    let found = messages::after_places(&state.db, &places, MESSAGES_A_SESSION).await?;
    let mut by_session: HashMap<Uuid, Vec<Envelope>> = HashMap::new();
    for envelope in found.iter().filter_map(events::message) {
        by_session
            .entry(envelope.head.id)
            .or_default()
            .push(envelope);
    }
    for lack in lost {
        if let Missing::Messages {
            session_id,
            after_seq,
            ..
        } = lack.missing
        {
            let all = by_session.get(&session_id).into_iter().flatten();
            leave_all(
                lack,
                all.filter(|envelope| envelope.head.number > after_seq),
            );
        }
    }
    Ok(())
}

fn leave_all<'a>(lack: &Lack, mut envelopes: impl Iterator<Item = &'a Envelope>) {
    // The first that does not fit ends it: a later one alone would be a gap.
    let _ = envelopes.all(|envelope| lack.local.leave(envelope.clone()));
}

async fn heal_sessions(state: &State, lost: &[Lack]) -> Result<(), DbError> {
    let ids = ids(lost, |missing| match missing {
        Missing::Session { session_id, .. } => Some(*session_id),
        _ => None,
    });
    if ids.is_empty() {
        return Ok(());
    }
    let rows = sessions::find_all(&state.db, &ids).await?;
    let details = state.details_of(&rows).await?;
    for lack in lost {
        let Missing::Session { session_id, .. } = lack.missing else {
            continue;
        };
        let row = rows.iter().find(|row| row.id == session_id);
        let now = state.clock.now();
        let event = row.and_then(|row| match lack.local.role {
            Role::Mitra if row.mitra_id != lack.local.user_id => {
                events::session_left(row, &details, now)
            }
            role => events::session(row, &details, role, now),
        });
        leave_all(lack, event.iter());
    }
    Ok(())
}

async fn heal_offers(state: &State, lost: &[Lack]) -> Result<(), DbError> {
    for lack in lost {
        if let Missing::OfferGone { request_id, reason } = lack.missing {
            leave_all(lack, events::offer_gone(request_id, reason).iter());
        }
    }
    let ids = ids(lost, |missing| match missing {
        Missing::Offer { request_id } => Some(*request_id),
        _ => None,
    });
    if ids.is_empty() {
        return Ok(());
    }
    let rows = offers::open_of_requests(&state.db, &ids, state.clock.now()).await?;
    let customers = rows.iter().map(|row| row.customer_id).collect();
    let names = Names::of(&*state.directory, customers).await?;
    for lack in lost {
        let Missing::Offer { request_id } = lack.missing else {
            continue;
        };
        let mitra_id = lack.local.user_id;
        let row = rows
            .iter()
            .find(|row| (row.request_id, row.mitra_id) == (request_id, mitra_id));
        let event = row.and_then(|row| events::offer(&Offer::of(row, &names)));
        leave_all(lack, event.iter());
    }
    Ok(())
}

async fn heal_requests(state: &State, lost: &[Lack]) -> Result<(), DbError> {
    let ids = ids(lost, |missing| match missing {
        Missing::Request { request_id } => Some(*request_id),
        _ => None,
    });
    if ids.is_empty() {
        return Ok(());
    }
    for row in requests::find_all(&state.db, &ids).await? {
        let (request_id, event) = (row.id, events::request(&row.into()));
        for lack in lost {
            if lack.missing == (Missing::Request { request_id }) {
                leave_all(lack, event.iter());
            }
        }
    }
    Ok(())
}

fn ids(lost: &[Lack], pick: impl Fn(&Missing) -> Option<Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = lost.iter().filter_map(|lack| pick(&lack.missing)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(THINGS_MAX);
    ids
}
