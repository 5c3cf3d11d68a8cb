//! A handler as a module brings it, and the attempt that it is given.

use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use super::failure::Failure;
use super::store::{self, Taken};
use super::{Job, JobKind};
use crate::clock::Clock;
use crate::pg::Tx;
use crate::timestamp::Timestamp;

/// One attempt at a job.
#[derive(Clone, Debug)]
pub struct Attempt<J> {
    /// The job's id: the same in every attempt, so an idempotency key for whoever wants one.
    pub id: Uuid,
    /// What has to be known.
    pub payload: J,
    /// Which attempt this is, from 1.
    pub number: u32,
    /// When the job was enqueued.
    pub enqueued_at: Timestamp,
    /// When it stops to be worth doing. The attempt is dropped then.
    pub deadline: Timestamp,
    taken: i32,
    clock: Clock,
}

impl<J: Job> Attempt<J> {
    /// Whether another attempt would be one too many.
    pub fn is_last(&self) -> bool {
        self.number >= J::POLICY.attempts_max
    }

    /// Marks the job as done in the handler's own transaction: what the transaction changes happens
    /// exactly once, whatever crashes when. To be called before the commit, and followed by `Ok`.
    ///
    /// # Errors
    /// Postgres's failures; and when the lease was lost to another worker: then roll back.
    pub async fn done_in(&self, tx: &Tx<'_>) -> Result<(), Failure> {
        let now = self.clock.now();
        match store::finish(tx, self.id, self.taken, &J::POLICY, now).await? {
            true => Ok(()),
            false => Err("another worker has the job by now".into()),
        }
    }
}

type Run = Arc<dyn Fn(Taken, Clock) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Who does the jobs of a kind.
#[derive(Clone)]
pub struct Handler {
    /// Which.
    pub kind: JobKind,
    pub(super) run: Run,
}

impl Handler {
    /// Declares a handler. It may be dropped at any await (timeout, deadline, stop), and may run again.
    pub fn new<J, F, Fut>(handle: F) -> Self
    where
        J: Job,
        F: Fn(Attempt<J>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handle = Arc::new(handle);
        Self {
            kind: JobKind::of::<J>(),
            run: Arc::new(move |taken, clock| {
                let handle = handle.clone();
                async move { handle(attempt(taken, clock)?).await }.boxed()
            }),
        }
    }
}

/// Reads the payload. One that cannot be read by this binary never will be: no use in trying again.
fn attempt<J: Job>(taken: Taken, clock: Clock) -> Result<Attempt<J>, Failure> {
    let payload = parse(taken.payload).map_err(Failure::give_up)?;
    Ok(Attempt {
        id: taken.id,
        payload,
        number: taken.attempts,
        enqueued_at: taken.enqueued_at,
        deadline: taken.deadline_at,
        taken: taken.taken,
        clock,
    })
}

/// Why a payload cannot be read, without any of what is in it.
#[derive(Debug, thiserror::Error)]
#[error("the payload cannot be read at {path}: {expected}")]
struct Unreadable {
    path: String,
    expected: String,
}

fn parse<J: Job>(payload: Value) -> Result<J, Unreadable> {
    serde_path_to_error::deserialize(payload).map_err(|error| {
        let (path, text) = (error.path().to_string(), error.inner().to_string());
        // Serde says what it found, then what it expected; what is missing it only names.
        let expected = match text.rfind("expected ") {
            Some(at) => text[at..].to_owned(),
            None if text.starts_with("missing field") => text,
            None => "not what was expected".to_owned(),
        };
        Unreadable { path, expected }
    })
}
