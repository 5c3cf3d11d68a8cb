//! One socket, from its sign-in to its end: what it waits for, and what ends it.
//!
//! A connection does one thing at a time: while it writes a message to Postgres it reads nothing, so a
//! client's messages keep their order and a flood stays in the client's own buffers.
//!
//! Most sockets are idle, and there are many: what is done once or now and then is boxed, so that a socket
//! that waits holds no room for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use halobestie_core::bus::{Event, Subscription};
use halobestie_core::http::ws::{CloseCode, Received, SendError, Socket, close};
use halobestie_core::ports::Principal;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, debug, info_span};

use super::envelope::Envelope;
use super::frames::{Greeted, ServerFrame};
use super::hub::{Local, Presence};
use super::positions::Positions;
use super::sign_in::sign_in;
use super::visiting::Shown;
use super::welcomes::Welcome;
use crate::state::{State, topic};

/// How long after `hello` live messages of sessions that went on before wait for the client's `resume`:
/// one round trip of a bad network.
const RESUME_GRACE: Duration = Duration::from_secs(1);
/// Among how many frames that are here already a late `resume` is looked for.
const WAITING_FRAMES_MAX: usize = 8;
/// Sockets are told to come back within this time, each at another moment.
const RECONNECT_SPREAD_MS: u64 = 5_000;

/// How a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// We close it.
    Close(&'static CloseCode),
    /// It is gone already.
    Gone,
}

impl From<SendError> for Ending {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::Gone,
            SendError::TooSlow => Self::Close(&close::FLOODING),
        }
    }
}

/// A signed-in socket.
pub(crate) struct Connection {
    pub(super) state: Arc<State>,
    pub(super) socket: Socket,
    pub(super) principal: Principal,
    /// Whether a browser's cookie signed in: its session is asked after, where a token must be followed
    /// by a newer one.
    pub(super) by_cookie: bool,
    pub(super) local: Arc<Local>,
    pub(super) events: Subscription,
    /// Until when messages of earlier sessions are held back.
    pub(super) held_until: Option<Instant>,
    ping_at: Instant,
    pong_by: Option<Instant>,
    _presence: Presence,
}

/// What a connection wakes up for.
enum Woken {
    Frame(Received),
    Event(Event),
    Mail(Envelope),
    Ping,
    Asked,
    NoPong,
    HoldOver,
    TokenOver,
    Revoked,
    Draining,
}

/// Runs a socket to its end.
pub(crate) fn run(
    state: Arc<State>,
    socket: Socket,
    shown: Shown,
) -> impl Future<Output = ()> + Send {
    // Boxed before it is awaited: what an `async fn` is given, it keeps room for to its end.
    let beginning = begin(state, socket, shown).boxed();
    async {
        let Some(mut connection) = beginning.await else {
            return;
        };
        let span = info_span!("chat.socket", user.id = %connection.principal.user_id);
        async {
            let ending = connection.serve().await;
            debug!(?ending, "a socket ends");
            let state = connection.state.clone();
            finish(state, connection.socket, ending).boxed().await;
        }
        .instrument(span)
        .await;
    }
}

/// From the handshake to a signed-in connection; `None` where there will be none.
async fn begin(state: Arc<State>, mut socket: Socket, shown: Shown) -> Option<Box<Connection>> {
    let by_cookie = matches!(shown, Shown::Cookie(_));
    let principal = match sign_in(&state, &mut socket, shown).await {
        Ok(principal) => principal,
        Err(ending) => {
            finish(state, socket, ending).await;
            return None;
        }
    };
    let mut welcomed = Connection::open(state.clone(), socket, principal, by_cookie).await?;
    match welcomed.connection.greet(welcomed.welcome).await {
        Ok(()) => Some(welcomed.connection),
        Err(ending) => {
            finish(state, welcomed.connection.socket, ending).await;
            None
        }
    }
}

/// A connection that has not been greeted.
struct Welcomed {
    connection: Box<Connection>,
    welcome: Welcome,
}

async fn finish(state: Arc<State>, socket: Socket, ending: Ending) {
    if let Ending::Close(code) = ending {
        let closed = &state.metrics.closed;
        closed.with_label_values(&[&code.code.to_string()]).inc();
        socket.close(code).await;
    }
}

impl Connection {
    /// Listens first and reads the positions then: what happens in between comes as an event.
    async fn open(
        state: Arc<State>,
        socket: Socket,
        principal: Principal,
        by_cookie: bool,
    ) -> Option<Welcomed> {
        let events = state.bus.subscribe(&topic(principal.user_id));
        let welcome = state.welcomes.of(principal.user_id, principal.role).await;
        let welcome = match welcome {
            Ok(welcome) => welcome,
            // Postgres is away: nothing could be promised on this socket. Clients come back later.
            Err(error) => {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    user.id = %principal.user_id,
                    "a socket cannot be opened"
                );
                finish(state, socket, Ending::Close(&close::DRAINING)).await;
                return None;
            }
        };
        let positions = Positions::starting_at(principal.user_id, &welcome.sessions);
        let connection_id = state.entropy.uuid(&state.clock);
        let local = Local::new(connection_id, &principal, positions);
        let _presence = state.hub.enter(local.clone());
        let now = Instant::now();
        let connection = Box::new(Self {
            ping_at: now + state.ping_every,
            state,
            socket,
            principal,
            by_cookie,
            local,
            events,
            held_until: None,
            pong_by: None,
            _presence,
        });
        Some(Welcomed {
            connection,
            welcome,
        })
    }

    async fn serve(&mut self) -> Ending {
        self.held_until = Some(Instant::now() + RESUME_GRACE);
        loop {
            let woken = self.wait().await;
            if let Err(ending) = self.handle(woken).boxed().await {
                return ending;
            }
        }
    }

    async fn greet(&mut self, welcome: Welcome) -> Result<(), Ending> {
        // A revocation between the sign-in and the hub would have been told to nobody.
        let sign_in = self.local.auth_session_id();
        if self.state.authenticator.is_revoked(sign_in) {
            return Err(Ending::Close(&close::REVOKED));
        }
        // A name is a courtesy; the socket works without it.
        let (display_name, language) = match welcome.person {
            Some(person) => (person.display_name, person.language),
            None => Default::default(),
        };
        let user = Greeted {
            id: self.principal.user_id,
            role: self.principal.role,
            display_name,
            language,
        };
        let (connection_id, server_time) = (self.local.connection_id, self.state.clock.now());
        self.say(&ServerFrame::Hello {
            connection_id,
            server_time,
            user,
        })
        .await?;
        for offer in welcome.offers {
            if let Some(envelope) = super::events::offer(&offer) {
                self.deliver(envelope).await?;
            }
        }
        Ok(())
    }

    async fn wait(&mut self) -> Woken {
        let (due_at, due) = self.due();
        tokio::select! {
                received = self.socket.receive() => Woken::Frame(received),
                event = self.events.next() => Woken::Event(event),
                envelope = self.local.mail() => Woken::Mail(envelope),
                () = sleep_until(due_at) => due,
        () = self.local.asked.notified() => Woken::Asked,
                () = self.state.clock.sleep_until(self.principal.expires_at) => Woken::TokenOver,
                () = self.local.revoked.notified() => Woken::Revoked,
                () = self.state.lifecycle.soft().cancelled() => Woken::Draining,
            }
    }

    /// The next moment of our own, and what it is for: one timer does for all of them.
    fn due(&self) -> (Instant, Woken) {
        let mut due = (self.ping_at, Woken::Ping);
        for (at, why) in [
            (self.pong_by, Woken::NoPong),
            (self.held_until, Woken::HoldOver),
        ] {
            if let Some(at) = at.filter(|at| *at < due.0) {
                due = (at, why);
            }
        }
        due
    }

    async fn handle(&mut self, woken: Woken) -> Result<(), Ending> {
        match woken {
            Woken::Frame(received) => self.receive(received).await,
            Woken::Event(Event::Message(bytes)) => match Envelope::from_bytes(&bytes) {
                Some(envelope) => self.deliver(envelope).await,
                None => Ok(()),
            },
            Woken::Event(Event::Lost) => {
                self.state.hub.has_lost(&self.local);
                Ok(())
            }
            Woken::Mail(envelope) => self.deliver(envelope).await,
            Woken::Ping | Woken::Asked => self.ping().await,
            Woken::NoPong => self.last_chance().await,
            Woken::HoldOver => self.hold_over().await,
            Woken::TokenOver => self.token_over().await,
            Woken::Revoked => Err(Ending::Close(&close::REVOKED)),
            Woken::Draining => {
                let reconnect_after_ms = self.state.entropy.below(RECONNECT_SPREAD_MS);
                self.say(&ServerFrame::Draining { reconnect_after_ms })
                    .await?;
                Err(Ending::Close(&close::DRAINING))
            }
        }
    }

    /// The browser gets its newer cookie with its next call; here it is enough that the session goes on.
    async fn token_over(&mut self) -> Result<(), Ending> {
        let sessions = self.state.cookie_sessions.get();
        let Some(sessions) = sessions.filter(|_| self.by_cookie) else {
            return Err(Ending::Close(&close::NOT_SIGNED_IN));
        };
        match sessions.renew(&self.principal).await {
            Ok(Some((principal, _))) => self.principal = principal,
            Ok(None) => return Err(Ending::Close(&close::REVOKED)),
            // Postgres is away: clients come back later.
            Err(_) => return Err(Ending::Close(&close::DRAINING)),
        }
        Ok(())
    }

    async fn receive(&mut self, received: Received) -> Result<(), Ending> {
        match received {
            Received::Text(text) => self.take(&text).await,
            Received::Pong => {
                self.pong_by = None;
                self.local.has_proven();
                Ok(())
            }
            Received::Binary | Received::TooLarge => Err(Ending::Close(&close::BAD_FRAME)),
            Received::Closed => Err(Ending::Close(&close::NORMAL)),
        }
    }

    async fn ping(&mut self) -> Result<(), Ending> {
        self.socket.ping().await?;
        let now = Instant::now();
        self.ping_at = now + self.state.ping_every;
        // The first that is not answered counts, however many follow it.
        self.pong_by.get_or_insert(now + self.state.socket_patience);
        Ok(())
    }

    /// The resume may be here already, behind something of ours that took long.
    async fn hold_over(&mut self) -> Result<(), Ending> {
        for _ in 0..WAITING_FRAMES_MAX {
            match self.socket.receive().now_or_never() {
                Some(received) => self.receive(received).await?,
                None => break,
            }
        }
        self.release().await
    }

    /// The pong may be waiting behind a long write of ours: whatever has come in is a sign of life.
    async fn last_chance(&mut self) -> Result<(), Ending> {
        match self.socket.receive().now_or_never() {
            Some(received) => {
                self.pong_by = None;
                self.receive(received).await
            }
            None => Err(Ending::Gone),
        }
    }
}
