//! What happens by itself to many at once: sessions end, their ends are announced, and requests expire.
//! What takes a look at each is in `waiting`, and what asks more mitras in `spreading`.
//!
//! Every worker runs this. What is due is done by conditional statements, so it is done once however
//! many workers there are, and it is due by what Postgres holds, so a restart forgets nothing. Between
//! two looks the timekeeper sleeps until the next thing is due, which keeps the ends to the moment.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::ports::Notice;
use halobestie_core::{BoxError, Timestamp};
use tracing::warn;
use uuid::Uuid;

use crate::live::events;
use crate::notices;
use crate::offering;
use crate::pairing::GoneReason;
use crate::session_state::EndReason;
use crate::state::State;
use crate::store::{requests, timers};
use crate::telling;

/// Between two looks at Postgres. Nothing shorter can be configured, so nothing is due before it was seen.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Things that are due this close together are done together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How many sessions or requests one statement ends.
const BATCH: i64 = 500;
/// How many sessions are ended before anybody is told of it: the end is promised to the second, and
/// telling takes longer than ending.
const ENDS_BEFORE_TELLING: usize = 20_000;
/// When both sides are told that the end is near, in seconds before it; the nearest first.
const WARNINGS: [i32; 2] = [60, 180];

/// The warnings that a session is too short for count as given.
pub(crate) fn warned_from_start(lasts: Duration) -> Option<i32> {
    WARNINGS
        .into_iter()
        .find(|seconds| lasts <= seconds_before(*seconds))
}

fn seconds_before(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// The service `chat-timekeeper`.
pub(crate) async fn run(state: Arc<State>) -> Result<(), BoxError> {
    loop {
        let now = state.clock.now();
        let wake_at = match look(&state, now).await {
            Ok(wake_at) => wake_at,
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot keep time now"
                );
                now + LOOK_EVERY
            }
        };
        tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            () = state.clock.sleep_until(wake_at) => {}
        }
    }
}

async fn look(state: &State, now: Timestamp) -> Result<Timestamp, DbError> {
    settle(state, now).await?;
    let horizon = now + LOOK_EVERY;
    let due = timers::next_due(&state.db, now, horizon, &WARNINGS).await?;
    Ok(due.map_or(horizon, |due| due.max(now + TOGETHER)))
}

/// Does everything that is due at `now`. The start runs it too, for what a stopped server has missed.
pub(crate) async fn settle(state: &State, now: Timestamp) -> Result<(), DbError> {
    end_sessions(state, now).await?;
    warn_of_ends(state, now).await?;
    expire_requests(state, now).await
}

/// Ends first and tells then: they have ended, whether or not both sides can be told.
async fn end_sessions(state: &State, now: Timestamp) -> Result<(), DbError> {
    loop {
        let mut ended: Vec<timers::Ended> = Vec::new();
        let is_all = loop {
            let batch = end_batch(state, now).await?;
            if batch.is_empty() {
                break true;
            }
            ended.extend(batch);
            if ended.len() >= ENDS_BEFORE_TELLING {
                break false;
            }
        };
        let ids: Vec<Uuid> = ended.iter().map(|it| it.id).collect();
        telling::tell(state, &ids).await;
        telling::show_loads(state, ended.into_iter().map(|it| it.mitra_id)).await;
        if is_all {
            return Ok(());
        }
    }
}

async fn end_batch(state: &State, now: Timestamp) -> Result<Vec<timers::Ended>, DbError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let ended = timers::end_due(&tx, now, BATCH).await?;
    let of_one = |it: &timers::Ended| {
        notices::ended(it.id, EndReason::Expired, &[it.customer_id, it.mitra_id])
    };
    let notices: Vec<Notice> = ended.iter().flat_map(of_one).collect();
    let noticed = notices::write(state, &tx, &notices).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    Ok(ended)
}

async fn warn_of_ends(state: &State, now: Timestamp) -> Result<(), DbError> {
    for seconds in WARNINGS {
        let until = now + seconds_before(seconds);
        let mut client = state.db.client().await?;
        let tx = client.begin().await?;
        let endings = timers::warn_due(&tx, now, until, seconds).await?;
        let noticed = notices::write(state, &tx, &notices::expiring(&endings)).await?;
        tx.commit().await?;
        drop(client);
        noticed.run().await;
        for ending in endings {
            let event = events::expiring(&ending, now);
            state.tell_all(&[ending.customer_id, ending.mitra_id], event.as_ref());
        }
    }
    Ok(())
}

async fn expire_batch(state: &State, now: Timestamp) -> Result<Vec<Uuid>, DbError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let expired = requests::expire_due(&tx, now, BATCH).await?;
    let noticed = notices::gone(state, &tx, &expired, GoneReason::Expired).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    Ok(expired)
}

async fn expire_requests(state: &State, now: Timestamp) -> Result<(), DbError> {
    loop {
        let expired = expire_batch(state, now).await?;
        if expired.is_empty() {
            return Ok(());
        }
        for request_id in expired {
            offering::announce_over(state, request_id, GoneReason::Expired).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_session_has_no_early_warnings() {
        let warned = |minutes: u64| warned_from_start(Duration::from_secs(minutes * 60));
        assert_eq!(warned(15), None);
        assert_eq!(warned(3), Some(180));
        assert_eq!(warned(2), Some(180));
        assert_eq!(warned(1), Some(60));
    }
}
