//! Which pairs of a request and a mitra this process has put to Postgres already, to find out who was not
//! asked yet. A memory, not a truth: to have forgotten a pair costs a look, to remember one too many
//! would cost an offer, so it is forgotten whenever an offer may have been withdrawn.
//!
//! Two hundred requests and a thousand mitras are two hundred thousand pairs once, and then a thousand
//! for a new request and two hundred for a new mitra.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::Timestamp;
use uuid::Uuid;

use crate::store::waves::Open;

/// A memory that is older than this is none: a process that looks seldom is not told of withdrawals.
const REMEMBERED: Duration = Duration::from_secs(3);

/// The pairs that this process need not consider again.
#[derive(Default)]
pub(crate) struct Considered(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    /// Grows when something is forgotten, so that a look under way then is not remembered as a whole.
    forgotten: u64,
    last: Option<Look>,
}

/// All pairs of these have been considered.
#[derive(Debug)]
struct Look {
    at: Timestamp,
    /// Requests and when they end: one that is opened again with another end is another one.
    requests: HashMap<Uuid, Timestamp>,
    mitras: HashSet<Uuid>,
}

/// The pairs that are to be considered: the new requests with all mitras, the others with the new ones.
#[derive(Debug)]
pub(crate) struct Unconsidered {
    pub(crate) requests: Vec<Uuid>,
    pub(crate) known: Vec<Uuid>,
    pub(crate) newcomers: Vec<Uuid>,
    forgotten: u64,
}

impl Considered {
    /// Lets this mitra be considered again for everything: its offers may have been withdrawn.
    pub(crate) fn forget(&self, mitra_id: Uuid) {
        let mut memory = self.lock();
        memory.forgotten += 1;
        if let Some(last) = &mut memory.last {
            last.mitras.remove(&mitra_id);
        }
    }

    /// Lets everything be considered again.
    pub(crate) fn forget_all(&self) {
        let mut memory = self.lock();
        memory.forgotten += 1;
        memory.last = None;
    }

    /// Says which pairs of these are left to be considered.
    pub(crate) fn compare(
        &self,
        open: &[Open],
        available: &[Uuid],
        now: Timestamp,
    ) -> Unconsidered {
        let memory = self.lock();
        let last = memory
            .last
            .as_ref()
            .filter(|last| now.since(last.at) <= REMEMBERED);
        let is_known =
            |it: &&Open| last.is_some_and(|last| last.requests.get(&it.id) == Some(&it.expires_at));
        let (known, requests): (Vec<&Open>, Vec<&Open>) = open.iter().partition(is_known);
        let is_new = |id: &&Uuid| last.is_none_or(|last| !last.mitras.contains(id));
        Unconsidered {
            requests: requests.into_iter().map(|it| it.id).collect(),
            known: known.into_iter().map(|it| it.id).collect(),
            newcomers: available.iter().filter(is_new).copied().collect(),
            forgotten: memory.forgotten,
        }
    }

    /// Notes that they have been.
    pub(crate) fn remember(
        &self,
        done: &Unconsidered,
        open: &[Open],
        available: &[Uuid],
        now: Timestamp,
    ) {
        let mut memory = self.lock();
        if memory.forgotten == done.forgotten {
            memory.last = Some(Look {
                at: now,
                requests: open.iter().map(|it| (it.id, it.expires_at)).collect(),
                mitras: available.iter().copied().collect(),
            });
        } else {
            memory.last = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000)
    }

    fn mitras(numbers: &HashSet<u128>) -> Vec<Uuid> {
        numbers
            .iter()
            .map(|number| Uuid::from_u128(*number))
            .collect()
    }

    fn requests(numbers: &HashSet<u128>) -> Vec<Open> {
        let open = |number: &u128| Open {
            id: Uuid::from_u128(*number),
            expires_at: at(1000),
            is_wave_due: false,
        };
        numbers.iter().map(open).collect()
    }

    #[test]
    fn what_was_considered_is_not_considered_again() {
        let considered = Considered::default();
        let look = |open: &[u128], available: &[u128], second| {
            let open = requests(&open.iter().copied().collect());
            let available = mitras(&available.iter().copied().collect());
            let plan = considered.compare(&open, &available, at(second));
            considered.remember(&plan, &open, &available, at(second));
            (plan.requests.len(), plan.known.len(), plan.newcomers.len())
        };
        assert_eq!(look(&[1, 2], &[1, 2, 3], 0), (2, 0, 3));
        assert_eq!(look(&[1, 2], &[1, 2, 3], 1), (0, 2, 0));
        assert_eq!(look(&[1, 2, 3], &[1, 2, 3], 2), (1, 2, 0));
        assert_eq!(look(&[1, 2, 3], &[2, 3], 3), (0, 3, 0));
        assert_eq!(look(&[1, 2, 3], &[1, 2, 3], 4), (0, 3, 1), "it was away");
        assert_eq!(look(&[1], &[1], 8), (1, 0, 1), "the memory is too old");
    }

    #[derive(Clone, Debug)]
    enum Turn {
        /// A look that finds these requests and mitras, and does not get to its end if it is cut off.
        Look {
            open: HashSet<u128>,
            available: HashSet<u128>,
            is_cut_off: bool,
        },
        /// A mitra's offers are withdrawn, in the middle of a look or not.
        Withdraw(u128),
        Pause(i64),
    }

    fn turn() -> impl Strategy<Value = Turn> {
        let some = || proptest::collection::hash_set(1u128..6, 0..6);
        prop_oneof![
            6 => (some(), some(), proptest::bool::weighted(0.2)).prop_map(|(open, available, is_cut_off)| {
                Turn::Look { open, available, is_cut_off }
            }),
            2 => (1u128..6).prop_map(Turn::Withdraw),
            1 => (1i64..6).prop_map(Turn::Pause),
        ]
    }

    proptest! {
        /// Whatever comes, goes, is withdrawn or fails: after a whole look every pair in it has an offer.
        #[test]
        fn no_pair_is_left_out(turns in proptest::collection::vec(turn(), 0..60)) {
            let considered = Considered::default();
            let (mut offers, mut second) = (HashSet::new(), 0);
            for turn in turns {
                match turn {
                    Turn::Pause(seconds) => second += seconds,
                    Turn::Withdraw(mitra) => {
                        let mitra = Uuid::from_u128(mitra);
                        offers.retain(|(_, of)| *of != mitra);
                        considered.forget(mitra);
                    }
                    Turn::Look { open, available, is_cut_off } => {
                        let (open, available) = (requests(&open), mitras(&available));
                        let plan = considered.compare(&open, &available, at(second));
                        let pairs = |requests: &[Uuid], mitras: &[Uuid]| -> Vec<(Uuid, Uuid)> {
                            let of = |request: Uuid| mitras.iter().map(move |mitra| (request, *mitra));
                            requests.iter().copied().flat_map(of).collect()
                        };
                        offers.extend(pairs(&plan.requests, &available));
                        if is_cut_off {
                            continue;
                        }
                        offers.extend(pairs(&plan.known, &plan.newcomers));
                        considered.remember(&plan, &open, &available, at(second));
                        for pair in pairs(&open.iter().map(|it| it.id).collect::<Vec<_>>(), &available) {
                            prop_assert!(offers.contains(&pair), "{pair:?} was left out");
                        }
                    }
                }
            }
        }
    }
}
