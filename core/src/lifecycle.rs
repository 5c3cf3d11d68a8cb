//! Life and death of the process: four tokens in a row, nothing spawned outside the trackers.
//!
//! `stopping` is turned by the first signal, or by a vital task that dies: readiness goes false.
//! `soft`, after the shutdown delay, says "finish what you have and stop". `last`, when all work has
//! ended, stops what carried its last words (the bus, Valkey). `hard`, turned by a second signal or
//! the shutdown timeout, says "stop now". `Lifecycle::spawn` and its sisters are the only doors to
//! `tokio::spawn`.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, info, warn};

use crate::problem::BoxError;
use crate::quiet::quiet;

/// A handle on the process's life. Clones share it.
#[derive(Clone, Default)]
pub struct Lifecycle {
    stopping: CancellationToken,
    soft: CancellationToken,
    last: CancellationToken,
    hard: CancellationToken,
    work: TaskTracker,
    carriers: TaskTracker,
    failed: Arc<AtomicBool>,
}

/// How long the carriers of last words may take once all work has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Lifecycle {
    /// Turned when a stop was asked for; new work is still taken until [`Lifecycle::soft`].
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Turned when the process should finish what it has and stop.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Turned when all work has ended: what carried its last words may go.
    pub fn last(&self) -> &CancellationToken {
        &self.last
    }

    /// Turned when the process must stop now.
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Asks for an orderly stop.
    pub fn shut_down(&self) {
        self.stopping.cancel();
    }

    /// Ends the shutdown delay: from now on work finishes.
    pub fn drain(&self) {
        self.stopping.cancel();
        self.soft.cancel();
    }

    /// Whether a task died on its own.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Runs a task that must end by itself when the soft token turns. It is dropped when the hard one
    /// does. A panic inside it ends it alone.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.track(&self.work, name, task);
    }

    /// Runs a task that carries other tasks' last words and ends by itself when [`Lifecycle::last`]
    /// turns.
    pub fn spawn_carrier<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.track(&self.carriers, name, task);
    }

    fn track<F>(&self, tracker: &TaskTracker, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hard = self.hard.clone();
        // Boxed: an `async` block keeps room for what it is given and for where it puts that, which is twice
        // the room for every connection and every socket.
        let task = Box::pin(std::panic::AssertUnwindSafe(task).catch_unwind());
        let task = async move {
            tokio::select! {
                biased;
                outcome = task => if outcome.is_err() { error!(task = name, "a task panicked") },
                () = quiet(hard.cancelled()) => {}
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the one door to tokio's spawn")]
        tokio::spawn(tracker.track_future(task.in_current_span()));
    }

    /// Runs a task that the process cannot live without: when it fails or panics before the soft token
    /// turns, the process drains and exits non-zero.
    pub fn spawn_vital<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let lifecycle = self.clone();
        self.spawn(name, async move {
            let outcome = std::panic::AssertUnwindSafe(task).catch_unwind().await;
            if lifecycle.soft.is_cancelled() {
                return;
            }
            match outcome {
                Ok(Ok(())) => error!(task = name, "a vital task ended by itself"),
                Ok(Err(error)) => error!(task = name, error = &*error, "a vital task failed"),
                Err(_) => error!(task = name, "a vital task panicked"),
            }
            lifecycle.failed.store(true, Ordering::Relaxed);
            lifecycle.shut_down();
        });
    }

    /// Waits for every task; turns the hard token at `timeout`. True when all of them ended in time.
    pub async fn finish(&self, timeout: Duration) -> bool {
        self.work.close();
        self.carriers.close();
        let in_time = tokio::time::timeout(timeout, self.work.wait())
            .await
            .is_ok();
        if !in_time {
            warn!(
                tasks = self.work.len(),
                "shutdown timeout: stopping what is left"
            );
            self.hard.cancel();
        }
        self.last.cancel();
        let ended = tokio::time::timeout(LAST_WORDS, self.carriers.wait())
            .await
            .is_ok();
        self.hard.cancel();
        in_time && ended
    }

    /// Asks for an orderly stop on the first SIGTERM or SIGINT, for a hard one on the second.
    ///
    /// # Errors
    /// When the signals cannot be listened to.
    pub fn listen_to_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let lifecycle = self.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "must outlive the tracker that it ends"
        )]
        tokio::spawn(async move {
            for token in [&lifecycle.stopping, &lifecycle.hard] {
                tokio::select! {
                    _ = terminate.recv() => info!("SIGTERM: shutting down"),
                    _ = interrupt.recv() => info!("SIGINT: shutting down"),
                }
                token.cancel();
            }
        });
        Ok(())
    }
}
