//! All SQL of this module: `control_center_minutes`.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};

use crate::figures::{DashboardFigures, PaidToday};

/// The figures of a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Minute {
    /// Its beginning.
    pub(crate) at: Timestamp,
    /// What was counted in it.
    pub(crate) figures: DashboardFigures,
}

/// Whether a minute has its row.
pub(crate) async fn has_minute(db: &impl Query, minute: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM control_center_minutes WHERE minute = $1)";
    Ok(db.row(SQL, &[&minute]).await?.get(0))
}

/// Keeps the figures of a minute; false when somebody has.
pub(crate) async fn keep_minute(db: &impl Query, minute: &Minute) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO control_center_minutes (minute, online_mitras, available_mitras,
            active_sessions, pending_payment_sessions, searching_requests, messages, paid_count,
            paid_amount)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (minute) DO NOTHING";
    let it = &minute.figures;
    let params: halobestie_core::pg::Params<'_> = &[
        &minute.at,
        &it.online_mitras,
        &it.available_mitras,
        &it.active_sessions,
        &it.pending_payment_sessions,
        &it.searching_requests,
        &it.messages_last_minute,
        &it.paid_today.count,
        &it.paid_today.amount,
    ];
    Ok(db.execute(SQL, params).await? == 1)
}

/// The minutes from `since` on, oldest first.
pub(crate) async fn minutes(db: &impl Query, since: Timestamp) -> Result<Vec<Minute>, DbError> {
    const SQL: &str = "SELECT minute, online_mitras, available_mitras, active_sessions,
            pending_payment_sessions, searching_requests, messages, paid_count, paid_amount
        FROM control_center_minutes WHERE minute >= $1 ORDER BY minute LIMIT 5000";
    Ok(db.rows(SQL, &[&since]).await?.iter().map(minute).collect())
}

fn minute(row: &Row) -> Minute {
    Minute {
        at: row.get("minute"),
        figures: DashboardFigures {
            online_mitras: row.get("online_mitras"),
            available_mitras: row.get("available_mitras"),
            active_sessions: row.get("active_sessions"),
            pending_payment_sessions: row.get("pending_payment_sessions"),
            searching_requests: row.get("searching_requests"),
            messages_last_minute: row.get("messages"),
            paid_today: PaidToday {
                count: row.get("paid_count"),
                amount: row.get("paid_amount"),
            },
        },
    }
}

/// Deletes the minutes that are older than this.
pub(crate) async fn forget_minutes(
    db: &impl Query,
    now: Timestamp,
    kept: Duration,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM control_center_minutes WHERE minute < $1";
    db.execute(SQL, &[&(now - kept)]).await
}
