//! All SQL of the module: one function a statement, named after what it returns or does.
//!
//! Statements that may touch many rows lock them in the order of their ids and skip what others hold,
//! so that replicas that sweep at once neither wait for each other nor deadlock. Their arrays come out
//! of subselects, so that the planner does not see how long they are: for a page of ids it would read
//! the whole table, a hundred times for a hundred pages.

use std::collections::HashMap;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Params, Query, Row};
use halobestie_core::ports::Seat;
use uuid::Uuid;

use crate::mitra::Mitra;

/// The columns of a [`Mitra`]. Named one by one: `*` would break prepared statements in the middle of
/// a deploy that adds a column.
macro_rules! columns {
    () => {
        "mitra_id, is_online, is_active, max_sessions, last_heartbeat_at, version"
    };
}

fn mitra(row: &Row) -> Mitra {
    Mitra {
        id: row.get(0),
        is_online: row.get(1),
        is_active: row.get(2),
        max_sessions: row.get(3),
        last_heartbeat_at: row.get(4),
        version: row.get(5),
    }
}

async fn mitras(
    db: &impl Query,
    sql: &'static str,
    params: Params<'_>,
) -> Result<Vec<Mitra>, DbError> {
    Ok(db.rows(sql, params).await?.iter().map(mitra).collect())
}

async fn mitra_opt(
    db: &impl Query,
    sql: &'static str,
    params: Params<'_>,
) -> Result<Option<Mitra>, DbError> {
    Ok(db.row_opt(sql, params).await?.as_ref().map(mitra))
}

/// One mitra.
pub(crate) async fn by_id(db: &impl Query, id: Uuid) -> Result<Option<Mitra>, DbError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM mitras WHERE mitra_id = $1");
    mitra_opt(db, SQL, &[&id]).await
}

/// Those of these mitras that there are.
pub(crate) async fn by_ids(db: &impl Query, ids: &[Uuid]) -> Result<Vec<Mitra>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM mitras WHERE mitra_id = ANY($1)"
    );
    mitras(db, SQL, &[&ids]).await
}

/// The next mitras in the order of their ids.
pub(crate) async fn page_after(
    db: &impl Query,
    after: Uuid,
    limit: usize,
) -> Result<Vec<Mitra>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM mitras WHERE mitra_id > $1 ORDER BY mitra_id LIMIT $2"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    mitras(db, SQL, &[&after, &limit]).await
}

/// Makes a mitra's row; `None` when there is one already.
pub(crate) async fn add(
    db: &impl Query,
    id: Uuid,
    max_sessions: i32,
    now: Timestamp,
) -> Result<Option<Mitra>, DbError> {
    const SQL: &str = concat!(
        "INSERT INTO mitras (mitra_id, max_sessions, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (mitra_id) DO NOTHING RETURNING ",
        columns!()
    );
    mitra_opt(db, SQL, &[&id, &max_sessions, &now]).await
}

/// Sets a mitra online, which counts as a heartbeat; `None` when it is deactivated.
pub(crate) async fn set_online(
    db: &impl Query,
    id: Uuid,
    max_sessions: i32,
    now: Timestamp,
) -> Result<Option<Mitra>, DbError> {
    const SQL: &str = concat!(
        "INSERT INTO mitras AS old (mitra_id, is_online, max_sessions, online_since,
                                    last_heartbeat_at, updated_at)
         VALUES ($1, true, $2, $3, $3, $3)
         ON CONFLICT (mitra_id) DO UPDATE SET
             is_online = true,
             online_since = CASE WHEN old.is_online THEN old.online_since ELSE $3 END,
             last_heartbeat_at = greatest(old.last_heartbeat_at, $3),
             version = old.version + 1,
             updated_at = $3
         WHERE old.is_active RETURNING ",
        columns!()
    );
    mitra_opt(db, SQL, &[&id, &max_sessions, &now]).await
}

/// Sets a mitra offline, also one that is: its version grows, so that the mirror follows.
pub(crate) async fn set_offline(
    db: &impl Query,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<Mitra>, DbError> {
    const SQL: &str = concat!(
        "UPDATE mitras SET is_online = false, online_since = NULL, version = version + 1,
                updated_at = $2
         WHERE mitra_id = $1 RETURNING ",
        columns!()
    );
    mitra_opt(db, SQL, &[&id, &now]).await
}

/// Says whether a mitra may work; one that may not is offline. Its row is made where it is missing.
pub(crate) async fn set_active(
    tx: &impl Query,
    id: Uuid,
    is_active: bool,
    max_sessions_default: i32,
    now: Timestamp,
) -> Result<Mitra, DbError> {
    const SQL: &str = concat!(
        "INSERT INTO mitras AS old (mitra_id, is_active, max_sessions, updated_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (mitra_id) DO UPDATE SET
             is_active = $2,
             is_online = old.is_online AND $2,
             online_since = CASE WHEN $2 THEN old.online_since END,
             version = old.version + 1,
             updated_at = $4
         RETURNING ",
        columns!()
    );
    let row = tx
        .row(SQL, &[&id, &is_active, &max_sessions_default, &now])
        .await?;
    Ok(mitra(&row))
}

/// Says how many sessions a mitra may have at once. Its row is made where it is missing.
pub(crate) async fn set_max_sessions(
    tx: &impl Query,
    id: Uuid,
    max_sessions: i32,
    now: Timestamp,
) -> Result<Mitra, DbError> {
    const SQL: &str = concat!(
        "INSERT INTO mitras AS old (mitra_id, max_sessions, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (mitra_id) DO UPDATE SET
             max_sessions = $2, version = old.version + 1, updated_at = $3
         RETURNING ",
        columns!()
    );
    Ok(mitra(&tx.row(SQL, &[&id, &max_sessions, &now]).await?))
}

/// Gives a mitra's next state its place in the order. Whoever has the highest version counts after
/// everyone with a lower one has committed, so its count is the right one.
pub(crate) async fn next_version(db: &impl Query, id: Uuid) -> Result<Option<Mitra>, DbError> {
    const SQL: &str = concat!(
        "UPDATE mitras SET version = version + 1 WHERE mitra_id = $1 RETURNING ",
        columns!()
    );
    mitra_opt(db, SQL, &[&id]).await
}

/// A mitra's seat, its row locked until the transaction ends.
pub(crate) async fn locked_seat(tx: &impl Query, id: Uuid) -> Result<Option<Seat>, DbError> {
    const SQL: &str =
        "SELECT max_sessions, is_online, is_active FROM mitras WHERE mitra_id = $1 FOR UPDATE";
    let row = tx.row_opt(SQL, &[&id]).await?;
    Ok(row.map(|row| Seat {
        max_sessions: row.get(0),
        is_online: row.get(1),
        is_active: row.get(2),
    }))
}

/// Whether a mitra is online, active and heard from after `stale_at`.
pub(crate) async fn is_reachable(
    db: &impl Query,
    id: Uuid,
    stale_at: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM mitras WHERE mitra_id = $1
        AND is_online AND is_active AND last_heartbeat_at > $2)";
    Ok(db.row(SQL, &[&id, &stale_at]).await?.get(0))
}

/// Those of these mitras that are offline or may not work.
pub(crate) async fn absent(db: &impl Query, ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT mitra_id FROM mitras
        WHERE mitra_id = ANY($1) AND NOT (is_online AND is_active)";
    let rows = db.rows(SQL, &[&ids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Everyone who is online, active and heard from after `stale_at`, with their limits.
pub(crate) async fn reachable(
    db: &impl Query,
    stale_at: Timestamp,
) -> Result<Vec<(Uuid, i32)>, DbError> {
    const SQL: &str = "SELECT mitra_id, max_sessions FROM mitras
        WHERE is_online AND is_active AND last_heartbeat_at > $1";
    let rows = db.rows(SQL, &[&stale_at]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// How many are online, by their own switch.
pub(crate) async fn count_online(db: &impl Query) -> Result<u64, DbError> {
    const SQL: &str = "SELECT count(*) FROM mitras WHERE is_online";
    let count: i64 = db.row(SQL, &[]).await?.get(0);
    Ok(count.try_into().unwrap_or(0))
}

/// Everyone who is online and may work.
pub(crate) async fn online(db: &impl Query) -> Result<Vec<Mitra>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM mitras WHERE is_online AND is_active"
    );
    mitras(db, SQL, &[]).await
}

/// Everyone who may work and is not online.
pub(crate) async fn offline(db: &impl Query) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT mitra_id FROM mitras WHERE is_active AND NOT is_online";
    Ok(db
        .rows(SQL, &[])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect())
}

/// Everyone who may not work.
pub(crate) async fn deactivated(db: &impl Query) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT mitra_id FROM mitras WHERE NOT is_active";
    Ok(db
        .rows(SQL, &[])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect())
}

/// Since when those of these mitras who are online have been.
pub(crate) async fn online_since(
    db: &impl Query,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Timestamp>, DbError> {
    const SQL: &str = "SELECT mitra_id, online_since FROM mitras
        WHERE mitra_id = ANY($1) AND is_online AND online_since IS NOT NULL";
    let rows = db.rows(SQL, &[&ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Those who may not work and were changed after `since`, the latest first.
pub(crate) async fn deactivated_since(
    db: &impl Query,
    since: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT mitra_id FROM mitras WHERE NOT is_active AND updated_at > $1
        ORDER BY updated_at DESC LIMIT 1000";
    let rows = db.rows(SQL, &[&since]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The guard of a heartbeat without a mirror.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    pub(crate) is_online: bool,
    pub(crate) is_active: bool,
}

/// Reads the guard and, where it lets the heartbeat pass, keeps it; `None` for an unknown mitra.
pub(crate) async fn heartbeat(
    db: &impl Query,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<Guard>, DbError> {
    const SQL: &str = "WITH kept AS (
            UPDATE mitras SET last_heartbeat_at = greatest(last_heartbeat_at, $2),
                   fallback_heartbeat_at = greatest(fallback_heartbeat_at, $2)
             WHERE mitra_id = $1 AND is_online AND is_active)
        SELECT is_online, is_active FROM mitras WHERE mitra_id = $1";
    let row = db.row_opt(SQL, &[&id, &now]).await?;
    Ok(row.map(|row| Guard {
        is_online: row.get(0),
        is_active: row.get(1),
    }))
}

/// Online mitras that the mirror has not heard from, column by column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Silent {
    pub(crate) ids: Vec<Uuid>,
    /// The version that the mirror shows: whoever has changed since is let be.
    pub(crate) versions: Vec<i64>,
    /// Whether the mirror has no heartbeat at all, so that Postgres alone must judge.
    pub(crate) is_lost: Vec<bool>,
}

/// The instants at which heartbeats are stale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StaleAt {
    /// In the mirror, and where Postgres stood in for it.
    pub(crate) mirror: Timestamp,
    /// In Postgres, which follows the mirror with a delay.
    pub(crate) postgres: Timestamp,
}

/// Sets silent mitras offline; those that were.
pub(crate) async fn take_offline(
    db: &impl Query,
    silent: &Silent,
    stale_at: StaleAt,
    now: Timestamp,
) -> Result<Vec<Mitra>, DbError> {
    const SQL: &str = concat!(
        "WITH gone AS (
            SELECT m.mitra_id AS id FROM mitras m
              JOIN unnest((SELECT $1::uuid[]), (SELECT $2::bigint[]), (SELECT $3::boolean[]))
                     AS seen (id, version, is_lost)
                ON seen.id = m.mitra_id AND seen.version = m.version
             WHERE m.is_online
               AND (m.fallback_heartbeat_at IS NULL OR m.fallback_heartbeat_at <= $4)
               AND (NOT seen.is_lost
                    OR coalesce(m.last_heartbeat_at, m.online_since, m.updated_at) <= $5)
             ORDER BY m.mitra_id
               FOR UPDATE OF m SKIP LOCKED)
         UPDATE mitras SET is_online = false, online_since = NULL, version = version + 1,
                updated_at = $6
           FROM gone WHERE mitra_id = gone.id RETURNING ",
        columns!()
    );
    let Silent {
        ids,
        versions,
        is_lost,
    } = silent;
    let StaleAt { mirror, postgres } = stale_at;
    mitras(db, SQL, &[ids, versions, is_lost, &mirror, &postgres, &now]).await
}

/// Writes heartbeats, none of them backwards; how many were news.
pub(crate) async fn keep_heartbeats(
    db: &impl Query,
    ids: &[Uuid],
    heard_at: &[Timestamp],
) -> Result<u64, DbError> {
    const SQL: &str = "WITH heard AS (
            SELECT m.mitra_id AS id, seen.heard_at FROM mitras m
              JOIN unnest((SELECT $1::uuid[]), (SELECT $2::timestamptz[]))
                     AS seen (id, heard_at)
                ON seen.id = m.mitra_id
             WHERE m.last_heartbeat_at IS NULL OR m.last_heartbeat_at < seen.heard_at
             ORDER BY m.mitra_id
               FOR UPDATE OF m SKIP LOCKED)
        UPDATE mitras SET last_heartbeat_at = heard.heard_at
          FROM heard WHERE mitra_id = heard.id";
    db.execute(SQL, &[&ids, &heard_at]).await
}
