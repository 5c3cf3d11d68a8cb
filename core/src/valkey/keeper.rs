//! The keeper: the one task that connects. It closes the circuit when Valkey answers, looks every
//! second whether it still does, so that an outage is found and told without traffic, and tries
//! again and again while it does not.

use std::sync::Arc;
use std::time::Duration;

use bb8_redis::RedisConnectionManager;
use redis::Pipeline;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::session::Session;
use super::{Shared, ValkeyError};
use crate::problem::BoxError;

/// Between two looks at a server that answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Opens sessions, one after the other.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    manager: RedisConnectionManager,
    pool_size: u32,
    trial: Pipeline,
    backoff: Backoff,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>, pool_size: u32) -> Result<Self, BoxError> {
        Ok(Self {
            manager: RedisConnectionManager::new(shared.client.get_connection_info().clone())?,
            // bb8 panics when asked for none.
            pool_size: pool_size.max(1),
            trial: trial(&shared.key("trial")),
            backoff: Backoff::new(),
            shared,
        })
    }

    /// Keeps the circuit until the token turns.
    pub(super) async fn run(mut self, last: CancellationToken) {
        let keep = async {
            loop {
                let session = Arc::new(self.connect().await);
                let since = Instant::now();
                self.shared.circuit.close(session.clone());
                self.shared.meters.show_circuit(true);
                info!(
                    connects = *self.shared.circuit.connects().borrow(),
                    "valkey is connected"
                );
                self.look_after(session).await;
                self.backoff.failed_after(since);
                self.backoff.wait().await;
            }
        };
        last.run_until_cancelled(keep).await;
    }

    /// Tries until there is a session.
    async fn connect(&mut self) -> Session {
        let mut attempt = 1_u64;
        loop {
            let error = match Session::connect(&self.manager, self.pool_size, &self.trial).await {
                Ok(session) => return session,
                Err(error) => error,
            };
            self.log(attempt, &error);
            attempt += 1;
            self.backoff.wait().await;
        }
    }

    /// Returns when the session has failed, whoever found out.
    async fn look_after(&self, session: Arc<Session>) {
        while timeout(LOOK_EVERY, self.shared.circuit.opened())
            .await
            .is_err()
        {
            if let Err(error) = session.ping(self.shared.timeout).await {
                self.shared.fail(&session, &error);
            }
        }
    }

    /// Says the first failure of an outage aloud.
    fn log(&self, attempt: u64, error: &ValkeyError) {
        let error = error as &dyn std::error::Error;
        if attempt == 1 {
            warn!(error, "cannot connect to valkey; trying on");
        } else {
            debug!(attempt, error, "cannot connect to valkey");
        }
    }
}

/// What a server must be able to do before commands are sent to it: a write. A ping is answered by a
/// replica, by a full server and by one that cannot save as well. The key does not stay.
fn trial(key: &str) -> Pipeline {
    let mut trial = redis::pipe();
    trial
        .cmd("SET")
        .arg(key)
        .arg(1)
        .arg("PX")
        .arg(1000)
        .ignore();
    trial.cmd("DEL").arg(key).ignore();
    trial
}
