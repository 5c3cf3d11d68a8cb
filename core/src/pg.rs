//! Postgres: one pool, prepared statements, a deadline on every checkout and every statement.
//!
//! A statement that runs into its deadline poisons its connection, which is then closed instead of
//! going back: a frozen server must not hand a stuck connection to the next request. The invariant to
//! keep: nobody else in the project touches deadpool or tokio-postgres's client.

mod pool_figures;

use std::error::Error as _;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{GenericClient, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use prometheus::{Histogram, IntCounter};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use self::pool_figures::PoolFigures;
use crate::metrics::Metrics;
use crate::problem::{BoxError, Coded, ErrorCode, codes};

/// A row of an answer, for the functions that read one.
pub use tokio_postgres::Row;

/// Parameters of a statement.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Why Postgres did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had: Postgres is away, or the pool was empty for too long.
    #[error("cannot get a database connection")]
    Unavailable(#[source] BoxError),
    /// The statement did not answer in time.
    #[error("a database statement ran into its deadline")]
    Deadline,
    /// Postgres refused the statement, or the connection broke under it.
    #[error("a database statement failed")]
    Statement(#[from] tokio_postgres::Error),
    /// A statement that must return a row returned none, or a stored value is not what it must be.
    #[error("unexpected database content: {0}")]
    Content(&'static str),
}

impl DbError {
    /// Whether Postgres is away, as against a statement that is wrong.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Deadline => true,
            Self::Content(_) => false,
            Self::Statement(error) => match error.code() {
                // Class 57: the server is shutting down or starting; 53: out of resources;
                // 25006: a standby that was promoted away under us.
                Some(state) => {
                    state.code().starts_with("57")
                        || state.code().starts_with("53")
                        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
                }
                None => error.is_closed() || is_io(error),
            },
        }
    }

    /// The name of the unique constraint that a statement ran into, if it did.
    pub fn unique_violation(&self) -> Option<&str> {
        let Self::Statement(error) = self else {
            return None;
        };
        let refusal = error.as_db_error()?;
        (*refusal.code() == SqlState::UNIQUE_VIOLATION)
            .then(|| refusal.constraint().unwrap_or_default())
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error
        .source()
        .is_some_and(|cause| cause.is::<std::io::Error>())
}

impl Coded for DbError {
    fn code(&self) -> &'static ErrorCode {
        if self.is_unavailable() {
            &codes::DEPENDENCY_UNAVAILABLE
        } else {
            &codes::INTERNAL
        }
    }
}

/// A statement that can be run on a connection or inside a transaction.
pub trait Query: Sync {
    /// All rows of a statement.
    fn rows(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> impl Future<Output = Result<Vec<Row>, DbError>> + Send;

    /// How many rows a statement touched.
    fn execute(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> impl Future<Output = Result<u64, DbError>> + Send;

    /// The first row, if there is one.
    fn row_opt(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> impl Future<Output = Result<Option<Row>, DbError>> + Send {
        async move { Ok(self.rows(sql, params).await?.into_iter().next()) }
    }

    /// The first row of a statement that always returns one.
    fn row(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> impl Future<Output = Result<Row, DbError>> + Send {
        async move {
            self.row_opt(sql, params)
                .await?
                .ok_or(DbError::Content("a statement returned no row"))
        }
    }
}

/// How to reach Postgres.
#[derive(Clone, Debug)]
pub struct PgOptions {
    /// A `postgres://` URL; `sslmode=require` and `prefer` are honoured with rustls.
    pub url: SecretString,
    /// Connections at most.
    pub pool_size: usize,
    /// The deadline of a checkout, and of each statement.
    pub timeout: Duration,
}

/// The pool. Clones share it.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    timeout: Duration,
    statements: IntCounter,
    checkout_seconds: Histogram,
}

impl Db {
    /// Makes the pool. Connects nowhere yet: an absent Postgres is found out by the first checkout.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(options: &PgOptions, metrics: &Metrics) -> Result<Self, BoxError> {
        let mut config: tokio_postgres::Config = options.url.expose_secret().parse()?;
        config
            .connect_timeout(options.timeout)
            .keepalives_idle(Duration::from_secs(30))
            .tcp_user_timeout(options.timeout * 2);
        if config.get_application_name().is_none() {
            config.application_name("halobestie");
        }
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, recycling),
            _ => Manager::from_config(config, tls(), recycling),
        };
        let pool = Pool::builder(manager).max_size(options.pool_size).build()?;
        metrics.collect(PoolFigures::new(pool.clone())?);
        Ok(Self {
            pool,
            timeout: options.timeout,
            statements: metrics.counter(
                "halobestie_db_statements_total",
                "Statements sent to Postgres.",
            ),
            checkout_seconds: metrics.histogram(
                "halobestie_db_checkout_seconds",
                "Time to get a connection from the pool.",
            ),
        })
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] within the deadline.
    pub async fn client(&self) -> Result<Client, DbError> {
        let _timer = self.checkout_seconds.start_timer();
        match timeout(self.timeout, self.pool.get()).await {
            Ok(Ok(object)) => Ok(Client {
                object: Some(object),
                poisoned: AtomicBool::new(false),
                timeout: self.timeout,
                statements: self.statements.clone(),
            }),
            Ok(Err(error)) => Err(DbError::Unavailable(Box::new(error))),
            Err(elapsed) => Err(DbError::Unavailable(Box::new(elapsed))),
        }
    }

    /// Asks for a sign of life, within one second.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), DbError> {
        let answer = timeout(Duration::from_secs(1), async {
            self.client().await?.rows("SELECT 1", &[]).await
        });
        answer.await.map_err(|_| DbError::Deadline)?.map(|_| ())
    }

    /// How many statements this process has sent; tests count with it.
    pub fn statement_count(&self) -> u64 {
        self.statements.get()
    }

    /// Closes every connection; later checkouts fail.
    pub fn close(&self) {
        self.pool.close();
    }
}

impl Query for Db {
    async fn rows(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        self.client().await?.rows(sql, params).await
    }

    async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, DbError> {
        self.client().await?.execute(sql, params).await
    }
}

fn tls() -> tokio_postgres_rustls::MakeRustlsConnect {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tokio_postgres_rustls::MakeRustlsConnect::new(config)
}

/// A connection on loan.
pub struct Client {
    // Always there until `drop`.
    object: Option<Object>,
    poisoned: AtomicBool,
    timeout: Duration,
    statements: IntCounter,
}

impl Client {
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
