//! A lock in Postgres that a process runs into, so that it can be killed right there.

use halobestie_core::pg::{Client, Query};
use halobestie_testkit::{TestDb, eventually};

/// A transaction of the test's own that holds a lock until it is let go.
pub(super) struct Stall {
    database: TestDb,
    holder: Client,
}

impl Stall {
    /// Takes a lock by this statement. `LOCK TABLE … IN SHARE MODE` lets everybody read, and nobody write.
    pub(super) async fn by(database: &TestDb, sql: &'static str) -> Self {
        let holder = database.db().client().await.unwrap();
        holder.execute("BEGIN", &[]).await.unwrap();
        holder.execute(sql, &[]).await.unwrap();
        Self {
            database: database.clone(),
            holder,
        }
    }

    /// Waits until a statement that begins so waits for the lock.
    pub(super) async fn reached(&self, statement: &str) {
        const SQL: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1)";
        let pattern = format!("{statement}%");
        eventually(&format!("{statement} waits"), || async {
            self.database.row(SQL, &[&pattern]).await.get(0)
        })
        .await;
    }

    /// Lets whoever waits go on.
    pub(super) async fn lift(self) {
        self.holder.execute("ROLLBACK", &[]).await.unwrap();
    }

    /// Lets go, once whoever waits has been killed: Postgres would end a dead process's statement yet.
    pub(super) async fn let_go(self) {
        const SQL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.database.row(SQL, &[]).await;
        self.lift().await;
    }
}
