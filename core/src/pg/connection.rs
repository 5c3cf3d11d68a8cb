//! A connection on loan and a transaction on it: each statement prepared, counted and bounded.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{GenericClient, Object};
use prometheus::IntCounter;
use tokio::time::timeout;

use super::{DbError, Params, Query, Row};

/// A connection on loan.
pub struct Client {
    // Always there until `drop`.
    object: Option<Object>,
    poisoned: AtomicBool,
    timeout: Duration,
    statements: IntCounter,
}

impl Client {
    pub(super) fn new(object: Object, timeout: Duration, statements: IntCounter) -> Self {
        Self {
            object: Some(object),
            poisoned: AtomicBool::new(false),
            timeout,
            statements,
        }
    }

    /// Opens a transaction (read committed). It rolls back when dropped without a commit.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub async fn begin(&mut self) -> Result<Tx<'_>, DbError> {
        let Some(object) = self.object.as_mut() else {
            return Err(DbError::Content("the connection was given back"));
        };
        self.statements.inc();
        match timeout(self.timeout, object.transaction()).await {
            Ok(Ok(inner)) => Ok(Tx {
                inner,
                poisoned: &self.poisoned,
                timeout: self.timeout,
                statements: &self.statements,
            }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => {
                self.poisoned.store(true, Ordering::Relaxed);
                Err(DbError::Deadline)
            }
        }
    }

    /// The connection as refinery wants it, for migrations alone.
    pub(crate) fn raw(&mut self) -> Result<&mut tokio_postgres::Client, DbError> {
        match self.object.as_mut() {
            // Object → deadpool's wrapper → tokio-postgres's client.
            Some(object) => Ok(&mut ***object),
            None => Err(DbError::Content("the connection was given back")),
        }
    }
}

impl Query for Client {
    async fn rows(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        let Some(object) = &self.object else {
            return Err(DbError::Content("no connection"));
        };
        self.statements.inc();
        bounded(self.timeout, &self.poisoned, rows(object, sql, params)).await
    }

    async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, DbError> {
        let Some(object) = &self.object else {
            return Err(DbError::Content("no connection"));
        };
        self.statements.inc();
        bounded(self.timeout, &self.poisoned, execute(object, sql, params)).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.poisoned.load(Ordering::Relaxed)
            && let Some(object) = self.object.take()
        {
            drop(Object::take(object));
        }
    }
}

/// A transaction. Commit it, or it rolls back.
pub struct Tx<'a> {
    inner: deadpool_postgres::Transaction<'a>,
    poisoned: &'a AtomicBool,
    timeout: Duration,
    statements: &'a IntCounter,
}

impl Tx<'_> {
    /// Commits.
    ///
    /// # Errors
    /// When Postgres refuses, or does not answer in time: then the outcome is unknown, and the caller
    /// must be able to ask again (idempotency keys, client message ids).
    pub async fn commit(self) -> Result<(), DbError> {
        self.statements.inc();
        let commit = async { self.inner.commit().await };
        bounded(self.timeout, self.poisoned, commit).await
    }
}

impl Query for Tx<'_> {
    async fn rows(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        self.statements.inc();
        bounded(self.timeout, self.poisoned, rows(&self.inner, sql, params)).await
    }

    async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, DbError> {
        self.statements.inc();
        bounded(
            self.timeout,
            self.poisoned,
            execute(&self.inner, sql, params),
        )
        .await
    }
}

async fn rows<C: GenericClient>(
    client: &C,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, params).await
}

async fn execute<C: GenericClient>(
    client: &C,
    sql: &str,
    params: Params<'_>,
) -> Result<u64, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, params).await
}

async fn bounded<T>(
    limit: Duration,
    poisoned: &AtomicBool,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DbError> {
    match timeout(limit, work).await {
        Ok(result) => Ok(result?),
        Err(_) => {
            poisoned.store(true, Ordering::Relaxed);
            Err(DbError::Deadline)
        }
    }
}
