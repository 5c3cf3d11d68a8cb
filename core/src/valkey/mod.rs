//! Valkey: a pool for commands, a circuit in front of it, a notice on every (re)connect.
//!
//! Valkey is a mirror. Nothing may fail because of it, and nothing may wait for it longer than one
//! deadline: the first failure opens the circuit, and while it is open commands fail at once. A keeper
//! in the background closes it again. Since every failure may have lost a write, closing it counts as
//! a reconnect, and whoever mirrors anything reseeds then.
//!
//! The invariant to keep: all connections of a session are made together, before the circuit closes,
//! and thrown away together when it opens. So no command ever reaches a server that came back empty
//! without the reconnect having been told.

pub(crate) mod backoff;
mod circuit;
mod error;
mod keeper;
mod meters;
mod session;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{Client, Cmd, FromRedisValue, IntoConnectionInfo, Pipeline, RedisResult};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::warn;

use self::circuit::Circuit;
use self::keeper::Keeper;
use self::meters::Meters;
use self::session::Session;
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::problem::BoxError;

pub use self::error::ValkeyError;
/// The client library, for its commands and conversions: modules need no dependency of their own.
pub use redis;

/// The longest that one attempt to connect may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How to reach Valkey.
#[derive(Clone, Debug)]
pub struct ValkeyOptions {
    /// A `redis://`, `rediss://`, `valkey://` or `valkeys://` URL. TLS trusts the public roots.
    pub url: SecretString,
    /// Put before every key and channel.
    pub key_prefix: String,
    /// The deadline of every command, the checkout included.
    pub timeout: Duration,
    /// How many connections; commands share them, so a few carry very many.
    pub pool_size: u32,
}

/// The client. Clones share the pool and the circuit.
#[derive(Clone)]
pub struct Valkey {
    shared: Arc<Shared>,
}

/// What the clones and the keeper share.
struct Shared {
    client: Client,
    key_prefix: String,
    timeout: Duration,
    circuit: Circuit,
    meters: Meters,
}

impl Valkey {
    /// Makes the client and connects in the background, at once. Until the first connect the circuit
    /// is open: commands fail without waiting; a start that wants more calls
    /// [`Valkey::first_connect`]. To be called inside the runtime.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(
        options: ValkeyOptions,
        metrics: &Metrics,
        lifecycle: &Lifecycle,
    ) -> Result<Self, BoxError> {
        // Without TCP_NODELAY, Nagle's algorithm holds a command back while another is in flight.
        let server = options
            .url
            .expose_secret()
            .into_connection_info()?
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let shared = Arc::new(Shared {
            client: Client::open(server)?,
            key_prefix: options.key_prefix,
            timeout: options.timeout,
            circuit: Circuit::default(),
            meters: Meters::new(metrics),
        });
        let keeper = Keeper::new(shared.clone(), options.pool_size)?;
        lifecycle.spawn_carrier("valkey-keeper", keeper.run(lifecycle.last().clone()));
        Ok(Self { shared })
    }

    /// Waits for the first connect, `within` at most; whether it has happened. For the start, so that
    /// the mirrors can be seeded before the listeners bind.
    pub async fn first_connect(&self, within: Duration) -> bool {
        let mut connects = self.connects();
        let connected = connects.wait_for(|connects| *connects > 0);
        matches!(timeout(within, connected).await, Ok(Ok(_)))
    }

    /// Runs one command. Connections are shared: nothing that blocks (`BLPOP`) or changes the
    /// connection (`SELECT`, `SUBSCRIBE`, `WATCH`) may be sent.
    ///
    /// # Errors
    /// Within the deadline, whatever happens; at once while the circuit is open.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, ValkeyError> {
        self.ask(1, |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Runs a pipeline in one round trip. It has one deadline in all and missing it opens the circuit,
    /// so send no more than about a thousand commands at once.
    ///
    /// # Errors
    /// Within the deadline, whatever happens; at once while the circuit is open.
    pub async fn run_all<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, ValkeyError> {
        let commands = pipeline.len();
        self.ask(commands, |mut connection| async move {
            pipeline.query_async(&mut connection).await
        })
        .await
    }

    /// A key with the prefix before it.
    pub fn key(&self, name: &str) -> String {
        self.shared.key(name)
    }

    /// Counts the (re)connects; changes when the circuit closes after having been open, and once at
    /// the first connect. Zero means never connected.
    pub fn connects(&self) -> watch::Receiver<u64> {
        self.shared.circuit.connects()
    }

    /// Whether commands are being sent.
    pub fn is_up(&self) -> bool {
        self.shared.circuit.session().is_some()
    }

    /// For connections of another kind to the same server, which their owner bounds by the same
    /// deadline.
    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    /// The deadline of every command.
    pub(crate) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    async fn ask<T, F>(
        &self,
        commands: usize,
        question: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, ValkeyError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let Some(session) = self.shared.circuit.session() else {
            self.shared.meters.count_error(&ValkeyError::CircuitOpen);
            return Err(ValkeyError::CircuitOpen);
        };
        let timer = self.shared.meters.start(commands);
        let answer = session.ask(self.shared.timeout, question).await;
        drop(timer);
        if let Err(error) = &answer {
            self.shared.meters.count_error(error);
            self.shared.fail(&session, error);
        }
        answer
    }
}

impl Shared {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.key_prefix)
    }

    /// Opens the circuit if the error says that Valkey is away, once for all who saw it fail.
    fn fail(&self, session: &Arc<Session>, error: &ValkeyError) {
        if error.is_away() && self.circuit.open(session) {
            self.meters.show_circuit(false);
            warn!(
                error = error as &dyn std::error::Error,
                "valkey is away: commands fail at once"
            );
        }
    }
}

/// Work on a connection, with a deadline.
pub(crate) async fn bounded<T>(
    within: Duration,
    work: impl Future<Output = RedisResult<T>>,
) -> Result<T, ValkeyError> {
    match timeout(within, work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(ValkeyError::Deadline),
    }
}
