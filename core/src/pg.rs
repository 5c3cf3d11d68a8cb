//! Postgres: one pool, prepared statements, a deadline on every checkout and every statement.
//!
//! A statement that runs into its deadline poisons its connection, which is then closed instead of
//! going back: a frozen server must not hand a stuck connection to the next request. The invariant to
//! keep: nobody else in the project touches deadpool or tokio-postgres's client.

mod connection;
mod error;
mod pool_figures;
mod tls;

use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use prometheus::{Histogram, IntCounter};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;

use self::pool_figures::PoolFigures;
use crate::metrics::Metrics;
use crate::problem::BoxError;

pub use self::connection::{Client, Tx};
pub use self::error::DbError;
/// A row of an answer, for the functions that read one.
pub use tokio_postgres::Row;

/// Parameters of a statement.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

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
    /// Authorities to trust for TLS in place of the public ones, as PEM.
    pub ca: Option<String>,
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
    /// When the URL or the authorities cannot be read.
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
            _ => Manager::from_config(config, tls::connector(options.ca.as_deref())?, recycling),
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
            Ok(Ok(object)) => Ok(Client::new(object, self.timeout, self.statements.clone())),
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

    /// Connections at most.
    pub fn pool_size(&self) -> usize {
        self.pool.status().max_size
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
