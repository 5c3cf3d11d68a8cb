//! What people have not read.

use halobestie_core::pg::{Db, DbError, Query, Row};
use halobestie_core::ports::{Arrival, Side, Unread};
use uuid::Uuid;

/// Those of these messages that the people they went to have not read.
pub(crate) async fn still_unread(db: &Db, arrivals: &[Arrival]) -> Result<Vec<Arrival>, DbError> {
    const SQL: &str = "SELECT a.session_id, a.user_id, a.seq
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS a (session_id, user_id, seq)
        JOIN chat_sessions s ON s.id = a.session_id
        WHERE (a.user_id = s.customer_id AND a.seq > s.customer_read_seq)
           OR (a.user_id = s.mitra_id AND a.seq > s.mitra_read_seq)";
    let (sessions, users) = columns(arrivals.iter().map(|it| it.side));
    let numbers: Vec<i64> = arrivals.iter().map(|it| it.seq).collect();
    let rows = db.rows(SQL, &[&sessions, &users, &numbers]).await?;
    let arrival = |row: &Row| Arrival {
        side: side(row),
        seq: row.get("seq"),
    };
    Ok(rows.iter().map(arrival).collect())
}

/// What waits for these people in these sessions. A thousand and more messages count as 999.
pub(crate) async fn unread(db: &Db, sides: &[Side]) -> Result<Vec<Unread>, DbError> {
    const SQL: &str = "WITH asked AS (
            SELECT a.session_id, a.user_id, CASE WHEN a.user_id = s.customer_id
                THEN s.customer_read_seq ELSE s.mitra_read_seq END AS read_seq
            FROM unnest($1::uuid[], $2::uuid[]) AS a (session_id, user_id)
            JOIN chat_sessions s ON s.id = a.session_id
                AND a.user_id IN (s.customer_id, s.mitra_id)
        )
        SELECT a.session_id, a.user_id, last.sender_id, last.text,
            (SELECT count(*) FROM (
                SELECT 1 FROM chat_messages m WHERE m.session_id = a.session_id
                    AND m.seq > a.read_seq AND m.sender_id <> a.user_id LIMIT 999) AS counted) AS count
        FROM asked a CROSS JOIN LATERAL (
            SELECT m.sender_id, CASE WHEN m.kind = 'text' THEN m.body END AS text
            FROM chat_messages m WHERE m.session_id = a.session_id
                AND m.seq > a.read_seq AND m.sender_id <> a.user_id
            ORDER BY m.seq DESC LIMIT 1) AS last";
    let (sessions, users) = columns(sides.iter().copied());
    let rows = db.rows(SQL, &[&sessions, &users]).await?;
    let unread = |row: &Row| Unread {
        side: side(row),
        count: row.get("count"),
        sender_id: row.get("sender_id"),
        text: row.get("text"),
    };
    Ok(rows.iter().map(unread).collect())
}

fn columns(sides: impl Iterator<Item = Side>) -> (Vec<Uuid>, Vec<Uuid>) {
    sides.map(|it| (it.session_id, it.user_id)).unzip()
}

fn side(row: &Row) -> Side {
    Side {
        session_id: row.get("session_id"),
        user_id: row.get("user_id"),
    }
}
