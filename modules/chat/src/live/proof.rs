//! Whether a message has reached a live socket of somebody, anywhere: asked when it matters, not kept.
//!
//! Keeping it would cost a write for every message and socket. So whoever has to know asks over the bus,
//! and each process that has a socket to which the message went pings it: a pong says that the socket's
//! other end has it, since it comes after the message on the same stream. Who does not answer in time has
//! not got it; a lost event makes a push too many, never one too few.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use halobestie_core::BoxError;
use halobestie_core::bus::{Bus, Event, Subscription};
use halobestie_core::ports::{Arrival, Side};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use crate::state::State;

/// Where processes with sockets are asked.
const ASKED: &str = "chat.proof";
/// How long an answer may take: a round trip of a bad network.
const WITHIN: Duration = Duration::from_secs(1);
/// Sockets that are asked at once by a process; who is beyond that counts as not reached.
const ASKING_MAX: usize = 10_000;

/// A message and whom it went to, on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Went(Uuid, Uuid, i64);

impl Went {
    fn of(it: &Arrival) -> Self {
        Self(it.side.session_id, it.side.user_id, it.seq)
    }

    fn arrival(self) -> Arrival {
        let Self(session_id, user_id, seq) = self;
        let side = Side {
            session_id,
            user_id,
        };
        Arrival { side, seq }
    }
}

#[derive(Serialize, Deserialize)]
struct Question {
    reply_to: String,
    went: Vec<Went>,
}

type Waiting = Mutex<HashMap<Arrival, Vec<oneshot::Sender<()>>>>;

/// Asks for this process.
pub(crate) struct Proofs {
    bus: Bus,
    reply_to: String,
    waiting: Waiting,
}

impl Proofs {
    /// `process_id`: of this process and no other.
    pub(crate) fn new(bus: Bus, process_id: Uuid) -> Self {
        Self {
            bus,
            reply_to: format!("{ASKED}:{process_id}"),
            waiting: Mutex::default(),
        }
    }

    /// Listens to the answers. To be called before anything is asked.
    pub(crate) fn listen(&self) -> Subscription {
        self.bus.subscribe(&self.reply_to)
    }

    /// Those of these messages that a live socket of whom they went to has. Takes a second where one has not.
    pub(crate) async fn of(&self, arrivals: &[Arrival]) -> HashSet<Arrival> {
        let answers: Vec<_> = arrivals
            .iter()
            .map(|it| (*it, self.wait_for(*it)))
            .collect();
        let question = Question {
            reply_to: self.reply_to.clone(),
            went: arrivals.iter().map(Went::of).collect(),
        };
        if let Ok(question) = serde_json::to_vec(&question) {
            self.bus.publish(ASKED, question);
        }
        let answered = answers.into_iter().map(|(arrival, answer)| async move {
            let is_proven = matches!(timeout(WITHIN, answer).await, Ok(Ok(())));
            is_proven.then_some(arrival)
        });
        let proven = join_all(answered).await.into_iter().flatten().collect();
        self.forget_unanswered();
        proven
    }

    fn wait_for(&self, arrival: Arrival) -> oneshot::Receiver<()> {
        let (answer, answered) = oneshot::channel();
        self.with(|waiting| waiting.entry(arrival).or_default().push(answer));
        answered
    }

    fn answered(&self, arrival: Arrival) {
        for answer in self
            .with(|waiting| waiting.remove(&arrival))
            .into_iter()
            .flatten()
        {
            // Who has stopped waiting knows enough.
            let _ = answer.send(());
        }
    }

    fn forget_unanswered(&self) {
        self.with(|waiting| {
            waiting.retain(|_, answers| {
                answers.retain(|it| !it.is_closed());
                !answers.is_empty()
            });
        });
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut HashMap<Arrival, Vec<oneshot::Sender<()>>>) -> T,
    ) -> T {
        work(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The service `chat-proofs`: takes the answers.
pub(crate) async fn hear(state: Arc<State>, mut answers: Subscription) -> Result<(), BoxError> {
    loop {
        let event = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            event = answers.next() => event,
        };
        if let Event::Message(bytes) = event
            && let Ok(went) = serde_json::from_slice::<Went>(&bytes)
        {
            state.proofs.answered(went.arrival());
        }
    }
}

/// The service `chat-witness`: answers for the sockets of this process.
pub(crate) async fn testify(state: Arc<State>) -> Result<(), BoxError> {
    let mut questions = state.bus.subscribe(ASKED);
    let mut asking = FuturesUnordered::new();
    loop {
        let event = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            Some(()) = asking.next() => continue,
            event = questions.next() => event,
        };
        let Event::Message(bytes) = event else {
            continue;
        };
        let Ok(question) = serde_json::from_slice::<Question>(&bytes) else {
            continue;
        };
        let reply_to: Arc<str> = question.reply_to.into();
        for went in question.went {
            if asking.len() < ASKING_MAX
                && let Some(proof) = ask(&state, went, reply_to.clone())
            {
                asking.push(proof.boxed());
            }
        }
    }
}

/// Asks the sockets to which a message went; `None` where there are none.
fn ask(
    state: &State,
    went: Went,
    reply_to: Arc<str>,
) -> Option<impl Future<Output = ()> + Send + 'static> {
    let Arrival { side, seq } = went.arrival();
    let sockets = state.hub.of(side.user_id).into_iter();
    let told = sockets.filter(|it| it.positions().has_been_told(side.session_id, seq));
    let proofs: FuturesUnordered<_> = told.map(|it| it.prove()).collect();
    if proofs.is_empty() {
        return None;
    }
    let bus = state.bus.clone();
    Some(async move {
        // A socket that closes drops its answer: then another one may still give it.
        let mut proofs = proofs.filter(|proof| std::future::ready(proof.is_ok()));
        if let Ok(Some(_)) = timeout(WITHIN, proofs.next()).await
            && let Ok(answer) = serde_json::to_vec(&went)
        {
            bus.publish(&reply_to, answer);
        }
    })
}
