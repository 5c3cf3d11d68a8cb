//! Delivers webhooks, by Xendit's timetable made short.
//!
//! One task posts, so many at once; what is due is a heap of ids, so that a webhook that was
//! forgotten meanwhile is not sent.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Delivery;
use super::book::Event;
use super::post::{Letter, Post};
use super::webhook::{ATTEMPTS_KEPT, Attempt, Forged, Outcome, State, Token, Webhook};
use crate::ring::Ring;

/// After the first attempt: six more, each so long after the one before.
const TIMETABLE: [Duration; 6] = [
    Duration::from_secs(15 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(24 * 3600),
];

/// Posts at once.
const POSTS_MAX: usize = 32;

/// The courier.
pub(crate) struct Courier {
    post: Post,
    clock: Clock,
    entropy: Entropy,
    desk: Mutex<Desk>,
    wake: Notify,
}

struct Desk {
    delivery: Delivery,
    webhooks: Ring<Webhook>,
    due: BinaryHeap<Reverse<(Instant, String)>>,
    holding: bool,
    /// The URL whose turn is next.
    turn: usize,
    /// Entries of `due` at most: some are of webhooks that were forgotten.
    due_max: usize,
}

impl Courier {
    pub(crate) fn new(
        post: Post,
        delivery: Delivery,
        (clock, entropy): (Clock, Entropy),
        keep: usize,
    ) -> Self {
        Self {
            post,
            clock,
            entropy,
            desk: Mutex::new(Desk {
                delivery,
                webhooks: Ring::new(keep),
                due: BinaryHeap::new(),
                holding: false,
                turn: 0,
                due_max: keep.saturating_mul(2),
            }),
            wake: Notify::new(),
        }
    }

    /// Takes an event to be told.
    pub(super) fn take(&self, event: Event) {
        let id = self.entropy.uuid(&self.clock).to_string();
        let mut desk = self.desk();
        let state = if desk.holding {
            State::Held
        } else {
            desk.schedule(Instant::now(), &id);
            State::Waiting
        };
        desk.webhooks.push(Webhook {
            id,
            at: self.clock.now(),
            about: event.about,
            what: event.what,
            body: event.body,
            state,
            attempts: Vec::new(),
            tries: 0,
        });
        drop(desk);
        self.wake.notify_one();
    }

    pub(super) fn webhooks(&self) -> Vec<Webhook> {
        self.desk().webhooks.iter().cloned().collect()
    }

    pub(super) fn configure(&self, change: impl FnOnce(&mut Delivery)) {
        change(&mut self.desk().delivery);
    }

    pub(super) fn token(&self) -> String {
        self.desk().delivery.token.clone()
    }

    /// From now on nothing is sent by itself.
    pub(super) fn hold(&self) {
        self.desk().holding = true;
    }

    /// Sends by itself again, and answers what was held meanwhile, oldest first.
    pub(super) fn release(&self) -> Vec<String> {
        let mut desk = self.desk();
        desk.holding = false;
        let held = desk.webhooks.iter().filter(|it| it.state == State::Held);
        held.map(|it| it.id.clone()).collect()
    }

    /// Forgets to send what is held: the receiver will never hear of it.
    pub(super) fn lose_held(&self) -> usize {
        let mut desk = self.desk();
        let held = desk
            .webhooks
            .iter_mut()
            .filter(|it| it.state == State::Held);
        held.map(|it| it.state = State::GivenUp).count()
    }

    /// Posts a webhook now, whatever its state. None: there is none of this id.
    pub(super) async fn deliver(&self, id: &str) -> Option<Outcome> {
        let letter = self.letter(id)?;
        let outcome = self.post.send(letter).await;
        self.note(id, outcome.clone());
        Some(outcome)
    }

    /// Posts something that is no webhook of ours.
    pub(super) async fn forge(&self, forged: Forged) -> Outcome {
        let letter = {
            let mut desk = self.desk();
            let token = match forged.token {
                Token::Ours => Some(desk.delivery.token.clone()),
                Token::None => None,
                Token::This(token) => Some(token),
            };
            let made = || self.entropy.uuid(&self.clock).to_string();
            let id = forged.id.map(|it| if it.is_empty() { made() } else { it });
            Letter {
                url: desk.next_url(),
                timeout: desk.delivery.timeout,
                token,
                id,
                content_type: forged.content_type,
                body: forged.body,
            }
        };
        self.post.send(letter).await
    }

    /// Delivers what is due, for as long as it is polled.
    pub(super) async fn run(&self) {
        let mut posts = FuturesUnordered::new();
        loop {
            while posts.len() < POSTS_MAX {
                let Some(id) = self.pop_due() else { break };
                posts.push(async move { self.deliver(&id).await });
            }
            let next = self.next_due().filter(|_| posts.len() < POSTS_MAX);
            let due = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(_) = posts.next() => {}
                // What came since the look above is kept for this wait.
                () = self.wake.notified() => {}
                () = due => {}
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.desk().due.peek().map(|Reverse((at, _))| *at)
    }

    /// A webhook whose time has come and that still waits.
    fn pop_due(&self) -> Option<String> {
        let mut desk = self.desk();
        loop {
            let Reverse((at, _)) = desk.due.peek()?;
            if *at > Instant::now() {
                return None;
            }
            let Reverse((_, id)) = desk.due.pop()?;
            let holding = desk.holding;
            match desk.webhooks.get_mut(&id) {
                Some(it) if it.state == State::Waiting && holding => it.state = State::Held,
                Some(it) if it.state == State::Waiting => return Some(id),
                _ => {}
            }
        }
    }

    fn letter(&self, id: &str) -> Option<Letter> {
        let mut desk = self.desk();
        let mut webhook = desk.webhooks.get(id)?.clone();
        if webhook.body.get("event").is_some() {
            // An envelope says when it was sent.
            webhook.body["created"] = serde_json::json!(self.clock.now());
        }
        let with_id = desk.delivery.with_id;
        Some(Letter {
            url: desk.next_url(),
            timeout: desk.delivery.timeout,
            token: Some(desk.delivery.token.clone()),
            id: with_id.then_some(webhook.id),
            content_type: "application/json".to_owned(),
            body: webhook.body.to_string().into_bytes(),
        })
    }

    /// Writes down an attempt, and when the next one is.
    fn note(&self, id: &str, outcome: Outcome) {
        let mut desk = self.desk();
        let speed = desk.delivery.speed;
        let Some(webhook) = desk.webhooks.get_mut(id) else {
            return;
        };
        if webhook.attempts.len() < ATTEMPTS_KEPT {
            webhook.attempts.push(Attempt {
                at: self.clock.now(),
                outcome: outcome.clone(),
            });
        }
        if outcome.is_success() {
            webhook.state = State::Delivered;
            return;
        }
        // What was delivered once needs no further attempt, even if a resend failed.
        if webhook.state == State::Delivered {
            return;
        }
        let wait = TIMETABLE
            .get(webhook.tries)
            .filter(|_| outcome.is_retried());
        let Some(wait) = wait else {
            webhook.state = State::GivenUp;
            return;
        };
        webhook.tries += 1;
        webhook.state = State::Waiting;
        desk.schedule(Instant::now() + wait.div_f64(speed), id);
        drop(desk);
        self.wake.notify_one();
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn schedule(&mut self, at: Instant, id: &str) {
        if self.due.len() >= self.due_max {
            let webhooks = &self.webhooks;
            self.due
                .retain(|Reverse((_, id))| webhooks.get(id).is_some());
        }
        self.due.push(Reverse((at, id.to_owned())));
    }

    /// The URLs take turns.
    fn next_url(&mut self) -> Option<String> {
        let urls = &self.delivery.urls;
        let url = urls.get(self.turn.checked_rem(urls.len())?).cloned();
        self.turn = self.turn.wrapping_add(1);
        url
    }
}
