//! One side of one session: it sends, drops its socket, comes back elsewhere and resumes, and holds the
//! server to its promise with every frame.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use halobestie_auth::testing::SignedIn;
use halobestie_core::entropy::Entropy;
use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::wire::{Wire, post};

/// Between two messages of one person.
const SEND_EVERY_MS: u64 = 600;
/// How long a person keeps a socket at most, while everybody talks.
const KEEP_MS: u64 = 3_000;
/// How long a message waits for its answer before it is sent again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// One message in so many goes over HTTP.
const BY_HTTP: u64 = 8;

/// What everybody does now.
#[derive(Clone)]
pub(super) enum Phase {
    /// Sends and drops.
    Talk,
    /// Sends nothing new.
    Finish,
    /// Listens until this number of each session has come.
    Listen(Arc<HashMap<Uuid, i64>>),
}

/// The servers that are up.
pub(super) type Addresses = Arc<RwLock<Vec<SocketAddr>>>;

/// What everybody does, as it changes.
pub(super) type Phases = watch::Receiver<Phase>;
/// How many have nothing open any more.
pub(super) type Done = Arc<RwLock<usize>>;

/// A person.
pub(super) struct Person {
    session_id: Uuid,
    me: SignedIn,
    chance: Entropy,
    story: Story,
    sent: u64,
    /// Sent and not acknowledged: when last.
    open: BTreeMap<String, Instant>,
    is_done: bool,
    /// Whether this socket's `resume` is answered. Before that, what is beyond the next number is
    /// dropped: a resume that comes late brings it again.
    is_resumed: bool,
}

/// What a person has lived through.
pub(super) struct Story {
    pub(super) session_id: Uuid,
    pub(super) user_id: Uuid,
    /// The ids of the messages that came, in the order in which they came for the first time.
    pub(super) heard: Vec<String>,
    /// The number of each message of its own that was acknowledged.
    pub(super) acknowledged: HashMap<String, i64>,
    pub(super) sockets: u64,
    pub(super) heard_again: u64,
    pub(super) too_early: u64,
}

impl Person {
    pub(super) fn new(session_id: Uuid, me: SignedIn, chance: &Entropy) -> Self {
        let story = Story {
            session_id,
            user_id: me.user_id,
            heard: Vec::new(),
            acknowledged: HashMap::new(),
            sockets: 0,
            heard_again: 0,
            too_early: 0,
        };
        Self {
            session_id,
            me,
            chance: Entropy::seeded(chance.below(u64::MAX)),
            story,
            sent: 0,
            open: BTreeMap::new(),
            is_done: false,
            is_resumed: false,
        }
    }

    /// Lives until everything has come.
    pub(super) async fn run(mut self, servers: Addresses, mut phase: Phases, done: Done) -> Story {
        while !self.has_heard_all(&phase) {
            self.connect_once(&servers, &mut phase, &done).await;
        }
        self.story
    }

    fn has_heard_all(&self, phase: &Phases) -> bool {
        match &*phase.borrow() {
            Phase::Talk | Phase::Finish => false,
            Phase::Listen(last) => self.last_seq() == last[&self.session_id],
        }
    }

    /// Says, once, that nothing is open and nothing new will be.
    async fn report(&mut self, phase: &Phases, done: &Done) {
        let is_talking = matches!(*phase.borrow(), Phase::Talk);
        if !is_talking && self.open.is_empty() && !std::mem::replace(&mut self.is_done, true) {
            *done.write().await += 1;
        }
    }

    fn last_seq(&self) -> i64 {
        i64::try_from(self.story.heard.len()).expect("a small number")
    }

    /// One socket, from its opening until it breaks or is dropped.
    async fn connect_once(&mut self, servers: &Addresses, phase: &mut Phases, done: &Done) {
        let Some(address) = self.any_server(servers).await else {
            return;
        };
        let Some(mut wire) = Wire::open(address, &self.me.access_token).await else {
            // Its server was killed and nobody has struck it off yet.
            return sleep(Duration::from_millis(self.chance.below(200))).await;
        };
        self.story.sockets += 1;
        let place = json!({"session_id": self.session_id, "after_seq": self.last_seq()});
        let resume = json!({"type": "resume", "sessions": [place]});
        self.is_resumed = false;
        if wire.send(&resume).await {
            // What was open on the socket before may have been lost with it.
            for asked in self.open.values_mut() {
                *asked = Instant::now() - ASK_AGAIN;
            }
            self.live_on(&mut wire, servers, phase, done).await;
        }
    }

    /// While everybody talks a socket is dropped at random; after that it is the server's to find what
    /// is missing.
    async fn live_on(
        &mut self,
        wire: &mut Wire,
        servers: &Addresses,
        phase: &mut Phases,
        done: &Done,
    ) {
        let drop_at = Instant::now() + Duration::from_millis(self.chance.below(KEEP_MS));
        let mut act_at = Instant::now();
        loop {
            let is_talking = matches!(*phase.borrow_and_update(), Phase::Talk);
            self.report(phase, done).await;
            if self.has_heard_all(phase) {
                return;
            }
            tokio::select! {
                frame = wire.next() => match frame {
                    Some(frame) => self.hear(&frame),
                    None => return,
                },
                () = sleep_until(act_at) => {
                    if !self.act(wire, servers, is_talking).await {
                        return;
                    }
                    let pause = 1 + self.chance.below(SEND_EVERY_MS);
                    act_at = Instant::now() + Duration::from_millis(pause);
                }
                () = sleep_until(drop_at), if is_talking => return,
                changed = phase.changed() => changed.expect("the run goes on"),
            }
        }
    }

    async fn any_server(&self, servers: &Addresses) -> Option<SocketAddr> {
        let servers = servers.read().await;
        let index = self.chance.below(servers.len() as u64);
        servers.get(usize::try_from(index).ok()?).copied()
    }

    /// Sends what is open again, and something new while everybody talks; false when the wire is gone.
    async fn act(&mut self, wire: &mut Wire, servers: &Addresses, is_talking: bool) -> bool {
        let late = self
            .open
            .iter()
            .filter(|(_, asked)| asked.elapsed() >= ASK_AGAIN);
        let mut marks: Vec<String> = late.map(|(mark, _)| mark.clone()).collect();
        if is_talking {
            self.sent += 1;
            marks.push(format!("{}-{}", self.me.user_id.simple(), self.sent));
        }
        for mark in marks {
            self.open.insert(mark.clone(), Instant::now());
            if self.chance.below(BY_HTTP) == 0 {
                self.send_by_http(&mark, servers).await;
            } else if !wire.send(&self.frame(&mark)).await {
                return false;
            }
        }
        true
    }

    fn frame(&self, mark: &str) -> Value {
        json!({"type": "message.send", "id": mark, "session_id": self.session_id,
            "client_message_id": mark, "kind": "text", "body": format!("says {mark}")})
    }

    async fn send_by_http(&mut self, mark: &str, servers: &Addresses) {
        let Some(address) = self.any_server(servers).await else {
            return;
        };
        let message = self.frame(mark);
        let answer = post(address, &self.me.access_token, self.session_id, &message).await;
        match answer {
            Some((200 | 201, message)) => self.acknowledge(&message),
            // Not now, or not heard: it stays open.
            Some((503, _)) | None => {}
            Some((status, body)) => panic!("a message was answered {status} {body}"),
        }
    }

    fn acknowledge(&mut self, message: &Value) {
        let mark = text(message, "client_message_id");
        let seq = message["seq"].as_i64().expect("a message has a number");
        self.open.remove(&mark);
        let before = self.story.acknowledged.insert(mark, seq);
        assert!(
            before.is_none_or(|before| before == seq),
            "two numbers: {message}"
        );
    }

    fn hear(&mut self, frame: &Value) {
        match frame["type"].as_str() {
            Some("message.new") => self.hear_message(&frame["message"]),
            Some("ack") => self.acknowledge(&frame["message"]),
            Some("error") => {
                let code = text(frame, "code");
                let may_come_again = ["dependency_unavailable", "overloaded"];
                assert!(may_come_again.contains(&&*code), "{frame}");
            }
            Some("resumed") => self.is_resumed = true,
            Some("hello" | "server.draining" | "session.updated") => {}
            _ => panic!("an unexpected frame: {frame}"),
        }
    }

    /// The promise: the next one, or one that came before; never one too many.
    fn hear_message(&mut self, message: &Value) {
        let (id, seq) = (text(message, "id"), message["seq"].as_i64());
        let seq = seq.expect("a message has a number");
        let next = self.last_seq() + 1;
        if seq > next && !self.is_resumed {
            self.story.too_early += 1;
            return;
        }
        assert!(seq <= next, "a gap: {seq} came where {next} was next");
        if seq == next {
            self.story.heard.push(id);
        } else {
            let index = usize::try_from(seq - 1).expect("numbers begin at 1");
            assert_eq!(
                self.story.heard[index], id,
                "another message of the same number"
            );
            self.story.heard_again += 1;
        }
    }
}

fn text(value: &Value, member: &str) -> String {
    let text = value[member].as_str();
    text.unwrap_or_else(|| panic!("{member} is no text in {value}"))
        .to_owned()
}
