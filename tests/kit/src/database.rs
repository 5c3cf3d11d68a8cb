//! A database of a test's own, cloned from a template that was migrated once.
//!
//! The template's name is a hash of every migration, so a changed migration gets a new template and
//! tests that run at once, in whatever process, share one. It is built under a name of its own and
//! renamed when it is complete: a template that exists is whole.

use std::net::SocketAddr;
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

/// A database. Clones share it; the last one to go drops it, unless its test failed.
#[derive(Clone)]
pub struct TestDb(Arc<Shared>);

struct Shared {
    name: String,
    url: String,
    // The test's own way in, made at the first use.
    db: Db,
}

impl TestDb {
    /// Makes a database with the schema of these modules.
    pub async fn create(entries: &[Entry]) -> Self {
        let sets = migration_sets(entries);
        let template = template(&sets).await;
        Self::create_like(Some(&template)).await
    }

    /// Makes a database with nothing in it, for tests of migrations.
    pub async fn empty() -> Self {
        Self::create_like(None).await
    }

    async fn create_like(template: Option<&str>) -> Self {
        let id = Entropy::system().uuid(&Clock::system());
        let name = format!("test_{}", id.simple());
        Admin::connect()
            .await
            .clone_database(&name, template.unwrap_or("template0"))
            .await;
        let url = url_of(&name, None);
        let db = open(&url);
        Self(Arc::new(Shared { name, url, db }))
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub(crate) fn url_by(&self, proxy: Option<SocketAddr>) -> String {
        url_of(&self.0.name, proxy)
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
        if std::thread::panicking() {
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
    let admin = Admin::connect().await;
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
        migrate(&url_of(&building, None), sets).await;
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
    Admin::connect().await.run(sql).await;
}

/// A connection to the database from which others are made.
struct Admin(tokio_postgres::Client);

impl Admin {
    #[expect(
        clippy::disallowed_methods,
        reason = "the connection ends with its client"
    )]
    async fn connect() -> Self {
        let url = environment::database_url();
        let (client, connection) = tokio_postgres::connect(&url, NoTls)
            .await
            .unwrap_or_else(|error| panic!("no Postgres at TEST_DATABASE_URL: {error}"));
        tokio::spawn(connection);
        Self(client)
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

/// The test URL with another database, and another address where a proxy is in front.
fn url_of(database: &str, proxy: Option<SocketAddr>) -> String {
    let url = environment::database_url();
    let (base, options) = url.split_once('?').unwrap_or((&url, ""));
    let (scheme, rest) = base.split_once("://").expect("TEST_DATABASE_URL is a URL");
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, address) = authority
        .rsplit_once('@')
        .unwrap_or(("postgres", authority));
    let address = proxy.map_or_else(|| address.to_owned(), |proxy| proxy.to_string());
    format!("{scheme}://{user}@{address}/{database}?{options}")
}
