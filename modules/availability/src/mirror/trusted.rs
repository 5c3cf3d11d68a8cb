//! When a process believes its mirror, and what it does about a mirror that fails.
//!
//! The invariant: nothing is believed that this process has not seeded since it last connected. What
//! Valkey holds after an outage may be older than writes that were lost meanwhile.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};
use tracing::warn;

use super::{Mirror, MirrorError};
use crate::meters::Meters;

/// The number of no connection.
const NEVER: u64 = u64::MAX;

/// A mirror and whether to believe it.
pub struct TrustedMirror {
    mirror: Arc<dyn Mirror>,
    /// Counts connects; absent where the mirror cannot be away.
    connects: Option<watch::Receiver<u64>>,
    /// The connect after which this process has seeded.
    seeded_after: AtomicU64,
    reseed_wanted: Notify,
    meters: Arc<Meters>,
}

impl TrustedMirror {
    /// Believes nothing until [`TrustedMirror::trust`].
    pub fn new(
        mirror: Arc<dyn Mirror>,
        connects: Option<watch::Receiver<u64>>,
        meters: Arc<Meters>,
    ) -> Self {
        let reseed_wanted = Notify::new();
        Self {
            mirror,
            connects,
            seeded_after: AtomicU64::new(NEVER),
            reseed_wanted,
            meters,
        }
    }

    /// The mirror itself, for reseeds: they make it worth believing.
    pub fn mirror(&self) -> &dyn Mirror {
        &*self.mirror
    }

    /// The number of the current connection.
    pub fn connection(&self) -> u64 {
        self.connects
            .as_ref()
            .map_or(0, |connects| *connects.borrow())
    }

    /// Believes the mirror for as long as the connection is this one.
    pub fn trust(&self, connection: u64) {
        self.seeded_after.store(connection, Ordering::Release);
    }

    /// Whether the mirror is believed.
    pub fn is_trusted(&self) -> bool {
        self.seeded_after.load(Ordering::Acquire) == self.connection()
    }

    /// Asks the mirror, if it is believed. `None` says to ask Postgres.
    pub async fn ask<'a, T, F>(
        &'a self,
        operation: &'static str,
        question: impl FnOnce(&'a dyn Mirror) -> F,
    ) -> Option<T>
    where
        F: Future<Output = Result<T, MirrorError>> + 'a,
    {
        if !self.is_trusted() {
            self.meters.fallback(operation);
            return None;
        }
        let answer = self.tell(operation, question).await;
        if answer.is_none() {
            self.meters.fallback(operation);
        }
        answer
    }

    /// Tells the mirror something, believed or not. Best effort: a failure is logged and counted, and
    /// whatever was lost is made good by a reseed.
    pub async fn tell<'a, T, F>(
        &'a self,
        operation: &'static str,
        statement: impl FnOnce(&'a dyn Mirror) -> F,
    ) -> Option<T>
    where
        F: Future<Output = Result<T, MirrorError>> + 'a,
    {
        match statement(&*self.mirror).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failed(operation, &error);
                None
            }
        }
    }

    fn failed(&self, operation: &'static str, error: &MirrorError) {
        self.meters.mirror_error(operation);
        // The client has said that Valkey is away, and its next connect brings a reseed by itself.
        if !error.is_away() {
            warn!(
                operation,
                error = error as &dyn std::error::Error,
                "the mirror failed"
            );
            self.want_reseed();
        }
    }

    /// Asks for a reseed, soon.
    pub fn want_reseed(&self) {
        self.reseed_wanted.notify_one();
    }

    /// Waits until a reseed is called for. Cancel-safe.
    pub async fn reseed_wanted(&self) {
        tokio::select! {
            () = self.unseeded_connection() => {}
            () = self.reseed_wanted.notified() => {}
        }
    }

    /// Waits for a connection that this process has not seeded.
    async fn unseeded_connection(&self) {
        let is_unseeded =
            |now: &u64| *now != 0 && *now != self.seeded_after.load(Ordering::Acquire);
        if let Some(mut connects) = self.connects.clone()
            && connects.wait_for(is_unseeded).await.is_ok()
        {
            return;
        }
        // Nothing connects, or nothing does any more: the process is ending.
        pending::<()>().await;
    }
}
