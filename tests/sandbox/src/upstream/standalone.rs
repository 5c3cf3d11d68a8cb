//! An upstream at a port of its own, beside the sandbox or without it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::lifecycle::Lifecycle;

use super::{Front, Port, RecordedCall, Upstream, taken};
use crate::knobs::Knobs;

/// Calls that are kept.
const KEEP: usize = 5_000;

/// Any upstream, with the knobs and the record that all of them have. It ends when this is dropped.
pub struct Standalone<U: Upstream> {
    /// What can be made to go wrong.
    pub knobs: Knobs,
    front: Arc<Front<U>>,
    lifecycle: Lifecycle,
}

impl<U: Upstream> Standalone<U> {
    /// Starts it at a free port of this machine; `codes` are those that [`Knobs::fail_next`] takes.
    /// Records are stamped by `clock`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(
        upstream: U,
        codes: &'static [&'static str],
        clock: Clock,
    ) -> io::Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(any, upstream, codes, clock).await
    }

    /// Starts it at this address.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start_at(
        address: SocketAddr,
        upstream: U,
        codes: &'static [&'static str],
        clock: Clock,
    ) -> io::Result<Self> {
        let port = Port::take(address).map_err(|error| taken(address, &error))?;
        let front = Arc::new(Front::new(upstream, port, codes, clock, KEEP));
        let lifecycle = Lifecycle::default();
        front.serve(&lifecycle).await;
        Ok(Self {
            knobs: front.knobs.clone(),
            front,
            lifecycle,
        })
    }

    /// Where it listens: `http://127.0.0.1:port`.
    pub fn origin(&self) -> String {
        self.front.origin()
    }

    /// The upstream itself.
    pub fn upstream(&self) -> &U {
        &self.front.upstream
    }

    /// The calls that came in, refused ones included, oldest first.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.front.calls()
    }
}

impl<U: Upstream> Drop for Standalone<U> {
    fn drop(&mut self) {
        self.lifecycle.hard().cancel();
    }
}
