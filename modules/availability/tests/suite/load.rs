//! Apps that poll the beacon and mitras that send heartbeats, on and on, while a test breaks things.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use halobestie_auth::testing::SignedIn;
use halobestie_testkit::{TestApp, eventually};

use crate::support::*;

/// How much time passes for the server between two rounds: the beacon's own copy is over each time.
const ROUND: Duration = Duration::from_secs(1);
/// What a machine that is busy with other tests may add to a deadline.
const SLACK: Duration = Duration::from_secs(3);
/// Polls in a round.
const POLLS: usize = 5;

/// A load on a server. Every answer must be right, and none later than the deadline.
pub(crate) struct Load<'a> {
    app: &'a TestApp,
    mitras: &'a [SignedIn],
    deadline: Duration,
    rounds: AtomicU64,
}

impl<'a> Load<'a> {
    /// A load of these mitras, all of them online and free all the time.
    pub(crate) fn new(app: &'a TestApp, mitras: &'a [SignedIn], deadline: Duration) -> Self {
        Self {
            app,
            mitras,
            deadline,
            rounds: AtomicU64::new(0),
        }
    }

    /// Goes on until `faults` are over; what came of them.
    pub(crate) async fn during<T>(&self, faults: impl Future<Output = T>) -> T {
        let go_on = async {
            loop {
                self.round().await;
            }
        };
        tokio::select! { () = go_on => unreachable!("it goes on"), outcome = faults => outcome }
    }

    /// Waits for this many further rounds.
    pub(crate) async fn goes_on_for(&self, rounds: u64) {
        let until = self.rounds.load(Ordering::Relaxed) + rounds;
        eventually("the load goes on", async || {
            self.rounds.load(Ordering::Relaxed) >= until
        })
        .await;
    }

    async fn round(&self) {
        let heartbeats = join_all(self.mitras.iter().map(|mitra| self.beat(mitra)));
        let polls = join_all((0..POLLS).map(|_| self.poll()));
        tokio::join!(heartbeats, polls);
        self.app.clock.advance(ROUND);
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    async fn beat(&self, mitra: &SignedIn) {
        let taken = self.in_time(heartbeat(self.app, mitra)).await.expect(200);
        assert_eq!(taken.json()["online"], true);
    }

    async fn poll(&self) {
        let answer = self.in_time(beacon(self.app)).await;
        assert_eq!(answer["available_mitras"], self.mitras.len(), "{answer}");
    }

    async fn in_time<T>(&self, call: impl Future<Output = T>) -> T {
        let asked = Instant::now();
        let answer = call.await;
        let took = asked.elapsed();
        assert!(took < self.deadline + SLACK, "{took:?}");
        answer
    }
}
