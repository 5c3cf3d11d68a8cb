//! The port: one row for what happened, in the transaction in which it did.

use async_trait::async_trait;
use halobestie_core::clock::Clock;
use halobestie_core::jobs::{Jobs, NewJob};
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Notice, Notifier};
use halobestie_core::{AfterCommit, Timestamp};

use crate::jobs::TellDevices;
use crate::worth;

/// A job is this much at most, so that its payload stays small.
const NOTICES_MAX: usize = 200;

/// Writes the outbox.
pub(crate) struct Outbox {
    pub(crate) jobs: Jobs,
    pub(crate) clock: Clock,
}

#[async_trait]
impl Notifier for Outbox {
    async fn notify(
        &self,
        tx: &Tx<'_>,
        notices: &[Notice],
    ) -> Result<AfterCommit<'static>, DbError> {
        if notices.is_empty() {
            return Ok(AfterCommit::new(async {}));
        }
        let jobs = jobs(notices, self.clock.now());
        self.jobs.enqueue_all(tx, jobs).await
    }
}

/// A job for those that are told at the same time, and more where there are many.
fn jobs(notices: &[Notice], at: Timestamp) -> Vec<NewJob<TellDevices>> {
    let is_now = |it: &&Notice| worth::due(&it.news, at) == at;
    let (now, later): (Vec<&Notice>, Vec<&Notice>) = notices.iter().partition(is_now);
    let chunks = now.chunks(NOTICES_MAX).chain(later.chunks(NOTICES_MAX));
    chunks.filter_map(|notices| job(notices, at)).collect()
}

fn job(notices: &[&Notice], at: Timestamp) -> Option<NewJob<TellDevices>> {
    let due = worth::due(&notices.first()?.news, at);
    let ends = notices.iter().map(|it| worth::ends(&it.news, at)).max()?;
    let notices = notices.iter().copied().cloned().collect();
    Some(
        NewJob::of(TellDevices { at, notices })
            .at(due)
            .deadline(ends),
    )
}
