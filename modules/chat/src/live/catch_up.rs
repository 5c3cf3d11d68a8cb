//! Finds what the bus has lost: compares the positions of all sockets of the process with Postgres,
//! with two statements a round however many sockets and sessions there are.
//!
//! An event that is missing may just be under way. What is missing in two rounds one after the other
//! is lost, and is read from Postgres and left in the socket's mailbox. Where the bus itself told a
//! socket of a loss, as it also does to every new subscriber, one round is enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::pg::DbError;
use halobestie_core::ports::Role;
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use super::healing::heal;
use super::hub::Local;
use super::positions::Missing;
use crate::state::State;
use crate::store::sight::{self, RequestSight, SessionSight, Watched};

/// Between two rounds: two of them and a read stay well under the promised 5 s.
const ROUND: Duration = Duration::from_millis(1500);
/// Between two rounds while the bus is cut off, when they are all that delivers.
const ROUND_WITHOUT_BUS: Duration = Duration::from_millis(500);
/// At least this long between rounds that a loss has asked for: many sockets say it at once.
const LOST_ROUND: Duration = Duration::from_millis(100);

/// A socket and what it has not been told.
pub(crate) struct Lack {
    /// Who.
    pub(crate) local: Arc<Local>,
    /// What.
    pub(crate) missing: Missing,
}

/// What was missing in the last round: up to which number, by socket and thing.
type Suspects = HashMap<(Uuid, &'static str, Uuid), i64>;

/// The service `chat-catch-up`.
pub(crate) async fn run(state: Arc<State>) -> Result<(), BoxError> {
    let mut suspects = Suspects::new();
    loop {
        let pace = if state.bus.is_connected() {
            ROUND
        } else {
            ROUND_WITHOUT_BUS
        };
        let was_lost = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            () = sleep(pace) => false,
            () = state.hub.lost.notified() => true,
        };
        let done = if was_lost {
            sleep(LOST_ROUND).await;
            round_of_losers(&state).await
        } else {
            round_of_all(&state, &mut suspects).await
        };
        if let Err(error) = done {
            warn!(
                error = &error as &dyn std::error::Error,
                "cannot catch up now"
            );
        }
    }
}

/// Looks at the sockets that the bus told of a loss. Should this round fail, the next one of all finds
/// the same.
async fn round_of_losers(state: &State) -> Result<(), DbError> {
    let mut locals = state.hub.all();
    locals.retain(|local| local.take_lost());
    let lost = compare(state, locals).await?;
    heal(state, &lost).await
}

async fn round_of_all(state: &State, suspects: &mut Suspects) -> Result<(), DbError> {
    let lacks = compare(state, state.hub.all()).await?;
    let mut next = Suspects::with_capacity(lacks.len());
    let mut lost = Vec::new();
    for lack in lacks {
        let (kind, id, number) = lack.missing.mark();
        let key = (lack.local.connection_id, kind, id);
        if lack.missing.is_lost(suspects.get(&key).copied()) {
            lost.push(lack);
        }
        next.insert(key, number);
    }
    *suspects = next;
    heal(state, &lost).await
}

async fn compare(state: &State, locals: Vec<Arc<Local>>) -> Result<Vec<Lack>, DbError> {
    if locals.is_empty() {
        return Ok(Vec::new());
    }
    let watched = watched(&locals);
    let sessions = sight::sessions(&state.db, &watched).await?;
    let requests = sight::requests(&state.db, &watched, state.clock.now()).await?;
    let sights = Sights::new(&sessions, &requests);
    let lacks = locals.into_iter().flat_map(|local| {
        let missing = sights.missing_of(&local);
        missing.into_iter().map(move |missing| Lack {
            local: local.clone(),
            missing,
        })
    });
    Ok(lacks.collect())
}

fn watched(locals: &[Arc<Local>]) -> Watched {
    let mut watched = Watched::default();
    for local in locals {
        watched.add_user(local.user_id, local.role);
        let positions = local.positions();
        watched.session_ids.extend(positions.open_sessions());
        watched.request_ids.extend(positions.open_requests());
    }
    watched.dedup();
    watched
}

/// What Postgres says, by the person it matters to.
struct Sights<'a> {
    sessions: HashMap<Uuid, Vec<&'a SessionSight>>,
    /// All of them: one that was taken over matters to the mitra that had it.
    by_id: HashMap<Uuid, &'a SessionSight>,
    /// Requests by their customer.
    requests: HashMap<Uuid, Vec<&'a RequestSight>>,
    /// All of them: an offer that is gone matters to whoever was told of it.
    offers: &'a [RequestSight],
}

impl<'a> Sights<'a> {
    fn new(sessions: &'a [SessionSight], requests: &'a [RequestSight]) -> Self {
        let mut sights = Self {
            sessions: HashMap::new(),
            by_id: sessions
                .iter()
                .map(|session| (session.id, session))
                .collect(),
            requests: HashMap::new(),
            offers: requests,
        };
        for session in sessions {
            sights
                .sessions
                .entry(session.customer_id)
                .or_default()
                .push(session);
            sights
                .sessions
                .entry(session.mitra_id)
                .or_default()
                .push(session);
        }
        for request in requests {
            let Some(customer_id) = request.customer_id else {
                continue;
            };
            let of_customer = sights.requests.entry(customer_id).or_default();
            of_customer.push(request);
        }
        sights
    }

    fn missing_of(&self, local: &Local) -> Vec<Missing> {
        let mut missing = Vec::new();
        let positions = local.positions();
        for session in self.sessions.get(&local.user_id).into_iter().flatten() {
            positions.compare_session(session, &mut missing);
        }
        if local.role == Role::Mitra {
            let taken = positions
                .open_sessions()
                .filter_map(|id| self.by_id.get(&id));
            for session in taken.filter(|it| it.mitra_id != local.user_id) {
                missing.push(Missing::Session {
                    session_id: session.id,
                    version: session.version,
                });
            }
            for request in self.offers {
                positions.compare_offer(request, local.user_id, &mut missing);
            }
        } else {
            for request in self.requests.get(&local.user_id).into_iter().flatten() {
                positions.compare_request(request, &mut missing);
            }
        }
        missing
    }
}
