//! One subscriber's queue. An empty one holds no buffer: there are tens of thousands.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::Event;

/// Events that wait for one subscriber at most. One more, and all are dropped for a `Lost`.
pub(super) const EVENTS_MAX: usize = 1024;

/// A bounded queue with one reader.
pub(super) struct Queue {
    state: Mutex<State>,
    news: Notify,
}

struct State {
    events: VecDeque<Bytes>,
    lost: bool,
    live: bool,
}

impl Queue {
    /// An empty queue; `live` says whether events of other processes reach it.
    pub(super) fn new(live: bool) -> Self {
        let state = State {
            events: VecDeque::new(),
            lost: false,
            live,
        };
        Self {
            state: Mutex::new(state),
            news: Notify::new(),
        }
    }

    /// Queues an event; how many were dropped for it.
    pub(super) fn push(&self, payload: Bytes) -> usize {
        let dropped = {
            let mut state = self.lock();
            if state.events.len() < EVENTS_MAX {
                state.events.push_back(payload);
                0
            } else {
                // The reader will read the truth, which is newer than all of these.
                let dropped = std::mem::take(&mut state.events).len() + 1;
                state.lost = true;
                dropped
            }
        };
        self.news.notify_one();
        dropped
    }

    /// Tells the reader that it may have missed something; several before it looks are one.
    pub(super) fn lose(&self) {
        self.lock().lost = true;
        self.news.notify_one();
    }

    /// Events of other processes arrive from now on. What came before may have been missed.
    pub(super) fn go_live(&self) {
        {
            let mut state = self.lock();
            state.live = true;
            state.lost = true;
        }
        self.news.notify_one();
    }

    /// Events of other processes no longer arrive.
    pub(super) fn cut(&self) {
        self.lock().live = false;
    }

    /// Waits until events of other processes arrive, and forgives what was lost until then.
    pub(super) async fn ready(&self) {
        loop {
            {
                let mut state = self.lock();
                if state.live {
                    state.lost = false;
                    return;
                }
            }
            self.news.notified().await;
        }
    }

    /// Waits for the next event.
    pub(super) async fn next(&self) -> Event {
        loop {
            if let Some(event) = self.lock().take() {
                return event;
            }
            // A notice that came between the look and this is kept for it.
            self.news.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.lost) {
            return Some(Event::Lost);
        }
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        event.map(Event::Message)
    }
}
