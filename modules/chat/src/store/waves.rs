//! Which requests are open to more mitras, and the next wave of those for which it is due.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

use super::blocks::unless_blocked;
use super::offers::{Asked, asked};

/// A wave to be asked.
pub(crate) struct NextWave<'a> {
    /// The candidates, in the order in which they are to be asked.
    pub(crate) mitra_ids: &'a [Uuid],
    /// How many of them at most; `None` means all.
    pub(crate) size: Option<i64>,
    /// When the wave after this one is due.
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// Asks the next wave of those of these requests for which it is due: of the candidates that were not
/// asked yet the first `size`. Where there were fewer, everybody has been asked, and the request is
/// open to whoever comes. One replica at a time has a request in hand, and leaves it no longer due.
pub(crate) async fn insert_wave(
    query: &impl Query,
    request_ids: &[Uuid],
    wave: &NextWave<'_>,
) -> Result<Vec<Asked>, DbError> {
    const SQL: &str = concat!(
        "WITH due AS (
            SELECT r.id, r.customer_id, r.excluded_mitra_ids FROM chat_requests r
            WHERE r.id = ANY($1) AND r.status = 'searching' AND r.expires_at > $3
              AND r.exclusive_until <= $3
            ORDER BY r.expires_at, r.id FOR NO KEY UPDATE SKIP LOCKED
        ), chosen AS (
            SELECT r.id AS request_id, pick.id AS mitra_id FROM due r CROSS JOIN LATERAL (
                SELECT m.id FROM unnest($2::uuid[]) WITH ORDINALITY AS m (id, place)
                WHERE m.id <> ALL (r.excluded_mitra_ids)
                  AND NOT EXISTS (SELECT 1 FROM chat_offers o
                        WHERE o.request_id = r.id AND o.mitra_id = m.id)
                  AND",
        unless_blocked!("r.customer_id", "m.id"),
        "ORDER BY m.place LIMIT $4) pick
        ), asked AS (
            INSERT INTO chat_offers (request_id, mitra_id, offered_at)
            SELECT request_id, mitra_id, $3 FROM chosen
            ON CONFLICT DO NOTHING
            RETURNING request_id, mitra_id
        ), waved AS (
            UPDATE chat_requests r SET offered_to = r.offered_to + n.mitras,
                exclusive_until = CASE WHEN n.mitras >= $4 THEN $5::timestamptz END
            FROM (SELECT due.id, count(asked.mitra_id) AS mitras
                FROM due LEFT JOIN asked ON asked.request_id = due.id GROUP BY due.id) n
            WHERE r.id = n.id
        )
        SELECT request_id, mitra_id FROM asked"
    );
    let rows = query
        .rows(
            SQL,
            &[
                &request_ids,
                &wave.mitra_ids,
                &wave.now,
                &wave.size,
                &wave.next_at,
            ],
        )
        .await?;
    Ok(asked(&rows))
}

/// A request of which more mitras may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) id: Uuid,
    pub(crate) expires_at: Timestamp,
    /// Whether a wave is due; otherwise everybody was asked, and only who comes anew is to be.
    pub(crate) is_wave_due: bool,
}

/// The requests of which more mitras may be asked, the first to end first.
pub(crate) async fn open_to_more(
    query: &impl Query,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Open>, DbError> {
    const SQL: &str = "SELECT id, expires_at, exclusive_until IS NOT NULL AS is_wave_due
        FROM chat_requests
        WHERE status = 'searching' AND expires_at > $1
          AND (exclusive_until IS NULL OR exclusive_until <= $1)
        ORDER BY expires_at, id LIMIT $2";
    let rows = query.rows(SQL, &[&now, &limit]).await?;
    let open = rows.iter().map(|row| Open {
        id: row.get("id"),
        expires_at: row.get("expires_at"),
        is_wave_due: row.get("is_wave_due"),
    });
    Ok(open.collect())
}

/// When the next wave is due, after `now`.
pub(crate) async fn next_due(
    query: &impl Query,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT min(exclusive_until) FROM chat_requests
        WHERE status = 'searching' AND exclusive_until > $1";
    Ok(query.row(SQL, &[&now]).await?.get(0))
}
