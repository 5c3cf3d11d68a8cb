//! `chat_sessions`, changed: one function a transition, each on a session that the caller has locked or
//! makes. Every change that both sides must hear of counts `version` up and says what it was.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

use super::{duration, millis, name, package, package_json};
use crate::packages::Package;
use crate::session_clock::SessionClock;
use crate::session_state::{EndReason, SessionStatus};

/// What decides about a session's next step.
#[derive(Clone, Debug)]
pub(crate) struct Locked {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) status: SessionStatus,
    pub(crate) topic: Option<String>,
    pub(crate) package: Package,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) clock: SessionClock,
    /// Until when it waits: for its payment, or for another mitra.
    pub(crate) waits_until: Option<Timestamp>,
    pub(crate) unpaid_extension_id: Option<Uuid>,
    pub(crate) former_mitra_ids: Vec<Uuid>,
}

macro_rules! lock_session {
    ($where:literal) => {
        concat!(
            "SELECT id, customer_id, mitra_id, status, topic, package, started_at, expires_at,
                coalesce(clock_since, started_at) AS clock_since, paused_ms, waits_until,
                unpaid_extension_id, former_mitra_ids
            FROM chat_sessions ",
            $where,
            " FOR UPDATE"
        )
    };
}

fn read(row: &Row) -> Result<Locked, DbError> {
    let status = name(row, "status", SessionStatus::parse)?;
    Ok(Locked {
        id: row.get("id"),
        customer_id: row.get("customer_id"),
        mitra_id: row.get("mitra_id"),
        status,
        topic: row.get("topic"),
        package: package(row)?,
        started_at: row.get("started_at"),
        clock: clock(row, status)?,
        waits_until: row.get("waits_until"),
        unpaid_extension_id: row.get("unpaid_extension_id"),
        former_mitra_ids: row.get("former_mitra_ids"),
    })
}

fn clock(row: &Row, status: SessionStatus) -> Result<SessionClock, DbError> {
    let (since, until): (Option<Timestamp>, Option<Timestamp>) =
        (row.get("clock_since"), row.get("expires_at"));
    let left: Option<i64> = row.get("paused_ms");
    match (status, since, until, left) {
        (SessionStatus::Active, Some(since), Some(until), _) => {
            Ok(SessionClock::Running { since, until })
        }
        (SessionStatus::Rerouting, _, _, Some(left)) => Ok(SessionClock::Standing {
            left: duration(left),
        }),
        (SessionStatus::PendingPayment | SessionStatus::Ended, ..) => Ok(SessionClock::Empty),
        _ => Err(DbError::Content("a session without its clock")),
    }
}

/// Locks a session until the transaction ends.
pub(crate) async fn lock(tx: &Tx<'_>, id: Uuid) -> Result<Option<Locked>, DbError> {
    const SQL: &str = lock_session!("WHERE id = $1");
    let row = tx.row_opt(SQL, &[&id]).await?;
    row.as_ref().map(read).transpose()
}

/// Locks a session of this user until the transaction ends.
pub(crate) async fn lock_of(
    tx: &Tx<'_>,
    user_id: Uuid,
    id: Uuid,
) -> Result<Option<Locked>, DbError> {
    const SQL: &str = lock_session!("WHERE id = $1 AND $2 IN (customer_id, mitra_id)");
    let row = tx.row_opt(SQL, &[&id, &user_id]).await?;
    row.as_ref().map(read).transpose()
}

/// A running clock as it is stored: from when to when, and the warnings that count as given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) warned_seconds: Option<i32>,
}

/// A session that has been taken.
pub(crate) struct NewSession<'a> {
    pub(crate) id: Uuid,
    pub(crate) request_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) topic: Option<&'a str>,
    pub(crate) package: &'a Package,
    pub(crate) created_at: Timestamp,
}

/// Writes a session that waits for its payment.
pub(crate) async fn insert_pending(
    tx: &Tx<'_>,
    it: &NewSession<'_>,
    waits_until: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status,
            topic, package, created_at, waits_until, last_change)
        VALUES ($1, $2, $3, $4, 'pending_payment', $5, $6, $7, $8, 'pending_payment')";
    let package = package_json(it.package)?;
    tx.execute(
        SQL,
        &[
            &it.id,
            &it.request_id,
            &it.customer_id,
            &it.mitra_id,
            &it.topic,
            &package,
            &it.created_at,
            &waits_until,
        ],
    )
    .await?;
    Ok(())
}

/// Writes a session that starts at once.
pub(crate) async fn insert_started(
    tx: &Tx<'_>,
    it: &NewSession<'_>,
    run: Run,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status,
            topic, package, created_at, started_at, clock_since, held_since, expires_at,
            warned_seconds, last_change)
        VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $8, $8, $9, $10, 'started')";
    let package = package_json(it.package)?;
    tx.execute(
        SQL,
        &[
            &it.id,
            &it.request_id,
            &it.customer_id,
            &it.mitra_id,
            &it.topic,
            &package,
            &it.created_at,
            &run.since,
            &run.until,
            &run.warned_seconds,
        ],
    )
    .await?;
    Ok(())
}

/// Starts a session that is paid.
pub(crate) async fn start(tx: &Tx<'_>, id: Uuid, run: Run) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET status = 'active', started_at = $2,
            clock_since = $2, held_since = $2, expires_at = $3, warned_seconds = $4,
            waits_until = NULL, last_change = 'started', version = version + 1
        WHERE id = $1 AND status = 'pending_payment'";
    tx.execute(SQL, &[&id, &run.since, &run.until, &run.warned_seconds])
        .await?;
    Ok(())
}

/// Stops the clock of a session that looks for another mitra.
pub(crate) async fn reroute(
    tx: &Tx<'_>,
    id: Uuid,
    left: Duration,
    waits_until: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET status = 'rerouting', paused_ms = $2,
            waits_until = $3, clock_since = NULL, expires_at = NULL, last_change = 'rerouting',
            version = version + 1
        WHERE id = $1 AND status = 'active'";
    tx.execute(SQL, &[&id, &millis(left), &waits_until]).await?;
    Ok(())
}

/// Gives a session to another mitra, who has read nothing of it yet.
pub(crate) async fn take(tx: &Tx<'_>, id: Uuid, mitra_id: Uuid, run: Run) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET status = 'active',
            former_mitra_ids = former_mitra_ids || mitra_id, mitra_id = $2, mitra_read_seq = 0,
            held_since = $3, is_answered = false, clock_since = $3, expires_at = $4,
            warned_seconds = $5, paused_ms = NULL, waits_until = NULL, last_change = 'taken',
            version = version + 1
        WHERE id = $1 AND status = 'rerouting'";
    let params: halobestie_core::pg::Params<'_> =
        &[&id, &mitra_id, &run.since, &run.until, &run.warned_seconds];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Gives a session whose clock runs more time.
pub(crate) async fn extend_running(tx: &Tx<'_>, id: Uuid, run: Run) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET expires_at = $2, warned_seconds = $3,
            last_change = 'extended', version = version + 1
        WHERE id = $1 AND status = 'active'";
    tx.execute(SQL, &[&id, &run.until, &run.warned_seconds])
        .await?;
    Ok(())
}

/// Gives a session whose clock stands more time.
pub(crate) async fn extend_standing(tx: &Tx<'_>, id: Uuid, left: Duration) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET paused_ms = $2, last_change = 'extended',
            version = version + 1
        WHERE id = $1 AND status = 'rerouting'";
    tx.execute(SQL, &[&id, &millis(left)]).await?;
    Ok(())
}

/// Notes which extension waits for its payment, if any.
pub(crate) async fn note_unpaid_extension(
    tx: &Tx<'_>,
    id: Uuid,
    extension_id: Option<Uuid>,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET unpaid_extension_id = $2 WHERE id = $1";
    tx.execute(SQL, &[&id, &extension_id]).await?;
    Ok(())
}

/// Ends a session.
pub(crate) async fn end(
    tx: &Tx<'_>,
    id: Uuid,
    reason: EndReason,
    ended_at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions SET status = 'ended', end_reason = $2, ended_at = $3,
            clock_since = NULL, paused_ms = NULL, waits_until = NULL, unpaid_extension_id = NULL,
            version = version + 1
        WHERE id = $1 AND status <> 'ended'";
    tx.execute(SQL, &[&id, &reason.as_str(), &ended_at]).await?;
    Ok(())
}
