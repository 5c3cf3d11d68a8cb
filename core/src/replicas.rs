//! Which processes are alive: each signs a row of its own now and then.

use serde::Serialize;
use tracing::debug;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::about::{About, VERSION};
use crate::pg::{DbError, Query};
use crate::timestamp::Timestamp;

/// A process that was alive a moment ago.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Replica {
    /// Its id; another after every start.
    pub id: Uuid,
    /// `all`, `api` or `worker`.
    pub role: String,
    /// What it was built from.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said so.
    pub seen_at: Timestamp,
}

/// Says that this process is alive. Best effort: a row that cannot be written is written next time.
pub(crate) async fn sign(db: &impl Query, about: &About, now: Timestamp) {
    const SQL: &str = "INSERT INTO replicas (id, role, version, started_at, seen_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at";
    let role = about.role.as_str();
    let params: crate::pg::Params<'_> =
        &[&about.replica_id, &role, &VERSION, &about.started_at, &now];
    if let Err(error) = db.execute(SQL, params).await {
        let error = &error as &dyn std::error::Error;
        debug!(error, "cannot sign as alive");
    }
}

/// Says that this process is going. Best effort as well.
pub(crate) async fn sign_off(db: &impl Query, about: &About) {
    const SQL: &str = "DELETE FROM replicas WHERE id = $1";
    let _ = db.execute(SQL, &[&about.replica_id]).await;
}

/// The processes that signed after `since`, those that started first first.
///
/// # Errors
/// When Postgres does not answer.
pub async fn alive(db: &impl Query, since: Timestamp) -> Result<Vec<Replica>, DbError> {
    const SQL: &str = "SELECT id, role, version, started_at, seen_at FROM replicas
        WHERE seen_at > $1 ORDER BY started_at, id LIMIT 1000";
    let rows = db.rows(SQL, &[&since]).await?;
    let replicas = rows.iter().map(|row| Replica {
        id: row.get("id"),
        role: row.get("role"),
        version: row.get("version"),
        started_at: row.get("started_at"),
        seen_at: row.get("seen_at"),
    });
    Ok(replicas.collect())
}
