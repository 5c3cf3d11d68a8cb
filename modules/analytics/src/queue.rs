//! Where events wait. Never more than [`EVENTS_MAX`]: the oldest make room.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use halobestie_core::metrics::Metrics;
use tokio::sync::Notify;

use crate::event::Told;
use crate::meters::Meters;

/// Events that wait at most: minutes of a busy server, a few hundred kilobytes.
pub(crate) const EVENTS_MAX: usize = 1_000;

/// The queue. Many put events in, one takes them out.
pub(crate) struct Queue {
    events: Mutex<VecDeque<Told>>,
    came: Notify,
    pub(crate) meters: Meters,
}

impl Queue {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            events: Mutex::default(),
            came: Notify::new(),
            meters: Meters::new(metrics),
        }
    }

    /// Adds the newest.
    pub(crate) fn push(&self, told: Told) {
        let mut events = self.events();
        if events.len() >= EVENTS_MAX {
            events.pop_front();
            self.meters.dropped().inc();
        }
        events.push_back(told);
        drop(events);
        self.came.notify_one();
    }

    /// Takes up to so many of the oldest.
    pub(crate) fn take(&self, most: usize) -> Vec<Told> {
        let mut events = self.events();
        let most = most.min(events.len());
        events.drain(..most).collect()
    }

    /// Puts back what was taken and not sent. Where newer ones have filled the room, the oldest of it go.
    pub(crate) fn give_back(&self, taken: Vec<Told>) {
        let mut events = self.events();
        let room = EVENTS_MAX.saturating_sub(events.len());
        let lost = taken.len().saturating_sub(room);
        for told in taken.into_iter().skip(lost).rev() {
            events.push_front(told);
        }
        drop(events);
        self.meters.dropped().inc_by(lost as u64);
    }

    /// Waits until so many wait. Cancel-safe; for the one who takes alone.
    pub(crate) async fn holds(&self, least: usize) {
        while self.events().len() < least {
            self.came.notified().await;
        }
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<Told>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use halobestie_core::Timestamp;
    use halobestie_core::ports::AnalyticsEvent;

    use super::*;

    fn told(number: usize) -> Told {
        Told {
            at: Timestamp::from_unix_ms(i64::try_from(number).unwrap()),
            event: AnalyticsEvent::new("tested"),
        }
    }

    fn numbers(told: &[Told]) -> Vec<i64> {
        told.iter().map(|it| it.at.unix_ms()).collect()
    }

    fn filled(events: usize) -> Queue {
        let queue = Queue::new(&Metrics::default());
        (0..events).for_each(|number| queue.push(told(number)));
        queue
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let queue = filled(EVENTS_MAX + 2);
        assert_eq!(queue.meters.dropped().get(), 2);
        assert_eq!(numbers(&queue.take(2)), [2, 3]);
    }

    #[test]
    fn what_is_given_back_is_the_first_again_as_far_as_there_is_room() {
        let queue = filled(5);
        let taken = queue.take(3);
        queue.give_back(taken);
        assert_eq!(numbers(&queue.take(9)), [0, 1, 2, 3, 4]);
        let queue = filled(EVENTS_MAX);
        let taken = queue.take(3);
        (0..2).for_each(|_| queue.push(told(7_000)));
        queue.give_back(taken);
        assert_eq!(queue.meters.dropped().get(), 2);
        assert_eq!(numbers(&queue.take(2)), [2, 3]);
    }
}
