//! The beacon: how many mitras can be asked, for every customer's app, all the time.
//!
//! Two layers stand before the counting: a copy in this process of at most a second, and a snapshot
//! in the mirror of at most ten, which the whole cluster shares. Whoever asks while an answer is being
//! made waits for that one. So an answer is never older than both together, and a poll costs a pointer
//! and a few headers. What this process itself changes ends its copy at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::AvailabilityError;
use crate::flight::Flight;
use crate::meters::AnsweredBy;
use crate::mirror::SNAPSHOT_LIFE;
use crate::roster::Roster;

/// How long this process repeats an answer.
const COPY_LIFE: Duration = Duration::from_secs(1);

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = availability::Source)]
pub(crate) enum Source {
    /// The cluster's snapshot, at most ten seconds old.
    Snapshot,
    /// Counted in Valkey (or its in-memory twin, in a run without Valkey).
    Valkey,
    /// Counted in Postgres, because Valkey did not answer.
    Postgres,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Valkey => "valkey",
            Self::Postgres => "postgres",
        }
    }
}

/// What the beacon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = availability::Beacon)]
pub(crate) struct BeaconBody {
    /// Whether any mitra can be asked.
    pub available: bool,
    /// How many can.
    pub available_mitras: u64,
    /// When they were counted.
    pub as_of: Timestamp,
    /// Where the answer came from.
    pub source: Source,
}

/// A rendered answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body.
    pub json: Bytes,
    /// A weak tag of the count: who has the same count has the same answer.
    pub etag: HeaderValue,
    body: BeaconBody,
    got_at: Timestamp,
    changes: u64,
}

type Outcome = Result<Arc<Answer>, Arc<DbError>>;

/// The beacon of this process.
pub(crate) struct Beacon {
    roster: Arc<Roster>,
    copy: Mutex<Option<Arc<Answer>>>,
    flight: Flight<Outcome>,
}

impl Beacon {
    /// The beacon of this process.
    pub(crate) fn new(roster: Arc<Roster>) -> Self {
        Self {
            roster,
            copy: Mutex::new(None),
            flight: Flight::default(),
        }
    }

    /// The current answer.
    ///
    /// # Errors
    /// When neither the mirror nor Postgres answers.
    pub(crate) async fn answer(self: &Arc<Self>) -> Result<Arc<Answer>, AvailabilityError> {
        if let Some(copy) = self.current_copy() {
            self.roster.meters.beacon_copy();
            return Ok(copy);
        }
        let beacon = self.clone();
        let answer = self
            .flight
            .join(|| async move { beacon.renew().await })
            .await;
        let answer = answer.map_err(AvailabilityError::Beacon)?;
        self.roster
            .meters
            .beacon_answer(answer.body.source.as_str());
        Ok(answer)
    }

    fn current_copy(&self) -> Option<Arc<Answer>> {
        let copy = self
            .copy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        let is_current = self.roster.clock.now().since(copy.got_at) < COPY_LIFE
            && copy.changes == self.roster.changes();
        is_current.then_some(copy)
    }

    async fn renew(&self) -> Outcome {
        // Read first: what changes during the counting makes this answer an old one.
        let changes = self.roster.changes();
        let body = match self.snapshot().await {
            Some(body) => body,
            None => self.count(changes).await?,
        };
        let answer = Arc::new(self.rendered(body, changes));
        *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
        Ok(answer)
    }

    /// What the cluster says, where it has said so lately. Valkey drops it in time, but its clock is
    /// not ours.
    async fn snapshot(&self) -> Option<BeaconBody> {
        let mirror = &self.roster.mirror;
        let snapshot = mirror
            .tell("snapshot", |mirror| mirror.snapshot())
            .await??;
        let body: BeaconBody = serde_json::from_slice(&snapshot).ok()?;
        let age = self.roster.clock.now().since(body.as_of);
        (age < SNAPSHOT_LIFE).then_some(BeaconBody {
            source: Source::Snapshot,
            ..body
        })
    }

    async fn count(&self, changes: u64) -> Result<BeaconBody, DbError> {
        self.roster.meters.beacon_computation();
        let as_of = self.roster.clock.now();
        let counted = self.roster.count().await?;
        let available_mitras = counted.available;
        let source = match counted.by {
            AnsweredBy::Mirror => Source::Valkey,
            AnsweredBy::Postgres => Source::Postgres,
        };
        let available = available_mitras > 0;
        let body = BeaconBody {
            available,
            available_mitras,
            as_of,
            source,
        };
        if self.roster.changes() == changes {
            self.share(body).await;
        }
        Ok(body)
    }

    async fn share(&self, body: BeaconBody) {
        let snapshot = render(BeaconBody {
            source: Source::Snapshot,
            ..body
        });
        let mirror = &self.roster.mirror;
        mirror
            .tell("keep_snapshot", |mirror| mirror.keep_snapshot(snapshot))
            .await;
    }

    fn rendered(&self, body: BeaconBody, changes: u64) -> Answer {
        let etag = HeaderValue::try_from(format!("W/\"{}\"", body.available_mitras));
        let etag = etag.unwrap_or_else(|_| HeaderValue::from_static("W/\"0\""));
        Answer {
            json: render(body),
            etag,
            body,
            got_at: self.roster.clock.now(),
            changes,
        }
    }
}

fn render(body: BeaconBody) -> Bytes {
    // A struct of numbers and names is always JSON.
    serde_json::to_vec(&body).unwrap_or_default().into()
}
