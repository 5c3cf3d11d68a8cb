//! A database of a test's own, cloned from a template that was migrated once.
//!
//! The template's name is a hash of every migration, so a changed migration gets a new template and
//! tests that run at once, in whatever process, share one. It is built under a name of its own and
//! renamed when it is complete: a template that exists is whole. In a Postgres of the test's own there
//! is nothing to share: the database is migrated itself, and goes with its cluster.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Entry;
use halobestie_core::assemble::migration_sets;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::metrics::Metrics;
use halobestie_core::migrate::{self, MigrationSet};
use halobestie_core::pg::{Db, Params, PgOptions, Query};
use sha2::{Digest, Sha256};
use tokio_postgres::{NoTls, Row};

use crate::environment;
use crate::postgres_process::PostgresProcess;

/// A database. Clones share it; the last one to go drops it, unless its test failed.
#[derive(Clone)]
pub struct TestDb(Arc<Shared>);

struct Shared {
    name: String,
    url: String,
    server: Server,
    // The test's own way in, made at the first use.
    db: Db,
}

/// The server that a database is on.
enum Server {
    /// That of all tests: the database is dropped in the end.
    Shared,
    /// One of the test's own, by the URL of its first database.
    Own(String),
}

impl Server {
    fn url(&self) -> String {
        match self {
            Self::Shared => environment::database_url(),
            Self::Own(url) => url.clone(),
        }
    }
}

impl TestDb {
    /// Makes a database with the schema of these modules.
    pub async fn create(entries: &[Entry]) -> Self {
        let sets = migration_sets(entries);
        let template = template(&sets).await;
        Self::create_like(Some(&template)).await
    }

    /// Makes a database with the schema of these modules in a Postgres of the test's own.
    pub async fn create_in(postgres: &PostgresProcess, entries: &[Entry]) -> Self {
        const NAME: &str = "test";
        let admin = Admin::connect(&postgres.url()).await;
        admin.run(&format!("CREATE DATABASE {NAME}")).await;
        let made = Self::of(NAME.to_owned(), Server::Own(postgres.url()));
        migrate(made.url(), &migration_sets(entries)).await;
        made
    }

    /// Makes a database with nothing in it, for tests of migrations.
    pub async fn empty() -> Self {
        Self::create_like(None).await
    }

    async fn create_like(template: Option<&str>) -> Self {
        let id = Entropy::system().uuid(&Clock::system());
        let name = format!("test_{}", id.simple());
        Admin::connect(&environment::database_url())
            .await
            .clone_database(&name, template.unwrap_or("template0"))
            .await;
        Self::of(name, Server::Shared)
    }

    fn of(name: String, server: Server) -> Self {
        let url = url_of(&server.url(), &name, None);
        let db = open(&url);
        let shared = Shared {
            name,
            url,
            server,
            db,
        };
        Self(Arc::new(shared))
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub(crate) fn url_by(&self, proxy: Option<SocketAddr>) -> String {
        url_of(&self.0.server.url(), &self.0.name, proxy)
    }

    /// The test's own pool: statements sent here do not count as the server's.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// All rows of a statement of the test.
    pub async fn rows(&self, sql: &'static str, params: Params<'_>) -> Vec<Row> {
        self.0
            .db
            .rows(sql, params)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The first row of a statement of the test.
    pub async fn row(&self, sql: &'static str, params: Params<'_>) -> Row {
        self.0
            .db
            .row(sql, params)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// How many rows a statement of the test touched.
    pub async fn execute(&self, sql: &'static str, params: Params<'_>) -> u64 {
        self.0
            .db
            .execute(sql, params)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What a failed test left is worth a look; the cluster goes with `scripts/test` anyway.
        if std::thread::panicking() || matches!(self.server, Server::Own(_)) {
            return;
        }
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread, because a runtime may not be entered inside another one.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .expect("a runtime can be made")
                .block_on(administer(&drop_it));
        });
        // It does nothing worse than to leave the database behind.
        let _ = dropping.join();
    }
}

/// The name of the template with these migrations; makes it where it is missing.
async fn template(sets: &[MigrationSet]) -> String {
    let (name, lock) = name_of(sets);
    let server = environment::database_url();
    let admin = Admin::connect(&server).await;
    if admin.exists(&name).await {
        return name;
    }
    admin.run(&format!("SELECT pg_advisory_lock({lock})")).await;
    if !admin.exists(&name).await {
        let building = format!("{name}_building");
        admin
            .run(&format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"))
            .await;
        admin
            .run(&format!("CREATE DATABASE {building} TEMPLATE template0"))
            .await;
        migrate(&url_of(&server, &building, None), sets).await;
        admin
            .run(&format!("ALTER DATABASE {building} RENAME TO {name}"))
            .await;
    }
    // The lock goes with the connection.
    name
}

fn name_of(sets: &[MigrationSet]) -> (String, i64) {
    let mut hash = Sha256::new();
    for set in sets {
        hash.update(set.module);
        for migration in set.migrations {
            for text in [migration.name, migration.sql] {
                hash.update(text.len().to_le_bytes());
                hash.update(text);
            }
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    let number = i64::from_le_bytes(hash[..8].try_into().expect("eight bytes"));
    (format!("template_{number:016x}"), number)
}

async fn migrate(url: &str, sets: &[MigrationSet]) {
    let db = open(url);
    migrate::run(&db, sets)
        .await
        .expect("the migrations run on an empty database");
    db.close();
}

fn open(url: &str) -> Db {
    let options = PgOptions {
        url: url.into(),
        ca: None,
        pool_size: 4,
        timeout: Duration::from_secs(20),
    };
    Db::new(&options, &Metrics::default()).expect("TEST_DATABASE_URL is a URL")
}

async fn administer(sql: &str) {
    let admin = Admin::connect(&environment::database_url()).await;
    admin.run(sql).await;
}

/// A connection to the database from which others are made.
pub(crate) struct Admin(tokio_postgres::Client);

impl Admin {
    pub(crate) async fn connect(url: &str) -> Self {
        let connected = Self::try_connect(url).await;
        connected.unwrap_or_else(|error| panic!("no Postgres at {url}: {error}"))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the connection ends with its client"
    )]
    pub(crate) async fn try_connect(url: &str) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self(client))
    }

    /// The folder of the server's programs.
    pub(crate) async fn programs(&self) -> PathBuf {
        let sql = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
        let row = self.0.query_one(sql, &[]).await;
        row.expect("the tests' user may know")
            .get::<_, String>(0)
            .into()
    }

    /// The ids of the server's processes that serve others than this connection.
    pub(crate) async fn other_processes(&self) -> Vec<i32> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
        let rows = self.0.query(sql, &[]).await.expect("the view can be read");
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn exists(&self, database: &str) -> bool {
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        self.0
            .query_opt(sql, &[&database])
            .await
            .expect("the catalog can be read")
            .is_some()
    }

    async fn clone_database(&self, name: &str, template: &str) {
        // Copying files was the only way before Postgres 15, and is the fast one where nothing is
        // synced.
        let version = self
            .0
            .query_one("SELECT current_setting('server_version_num')::int", &[])
            .await;
        let version: i32 = version.expect("Postgres has a version").get(0);
        let strategy = if version >= 150_000 {
            "STRATEGY file_copy"
        } else {
            ""
        };
        self.run(&format!(
            "CREATE DATABASE {name} TEMPLATE {template} {strategy}"
        ))
        .await;
    }

    async fn run(&self, sql: &str) {
        self.0
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// A server's URL with another database, and another address where a proxy is in front.
fn url_of(server: &str, database: &str, proxy: Option<SocketAddr>) -> String {
    let (base, options) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, rest) = base.split_once("://").expect("TEST_DATABASE_URL is a URL");
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, address) = authority
        .rsplit_once('@')
        .unwrap_or(("postgres", authority));
    let address = proxy.map_or_else(|| address.to_owned(), |proxy| proxy.to_string());
    format!("{scheme}://{user}@{address}/{database}?{options}")
}
