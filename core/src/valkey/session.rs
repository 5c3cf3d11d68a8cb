//! A session: the connections between one closing of the circuit and the next opening, owned by bb8.
//!
//! Connections are multiplexed: a command borrows one for the moment that it takes to clone its
//! handle, so that many share it and go out together. All are made at once and none is ever replaced;
//! bb8's retries, reaper and checks are off, because a connection that fails ends the session.

use std::future::Future;
use std::time::Duration;

use bb8_redis::RedisConnectionManager;
use bb8_redis::bb8::{ManageConnection, Pool, RunError};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, RedisResult};
use tokio::time::timeout;

use super::{CONNECT_TIMEOUT, ValkeyError, bounded};

/// Connections of one age.
pub(super) struct Session {
    pool: Pool<RedisConnectionManager>,
}

impl Session {
    /// Tries the server on a connection that is thrown away, then makes the session's own.
    pub(super) async fn connect(
        manager: &RedisConnectionManager,
        pool_size: u32,
        trial: &Pipeline,
    ) -> Result<Self, ValkeyError> {
        bounded(CONNECT_TIMEOUT, try_out(manager, trial)).await?;
        let pool = Pool::builder()
            .max_size(pool_size)
            .min_idle(pool_size)
            .test_on_check_out(false)
            .retry_connection(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .connection_timeout(CONNECT_TIMEOUT)
            .build(manager.clone());
        Ok(Self {
            pool: bounded(CONNECT_TIMEOUT, pool).await?,
        })
    }

    /// Asks a question on one of the connections; an answer or a failure in time.
    pub(super) async fn ask<T, F>(
        &self,
        within: Duration,
        question: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, ValkeyError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let answer = async {
            let mut connection = (*self.pool.get().await?).clone();
            connection.set_response_timeout(within);
            Ok(question(connection).await?)
        };
        match timeout(within, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(ValkeyError::Deadline),
        }
    }

    /// Asks one of the connections for a sign of life; the next call asks the next one.
    pub(super) async fn ping(&self, within: Duration) -> Result<(), ValkeyError> {
        let ping = Cmd::ping();
        self.ask(within, |mut connection| async move {
            ping.query_async(&mut connection).await
        })
        .await
    }
}

impl From<RunError<RedisError>> for ValkeyError {
    fn from(error: RunError<RedisError>) -> Self {
        match error {
            RunError::User(error) => Self::Command(error),
            RunError::TimedOut => Self::Deadline,
        }
    }
}

async fn try_out(manager: &RedisConnectionManager, trial: &Pipeline) -> RedisResult<()> {
    let mut connection = manager.connect().await?;
    connection.set_response_timeout(CONNECT_TIMEOUT);
    trial.query_async(&mut connection).await
}
