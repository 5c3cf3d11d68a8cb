//! What a port's write leaves to be done once its transaction has committed.
//!
//! A change that spans modules is one transaction of the caller's: each port writes into it and hands
//! back what may only happen once that is true, such as showing it in a mirror or telling other
//! replicas. The caller commits, then runs each. The invariant to keep: running it never fails, and
//! dropping it (the transaction rolled back, or the caller went away) leaves nothing wrong for longer
//! than its port says.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// To be run after the commit, or dropped with the transaction.
#[must_use = "what was written is neither shown nor told before this is run"]
pub struct AfterCommit<'a>(BoxFuture<'a, ()>);

impl<'a> AfterCommit<'a> {
    /// Something to be done.
    pub fn new(work: impl Future<Output = ()> + Send + 'a) -> Self {
        Self(work.boxed())
    }

    /// Does it.
    pub async fn run(self) {
        self.0.await;
    }
}
