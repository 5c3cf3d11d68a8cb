//! Migrations: refinery per module, one history table each, all under one advisory lock.
//!
//! Run by the command `migrate`, never on boot. A server that finds pending or diverged migrations
//! refuses to start and names them.

use std::fmt;
use std::time::Duration;

use refinery_core::{Migration as RefineryMigration, Runner};
use tracing::{info, warn};

use crate::pg::{Client, Db, DbError, Query};
use crate::problem::BoxError;

/// One step of a module's schema, compiled in with `include_str!`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name without `.sql`: `0001_sessions`.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// The migrations of one module, or of core.
#[derive(Clone, Copy, Debug)]
pub struct MigrationSet {
    /// Whose.
    pub module: &'static str,
    /// Oldest first.
    pub migrations: &'static [Migration],
}

/// Core's own tables.
pub const CORE: MigrationSet = MigrationSet {
    module: "core",
    migrations: &[
        Migration {
            name: "0001_foundation",
            sql: include_str!("../../migrations/core/0001_foundation.sql"),
        },
        Migration {
            name: "0002_jobs",
            sql: include_str!("../../migrations/core/0002_jobs.sql"),
        },
        Migration {
            name: "0003_oversight",
            sql: include_str!("../../migrations/core/0003_oversight.sql"),
        },
    ],
};

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Applied, and the file is what was applied.
    Applied,
    /// Not applied yet.
    Pending,
    /// Applied, but the file has changed since.
    Diverged,
    /// Applied, but this binary does not know it: the binary is older than the schema.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Diverged => "diverged",
            Self::Unknown => "unknown",
        })
    }
}

/// A migration and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whose.
    pub module: &'static str,
    /// `0001_sessions`.
    pub name: String,
    /// Where it stands.
    pub state: State,
}

/// Why migrations could not be run or checked.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres.
    #[error("cannot reach the database")]
    Db(#[from] DbError),
    /// A file's name is not `NNNN_what`.
    #[error("migration {0} is not named like 0001_what")]
    Name(String),
    /// A statement failed; its migration is rolled back, those before it stay.
    #[error("cannot migrate module {module}")]
    Failed {
        /// Whose.
        module: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Somebody else migrates.
    #[error("another migration is running and did not end within {} s", LOCK_WAIT.as_secs())]
    Locked,
    /// The schema is not what this binary was made for.
    #[error("{}", refusal(.0))]
    NotCurrent(Vec<Status>),
}

fn refusal(wrong: &[Status]) -> String {
    let list: Vec<String> = wrong
        .iter()
        .map(|it| format!("  {} {}/{}", it.state, it.module, it.name))
        .collect();
    let advice = if wrong.iter().any(|it| it.state == State::Diverged) {
        "an applied migration must never be edited: restore its text, or the backup"
    } else {
        "run the command `migrate`"
    };
    format!(
        "the database schema is not current:\n{}\n{advice}",
        list.join("\n")
    )
}

/// The advisory lock's key: the bytes of "halobest".
const LOCK_KEY: i64 = 0x68_61_6c_6f_62_65_73_74;
/// How long to wait for another migration.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// Between two tries for the lock. A blocking wait could deadlock against `CREATE INDEX CONCURRENTLY`,
/// which waits for every older snapshot.
const LOCK_RETRY: Duration = Duration::from_millis(200);

/// Applies what is pending; what was applied, oldest first.
///
/// # Errors
/// See [`MigrateError`].
pub async fn run(db: &Db, sets: &[MigrationSet]) -> Result<Vec<Status>, MigrateError> {
    let mut client = db.client().await?;
    lock(&client).await?;
    let result = run_locked(&mut client, sets).await;
    // The lock belongs to the connection: if this fails, closing it gives the lock back.
    let _ = client
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK_KEY])
        .await;
    result
}

async fn lock(client: &Client) -> Result<(), MigrateError> {
    let tries = LOCK_WAIT.as_millis() / LOCK_RETRY.as_millis();
    for _ in 0..tries {
        let row = client
            .row("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY])
            .await?;
        if row.get(0) {
            return Ok(());
        }
        tokio::time::sleep(LOCK_RETRY).await;
    }
    Err(MigrateError::Locked)
}

async fn run_locked(
    client: &mut Client,
    sets: &[MigrationSet],
) -> Result<Vec<Status>, MigrateError> {
    let mut applied = Vec::new();
    for set in sets {
        let report = runner(set)?
            .run_async(client.raw()?)
            .await
            .map_err(|error| failed(set, error))?;
        for migration in report.applied_migrations() {
            let name = file_name(migration);
            info!(module = set.module, migration = name, "migration applied");
            applied.push(Status {
                module: set.module,
                name,
                state: State::Applied,
            });
        }
    }
    Ok(applied)
}

/// Where every migration stands. Changes nothing.
///
/// # Errors
/// See [`MigrateError`].
pub async fn status(db: &Db, sets: &[MigrationSet]) -> Result<Vec<Status>, MigrateError> {
    let mut client = db.client().await?;
    let mut all = Vec::new();
    for set in sets {
        let applied = applied(&mut client, set).await?;
        let runner = runner(set)?;
        for ours in runner.get_migrations() {
            let theirs = applied.iter().find(|it| it.version() == ours.version());
            let state = match theirs {
                None => State::Pending,
                Some(theirs) if theirs.checksum() == ours.checksum() => State::Applied,
                Some(_) => State::Diverged,
            };
            all.push(Status {
                module: set.module,
                name: file_name(ours),
                state,
            });
        }
        let known: Vec<_> = runner
            .get_migrations()
            .iter()
            .map(RefineryMigration::version)
            .collect();
        for theirs in applied.iter().filter(|it| !known.contains(&it.version())) {
            let name = file_name(theirs);
            all.push(Status {
                module: set.module,
                name,
                state: State::Unknown,
            });
        }
    }
    Ok(all)
}

/// Refuses a schema that lacks something of ours, or has it otherwise. One that is newer is let pass
/// with a warning: during a deploy old code runs beside the expanded schema.
///
/// # Errors
/// [`MigrateError::NotCurrent`] naming what is pending or diverged.
pub async fn verify(db: &Db, sets: &[MigrationSet]) -> Result<(), MigrateError> {
    let mut wrong = status(db, sets).await?;
    for newer in wrong.iter().filter(|it| it.state == State::Unknown) {
        let (module, migration) = (newer.module, &newer.name);
        warn!(module, migration, "the schema is newer than this binary");
    }
    wrong.retain(|it| matches!(it.state, State::Pending | State::Diverged));
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(MigrateError::NotCurrent(wrong))
    }
}

async fn applied(
    client: &mut Client,
    set: &MigrationSet,
) -> Result<Vec<RefineryMigration>, MigrateError> {
    // refinery would create the history table to read it; looking must not write.
    const EXISTS: &str = "SELECT to_regclass($1::text) IS NOT NULL";
    if !client
        .row(EXISTS, &[&history_table(set)])
        .await?
        .get::<_, bool>(0)
    {
        return Ok(Vec::new());
    }
    let mut runner = runner(set)?;
    runner
        .set_migration_table_name(history_table(set))
        .get_applied_migrations_async(client.raw()?)
        .await
        .map_err(|error| failed(set, error))
}

fn runner(set: &MigrationSet) -> Result<Runner, MigrateError> {
    let mut migrations = Vec::new();
    for it in set.migrations {
        // Files are `0001_what.sql`; refinery wants `V1__what`.
        let (version, what) = it
            .name
            .split_once('_')
            .ok_or_else(|| MigrateError::Name(it.name.to_owned()))?;
        let name = format!("V{}__{what}", version.trim_start_matches('0'));
        let migration = RefineryMigration::unapplied(&name, it.sql)
            .map_err(|_| MigrateError::Name(it.name.to_owned()))?;
        migrations.push(migration);
    }
    let mut runner = Runner::new(&migrations).set_abort_missing(false);
    runner.set_migration_table_name(history_table(set));
    Ok(runner)
}

fn history_table(set: &MigrationSet) -> String {
    format!("migrations_{}", set.module)
}

fn file_name(migration: &RefineryMigration) -> String {
    format!("{:04}_{}", migration.version(), migration.name())
}

fn failed(set: &MigrationSet, error: refinery_core::Error) -> MigrateError {
    MigrateError::Failed {
        module: set.module,
        source: Box::new(error),
    }
}
