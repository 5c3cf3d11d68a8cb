//! Who is asked first: all at once, or in waves, those who have been idle the longest before the others.
//!
//! Pure, but for the two settings. A mitra has been idle since it went online or its last session ended,
//! whichever was later. One that has a session open is not idle: it comes after all who are, and those
//! with fewer sessions come first. Where two are equal their ids decide, so that all replicas agree.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::settings::{Misfit, Setting, SettingValue, Settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::pairing::EXCLUSIVE;
use crate::store::idleness::Idleness;

const SIZE_MAX: u32 = 10_000;
const SECONDS_MAX: u32 = 3600;
/// Between two waves, where nothing else is set.
const SECONDS_DEFAULT: u32 = 10;

/// The setting `pairing.wave_size`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(maximum = 10_000)]
struct WaveSize(u32);

impl SettingValue for WaveSize {
    fn validate(&self) -> Result<(), Misfit> {
        at_most(self.0, SIZE_MAX)
    }
}

/// The setting `pairing.wave_seconds`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(maximum = 3600)]
struct WaveSeconds(u32);

impl SettingValue for WaveSeconds {
    fn validate(&self) -> Result<(), Misfit> {
        at_most(self.0, SECONDS_MAX)
    }
}

fn at_most(value: u32, most: u32) -> Result<(), Misfit> {
    if value > most {
        return Err(Misfit::at("", format!("expected 0 to {most}")));
    }
    Ok(())
}

/// How many are asked at once, and how long before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wave {
    pub(crate) size: usize,
    pub(crate) lasts: Duration,
}

/// The two settings.
pub(crate) struct WaveSettings {
    size: Setting<WaveSize>,
    seconds: Setting<WaveSeconds>,
}

impl WaveSettings {
    /// Declares them.
    pub(crate) fn declare(settings: &Settings) -> Self {
        Self {
            size: settings.declare(
                "pairing.wave_size",
                "How many mitras a wave asks, those idle the longest first; 0 asks all at once.",
                WaveSize(0),
            ),
            seconds: settings.declare(
                "pairing.wave_seconds",
                "Seconds before the next wave is asked; 0 asks all at once.",
                WaveSeconds(SECONDS_DEFAULT),
            ),
        }
    }

    /// The waves of now; `None` means that all are asked at once.
    pub(crate) fn current(&self) -> Option<Wave> {
        let (size, seconds) = (self.size.get().0, self.seconds.get().0);
        (size > 0 && seconds > 0).then(|| Wave {
            size: usize::try_from(size).unwrap_or(usize::MAX),
            lasts: Duration::from_secs(seconds.into()),
        })
    }
}

/// Orders mitras for waves: idle the longest first. One that nobody knows to be online comes after
/// those of whom it is known.
pub(crate) fn idle_longest_first(
    mut mitras: Vec<Idleness>,
    online_since: &HashMap<Uuid, Timestamp>,
) -> Vec<Uuid> {
    mitras.sort_unstable_by_key(|it| {
        let since = online_since.get(&it.mitra_id).copied();
        // `None` is before every instant: an unknown start of idleness sorts last by the flag.
        let idle_since = since.map(|online| it.last_ended_at.map_or(online, |end| end.max(online)));
        (
            it.open_sessions,
            Reverse(idle_since.is_some()),
            idle_since,
            it.mitra_id,
        )
    });
    mitras.into_iter().map(|it| it.mitra_id).collect()
}

/// Who is asked when a request is made, and for how long nobody else is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) mitra_ids: Vec<Uuid>,
    /// `None` once everybody has been asked.
    pub(crate) alone_for: Option<Duration>,
}

impl First {
    /// Of these candidates, in the order in which waves take them: the preferred one alone, if it is
    /// among them; otherwise the first wave, or all.
    pub(crate) fn of(candidates: &[Uuid], preferred: Option<Uuid>, wave: Option<Wave>) -> Self {
        if let Some(preferred) = preferred.filter(|id| candidates.contains(id)) {
            return Self {
                mitra_ids: vec![preferred],
                alone_for: Some(EXCLUSIVE),
            };
        }
        let (size, lasts) = match wave {
            Some(wave) if wave.size < candidates.len() => (wave.size, Some(wave.lasts)),
            _ => (candidates.len(), None),
        };
        Self {
            mitra_ids: candidates[..size].to_vec(),
            alone_for: lasts,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000)
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn mitra(number: u128, open_sessions: i64, last_ended: Option<i64>) -> Idleness {
        Idleness {
            mitra_id: id(number),
            open_sessions,
            last_ended_at: last_ended.map(at),
        }
    }

    #[test]
    fn idle_is_since_going_online_or_the_end_of_the_last_session() {
        let online: HashMap<_, _> = [(id(1), at(10)), (id(2), at(20)), (id(3), at(5))].into();
        // The first ended a session after the second came; the third had one before it came.
        let mitras = vec![
            mitra(1, 0, Some(30)),
            mitra(2, 0, None),
            mitra(3, 0, Some(1)),
        ];
        assert_eq!(idle_longest_first(mitras, &online), [id(3), id(2), id(1)]);
    }

    #[test]
    fn who_has_a_session_comes_after_all_who_have_none() {
        let online: HashMap<_, _> = [(id(1), at(1)), (id(2), at(2)), (id(3), at(90))].into();
        let mitras = vec![mitra(1, 2, None), mitra(2, 1, None), mitra(3, 0, None)];
        assert_eq!(idle_longest_first(mitras, &online), [id(3), id(2), id(1)]);
        let unknown = vec![mitra(9, 0, None), mitra(3, 0, None)];
        assert_eq!(idle_longest_first(unknown, &online), [id(3), id(9)]);
    }

    #[test]
    fn who_is_asked_first() {
        let (all, lasts) = ([id(1), id(2), id(3)], Duration::from_secs(10));
        let first = |preferred, size: Option<usize>| {
            let wave = size.map(|size| Wave { size, lasts });
            let First {
                mitra_ids,
                alone_for,
            } = First::of(&all, preferred, wave);
            (mitra_ids, alone_for)
        };
        assert_eq!(first(None, None), (all.to_vec(), None));
        assert_eq!(first(None, Some(2)), (vec![id(1), id(2)], Some(lasts)));
        // Nobody is left for a second wave, so who comes later is asked at once.
        assert_eq!(first(None, Some(3)), (all.to_vec(), None));
        assert_eq!(first(Some(id(3)), Some(2)), (vec![id(3)], Some(EXCLUSIVE)));
        assert_eq!(first(Some(id(9)), None), (all.to_vec(), None));
    }

    prop_compose! {
        fn crowd()(facts in proptest::collection::vec(
            (0i64..3, proptest::option::of(0i64..50), proptest::option::of(0i64..50)), 0..40,
        )) -> (Vec<Idleness>, HashMap<Uuid, Timestamp>) {
            let mut online = HashMap::new();
            let mitras = facts.into_iter().zip(1u128..).map(|((open, ended, since), number)| {
                online.extend(since.map(|since| (id(number), at(since))));
                mitra(number, open, ended)
            });
            (mitras.collect(), online)
        }
    }

    proptest! {
        /// Whatever order the candidates come in: everybody occurs once, the order is the same, and
        /// nobody idle is behind somebody who has been idle for less.
        #[test]
        fn the_order_is_fair_and_the_same_everywhere((mitras, online) in crowd(), turn in 0usize..40) {
            let order = idle_longest_first(mitras.clone(), &online);
            let mut shuffled = mitras.clone();
            shuffled.rotate_left(turn % mitras.len().max(1));
            shuffled.reverse();
            prop_assert_eq!(&order, &idle_longest_first(shuffled, &online));
            prop_assert_eq!(order.len(), mitras.len());
            let facts: HashMap<_, _> = mitras.iter().map(|it| (it.mitra_id, it)).collect();
            for pair in order.windows(2) {
                let [before, after] = [facts[&pair[0]], facts[&pair[1]]];
                prop_assert!(before.open_sessions <= after.open_sessions);
                let since = |it: &Idleness| {
                    let online = *online.get(&it.mitra_id)?;
                    Some(it.last_ended_at.map_or(online, |end| end.max(online)))
                };
                if let (true, Some(after)) =
                    (before.open_sessions == after.open_sessions, since(after))
                {
                    prop_assert!(since(before).is_some_and(|before| before <= after));
                }
            }
        }

        /// Wave after wave asks everybody exactly once, in order, and only the last is not full.
        #[test]
        fn waves_cover_everybody_once(people in 1u128..60, size in 1usize..20) {
            let everybody: Vec<Uuid> = (1..=people).map(id).collect();
            let wave = Wave { size, lasts: Duration::from_secs(1) };
            let (mut asked, mut left) = (Vec::new(), everybody.clone());
            loop {
                let first = First::of(&left, None, Some(wave));
                prop_assert!(!first.mitra_ids.is_empty() && first.mitra_ids.len() <= size);
                left.retain(|it| !first.mitra_ids.contains(it));
                asked.extend(first.mitra_ids);
                prop_assert_eq!(first.alone_for.is_none(), left.is_empty());
                if left.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(asked, everybody);
        }
    }
}
