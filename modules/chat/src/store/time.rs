//! `chat_time`, the books: what was bought, consumed and returned of every session, in milliseconds. Rows
//! are only ever added, by whoever has the session's lock.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use halobestie_core::ports::TimeOfSession;
use uuid::Uuid;

use super::{duration, millis};

/// Books time that was bought: by the session itself, or by its extension. Each is booked once.
pub(crate) async fn bought(
    tx: &Tx<'_>,
    session_id: Uuid,
    subject_id: Uuid,
    time: Duration,
    at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_time (session_id, kind, ms, subject_id, at)
        VALUES ($1, 'bought', $2, $3, $4)";
    tx.execute(SQL, &[&session_id, &millis(time), &subject_id, &at])
        .await?;
    Ok(())
}

/// Books time that was delivered, or given up.
pub(crate) async fn consumed(
    tx: &Tx<'_>,
    session_id: Uuid,
    time: Duration,
    at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_time (session_id, kind, ms, at)
        SELECT $1, 'consumed', $2::bigint, $3::timestamptz WHERE $2 > 0";
    tx.execute(SQL, &[&session_id, &millis(time), &at]).await?;
    Ok(())
}

/// Books time that goes back to the customer.
pub(crate) async fn returned(
    tx: &Tx<'_>,
    session_id: Uuid,
    time: Duration,
    at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_time (session_id, kind, ms, at)
        SELECT $1, 'returned', $2::bigint, $3::timestamptz WHERE $2 > 0";
    tx.execute(SQL, &[&session_id, &millis(time), &at]).await?;
    Ok(())
}

/// All the time that was ever bought for a session.
pub(crate) async fn bought_in_all(tx: &Tx<'_>, session_id: Uuid) -> Result<Duration, DbError> {
    const SQL: &str = "SELECT coalesce(sum(ms), 0)::bigint FROM chat_time
        WHERE session_id = $1 AND kind = 'bought'";
    Ok(duration(tx.row(SQL, &[&session_id]).await?.get(0)))
}

/// What the books say of these sessions; those without an entry are absent.
pub(crate) async fn of_sessions(
    db: &impl Query,
    session_ids: &[Uuid],
) -> Result<Vec<TimeOfSession>, DbError> {
    const SQL: &str = "SELECT session_id,
            coalesce(array_agg(subject_id) FILTER (WHERE kind = 'bought'), '{}'),
            coalesce(sum(ms) FILTER (WHERE kind = 'bought'), 0)::bigint,
            coalesce(sum(ms) FILTER (WHERE kind = 'returned'), 0)::bigint
        FROM chat_time WHERE session_id = ANY($1) GROUP BY session_id";
    let rows = db.rows(SQL, &[&session_ids]).await?;
    let read = rows.iter().map(|row| TimeOfSession {
        session_id: row.get(0),
        delivered: row.get(1),
        bought_ms: row.get(2),
        returned_ms: row.get(3),
    });
    Ok(read.collect())
}
