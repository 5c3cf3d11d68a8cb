//! What a test may ask of a whole Postgres server, as its superuser.

use std::path::PathBuf;

use tokio_postgres::{Client, Error, NoTls};

/// A connection to the database from which others are made.
pub(crate) struct Admin(Client);

impl Admin {
    pub(crate) async fn connect(url: &str) -> Self {
        let connected = Self::try_connect(url).await;
        connected.unwrap_or_else(|error| {
            panic!("no Postgres at TEST_DATABASE_URL, or of the test: {error}")
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the connection ends with its client"
    )]
    pub(crate) async fn try_connect(url: &str) -> Result<Self, Error> {
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

    pub(crate) async fn exists(&self, database: &str) -> bool {
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        self.0
            .query_opt(sql, &[&database])
            .await
            .expect("the catalog can be read")
            .is_some()
    }

    pub(crate) async fn clone_database(&self, name: &str, template: &str) {
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

    pub(crate) async fn run(&self, sql: &str) {
        self.0
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}
