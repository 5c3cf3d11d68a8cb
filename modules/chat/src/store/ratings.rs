//! `chat_ratings`: one a session.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use uuid::Uuid;

/// A rating as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RatingRow {
    pub(crate) session_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) stars: i16,
    pub(crate) comment: Option<String>,
    pub(crate) created_at: Timestamp,
}

fn read(row: &Row) -> RatingRow {
    RatingRow {
        session_id: row.get("session_id"),
        mitra_id: row.get("mitra_id"),
        stars: row.get("stars"),
        comment: row.get("comment"),
        created_at: row.get("created_at"),
    }
}

/// Rates a session of this customer that has begun; `None` when there is no such session, or it is
/// rated already.
pub(crate) async fn insert(
    query: &impl Query,
    session_id: Uuid,
    customer_id: Uuid,
    (stars, comment): (i16, Option<&str>),
    now: Timestamp,
) -> Result<Option<RatingRow>, DbError> {
    const SQL: &str = "INSERT INTO chat_ratings
            (session_id, customer_id, mitra_id, stars, comment, created_at)
        SELECT id, customer_id, mitra_id, $3, $4, $5 FROM chat_sessions
        WHERE id = $1 AND customer_id = $2 AND started_at IS NOT NULL
        ON CONFLICT (session_id) DO NOTHING
        RETURNING session_id, mitra_id, stars, comment, created_at";
    let row = query
        .row_opt(SQL, &[&session_id, &customer_id, &stars, &comment, &now])
        .await?;
    Ok(row.as_ref().map(read))
}

/// The rating that this customer has given to a session.
pub(crate) async fn find_of(
    query: &impl Query,
    customer_id: Uuid,
    session_id: Uuid,
) -> Result<Option<RatingRow>, DbError> {
    const SQL: &str = "SELECT session_id, mitra_id, stars, comment, created_at FROM chat_ratings
        WHERE session_id = $1 AND customer_id = $2";
    let row = query.row_opt(SQL, &[&session_id, &customer_id]).await?;
    Ok(row.as_ref().map(read))
}
