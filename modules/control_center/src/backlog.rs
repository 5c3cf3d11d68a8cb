//! What waits to be done, by kind: counted at most once a second in a process, however many look.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::jobs::{Jobs, KindFigures};
use halobestie_core::pg::{Db, DbError};
use halobestie_core::{Context, Timestamp};
use tokio::sync::Mutex;

/// How old a count may be.
const FRESH: Duration = Duration::from_secs(1);

/// Counts jobs.
pub(crate) struct Backlog {
    clock: Clock,
    db: Db,
    jobs: Jobs,
    last: Mutex<Option<(Timestamp, Arc<Vec<KindFigures>>)>>,
}

impl Backlog {
    /// Of this server.
    pub(crate) fn new(cx: &Context) -> Self {
        Self {
            clock: cx.clock.clone(),
            db: cx.db.clone(),
            jobs: cx.jobs.clone(),
            last: Mutex::new(None),
        }
    }

    /// The figures of now, or of a moment ago.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn current(&self) -> Result<Arc<Vec<KindFigures>>, DbError> {
        // Held while counting: others wait for this count instead of making their own.
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        if let Some((at, figures)) = &*last
            && now.since(*at) < FRESH
            && *at <= now
        {
            return Ok(figures.clone());
        }
        let figures = Arc::new(self.jobs.figures(&self.db).await?);
        *last = Some((now, figures.clone()));
        Ok(figures)
    }
}
