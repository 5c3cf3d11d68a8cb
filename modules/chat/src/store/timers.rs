//! When the next thing is due.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};

/// The earliest instant up to `horizon` at which a session or a request changes by itself: its end, a
/// warning (`warnings` are seconds before the end).
/// Everything that was due at `now` has been done, so warnings are looked for after it.
pub(crate) async fn next_due(
    query: &impl Query,
    now: Timestamp,
    horizon: Timestamp,
    warnings: &[i32],
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT min(due) FROM (
            SELECT min(expires_at) AS due FROM chat_sessions
            WHERE status = 'active' AND expires_at <= $2
        UNION ALL
            SELECT (SELECT min(s.expires_at) FROM chat_sessions s WHERE s.status = 'active'
                AND s.expires_at > $1::timestamptz + ahead
                AND s.expires_at <= $2::timestamptz + ahead) - ahead
            FROM unnest($3::int[]) AS seconds, make_interval(secs => seconds) AS ahead
        UNION ALL
            SELECT min(expires_at) FROM chat_requests
            WHERE status = 'searching' AND expires_at <= $2
        ) AS timers";
    Ok(query.row(SQL, &[&now, &horizon, &warnings]).await?.get(0))
}
