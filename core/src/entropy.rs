//! Chance as an input: the operating system's randomness, or a seeded sequence for a test.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use uuid::Uuid;

use crate::clock::Clock;

/// A cheap handle on a source of randomness; clones share the source.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    /// The operating system's generator: fit for keys, codes and tokens.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A repeatable sequence, for tests alone.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(
            seed,
        )))))
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can be made without it.
    #[expect(
        clippy::expect_used,
        reason = "no token may be made from bytes that are not random"
    )]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => SysRng
                .try_fill_bytes(&mut bytes)
                .expect("the system gives randomness"),
            Source::Seeded(rng) => {
                rng.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .fill_bytes(&mut bytes);
            }
        }
        bytes
    }

    /// A number in `0..bound`, without bias that matters for bounds far below 2⁶⁴.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % bound.max(1)
    }

    /// A new UUIDv7 of the clock's instant.
    pub fn uuid(&self, clock: &Clock) -> Uuid {
        let ms = u64::try_from(clock.now().unix_ms()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &self.bytes()).into_uuid()
    }
}
