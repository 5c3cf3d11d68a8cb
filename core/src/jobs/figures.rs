//! What is in the queue, by kind: for the metrics, the doctor and the control center.

use std::time::Duration;

use serde::Serialize;

use super::meters::Meters;
use super::queue::Jobs;
use super::store::{self, CountRow};
use crate::module::Context;
use crate::pg::{DbError, Query};
use crate::sweep::{Sweep, Swept};
use crate::timestamp::Timestamp;

/// Between two counts.
const EVERY: Duration = Duration::from_secs(15);

/// What there is of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindFigures {
    /// Which.
    pub kind: String,
    /// Jobs that wait for their time or for a worker.
    pub waiting: i64,
    /// Jobs that some worker has.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// For how long the job has been due that has been due longest.
    pub oldest_due: Option<Duration>,
}

impl KindFigures {
    fn of(row: CountRow, now: Timestamp) -> Self {
        Self {
            kind: row.kind,
            waiting: row.waiting,
            running: row.running,
            dead: row.dead,
            oldest_due: row.oldest_due_at.map(|at| now.since(at)),
        }
    }
}

impl Jobs {
    /// Counts what is in the queue by kind, where there is anything. Reads every row that is not
    /// finished.
    ///
    /// # Errors
    /// Postgres's failures.
    pub async fn figures(&self, db: &impl Query) -> Result<Vec<KindFigures>, DbError> {
        let now = self.now();
        let rows = store::counts(db, now).await?;
        Ok(rows
            .into_iter()
            .map(|row| KindFigures::of(row, now))
            .collect())
    }
}

/// Shows what is in the queue as metrics of these kinds.
pub(super) fn sweep(kinds: Vec<&'static str>, cx: &Context) -> Sweep {
    let (db, jobs) = (cx.db.clone(), cx.jobs.clone());
    Sweep::new("jobs-figures", EVERY, move || {
        let (db, jobs, kinds) = (db.clone(), jobs.clone(), kinds.clone());
        async move {
            let figures = jobs.figures(&db).await?;
            for kind in kinds {
                let found = figures.iter().find(|it| it.kind == kind);
                show(&jobs.meters, kind, found);
            }
            Ok(Swept::default())
        }
    })
}

fn show(meters: &Meters, kind: &str, found: Option<&KindFigures>) {
    let rows = |state, count: fn(&KindFigures) -> i64| {
        let count = found.map_or(0, count);
        meters.rows.with_label_values(&[kind, state]).set(count);
    };
    rows("waiting", |it| it.waiting);
    rows("running", |it| it.running);
    rows("dead", |it| it.dead);
    let oldest = found.and_then(|it| it.oldest_due).unwrap_or_default();
    meters
        .oldest_seconds
        .with_label_values(&[kind])
        .set(oldest.as_secs_f64());
}
