//! What happens by itself to single sessions: a payment that does not come, a mitra that is not there, a
//! search that finds nobody.
//!
//! Each takes a transaction of its own, because other modules write into it. Every worker runs this, and
//! whoever has the session's lock first does it; the second finds nothing to do. What is due is read from
//! Postgres, so a restart or a lost event forgets nothing: the bus only makes it quick.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt, stream};
use halobestie_core::bus::{Event, Subscription};
use halobestie_core::pg::DbError;
use halobestie_core::ports::AvailabilityChanged;
use halobestie_core::{AfterCommit, BoxError, Timestamp};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use crate::ending::{self, Ender};
use crate::error::ChatError;
use crate::rerouting;
use crate::state::State;
use crate::store::waiting as store;

/// Between two looks at Postgres.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at who is still there: what the bus has told already, should it have lost it.
const LOOK_AFTER_MITRAS_EVERY: Duration = Duration::from_secs(5);
/// Things that are due this close together are done together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How many sessions one look takes up.
const BATCH: i64 = 500;
/// How many sessions are worked on at once.
const AT_ONCE: usize = 4;
/// How much may be under way after commits before a look waits for it.
const FOLLOW_UPS_MAX: usize = 256;
/// How long a start waits for what follows its commits: after that, workers do it.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// What is left to be done after commits: telling people, and calls to whoever charges, which must not keep
/// the next session waiting.
type FollowUps<'a> = FuturesUnordered<BoxFuture<'a, ()>>;

/// The service `chat-waiting`.
pub(crate) async fn run(state: Arc<State>, mut changes: Subscription) -> Result<(), BoxError> {
    let mut follow_ups = FollowUps::new();
    let mut mitras_at = state.clock.now();
    loop {
        let now = state.clock.now();
        let mut done = look(&state, now).await;
        if now >= mitras_at {
            mitras_at = now + LOOK_AFTER_MITRAS_EVERY;
            done.after.extend(from_all_gone(&state).await);
        }
        follow(&mut follow_ups, done.after).await;
        let wake = state.clock.sleep_until(done.wake_at);
        tokio::pin!(wake);
        loop {
            tokio::select! {
                () = state.lifecycle.soft().cancelled() => return Ok(()),
                () = &mut wake => break,
                Some(()) = follow_ups.next() => {}
                event = changes.next() => match gone(&event) {
                    Told::Gone(mitra_id) => {
                        let after = from_gone(&state, &[mitra_id]).await;
                        follow(&mut follow_ups, after).await;
                    }
                    Told::Other => {}
                    Told::Lost => {
                        mitras_at = now;
                        break;
                    }
                },
            }
        }
    }
}

/// Does everything that is due at `now`, for a start: what a stopped server has missed.
pub(crate) async fn settle(state: &State, now: Timestamp) -> Result<(), DbError> {
    let mut follow_ups = FollowUps::new();
    loop {
        let ids = store::overdue(&state.db, now, BATCH).await?;
        let after = end_all(state, &ids).await;
        if after.is_empty() {
            break;
        }
        follow_ups.extend(after.into_iter().map(|it| it.run().boxed()));
    }
    let all = follow_ups.collect::<Vec<()>>();
    // What is cut off here is told by catch-up and done by workers.
    let _ = timeout(START_PATIENCE, all).await;
    Ok(())
}

async fn follow<'a>(follow_ups: &mut FollowUps<'a>, after: Vec<AfterCommit<'a>>) {
    for one in after {
        while follow_ups.len() >= FOLLOW_UPS_MAX {
            follow_ups.next().await;
        }
        follow_ups.push(one.run().boxed());
    }
}

enum Told {
    Gone(Uuid),
    Other,
    Lost,
}

fn gone(event: &Event) -> Told {
    let Event::Message(told) = event else {
        return Told::Lost;
    };
    match serde_json::from_slice::<AvailabilityChanged>(told) {
        Ok(told) if !(told.online && told.active) => Told::Gone(told.mitra_id),
        Ok(_) | Err(_) => Told::Other,
    }
}

struct Looked<'a> {
    after: Vec<AfterCommit<'a>>,
    wake_at: Timestamp,
}

async fn look(state: &State, now: Timestamp) -> Looked<'_> {
    let mut after = Vec::new();
    let looked = async {
        let overdue = store::overdue(&state.db, now, BATCH).await?;
        let ended = end_all(state, &overdue).await;
        // What could not be ended is tried again in a while, not at once.
        let has_failed = ended.len() < overdue.len();
        after.extend(ended);
        if let Some(first_response) = state.first_response {
            let since = now - first_response;
            let silent = store::unanswered(&state.db, since, BATCH).await?;
            after.extend(from_silent(state, silent, since).await);
        }
        let horizon = now + LOOK_EVERY;
        let due = match has_failed {
            true => None,
            false => store::next_overdue(&state.db, horizon).await?,
        };
        Ok::<_, DbError>(due.map_or(horizon, |due| due.max(now + TOGETHER)))
    };
    let wake_at = looked.await.unwrap_or_else(|error| {
        untouched("sessions that wait", &error);
        now + LOOK_EVERY
    });
    Looked { after, wake_at }
}

/// Works on sessions, a few at a time; one that fails is logged and does not keep the others waiting.
async fn each<'a, T, F>(
    sessions: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> F,
) -> Vec<AfterCommit<'a>>
where
    F: Future<Output = Result<Option<AfterCommit<'a>>, Failed>>,
{
    let done = stream::iter(sessions).map(work).buffer_unordered(AT_ONCE);
    let done: Vec<Result<Option<AfterCommit<'a>>, Failed>> = done.collect().await;
    let after = done.into_iter().filter_map(|done| {
        done.unwrap_or_else(|Failed { session_id, error }| {
            let error = &error as &dyn std::error::Error;
            warn!(session.id = %session_id, error, "cannot move a session on now");
            None
        })
    });
    after.collect()
}

/// A session that could not be moved on.
struct Failed {
    session_id: Uuid,
    error: ChatError,
}

impl Failed {
    fn at(session_id: Uuid) -> impl Fn(ChatError) -> Self {
        move |error| Self { session_id, error }
    }
}

async fn end_all<'a>(state: &'a State, ids: &[Uuid]) -> Vec<AfterCommit<'a>> {
    let end = |id| async move { end(state, id).await.map(Some).map_err(Failed::at(id)) };
    each(ids.to_vec(), end).await
}

async fn end(state: &State, id: Uuid) -> Result<AfterCommit<'_>, ChatError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let after = ending::end_in(state, &tx, id, Ender::Clock).await?;
    tx.commit().await?;
    Ok(after)
}

async fn from_silent(state: &State, ids: Vec<Uuid>, since: Timestamp) -> Vec<AfterCommit<'_>> {
    let reroute = |id| async move {
        let rerouted = rerouting::from_silent(state, id, since).await;
        rerouted.map_err(Failed::at(id))
    };
    each(ids, reroute).await
}

/// Takes the sessions from every mitra that is not there any more.
async fn from_all_gone(state: &State) -> Vec<AfterCommit<'_>> {
    let absent = async {
        let at_work = store::mitras_at_work(&state.db).await?;
        state.availability.absent(&at_work).await
    };
    match absent.await {
        Ok(absent) => from_gone(state, &absent).await,
        Err(error) => {
            untouched("sessions whose mitra may be gone", &error);
            Vec::new()
        }
    }
}

async fn from_gone<'a>(state: &'a State, mitra_ids: &[Uuid]) -> Vec<AfterCommit<'a>> {
    if mitra_ids.is_empty() {
        return Vec::new();
    }
    let held = match store::active_of(&state.db, mitra_ids).await {
        Ok(held) => held,
        Err(error) => {
            untouched("sessions of mitras that are gone", &error);
            return Vec::new();
        }
    };
    let reroute = |(id, mitra_id)| async move {
        let rerouted = rerouting::from_gone(state, id, mitra_id).await;
        rerouted.map_err(Failed::at(id))
    };
    each(held, reroute).await
}

fn untouched(what: &str, error: &DbError) {
    let error = error as &dyn std::error::Error;
    warn!(error, "cannot look after {what} now");
}
