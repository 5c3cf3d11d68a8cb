//! The two people of a session: who they are, and how far each has read.

use halobestie_core::pg::{Db, DbError, Query, Row};
use uuid::Uuid;

/// The two people of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
}

impl Sides {
    /// The other one of the two.
    pub(crate) fn other(self, user_id: Uuid) -> Uuid {
        if user_id == self.customer_id {
            self.mitra_id
        } else {
            self.customer_id
        }
    }
}

/// Reads them.
pub(super) fn sides(row: &Row) -> Sides {
    Sides {
        customer_id: row.get("customer_id"),
        mitra_id: row.get("mitra_id"),
    }
}

/// The last number of a session of this user.
pub(crate) async fn last_seq_of(
    db: &Db,
    user_id: Uuid,
    session_id: Uuid,
) -> Result<Option<i64>, DbError> {
    const SQL: &str = "SELECT last_seq FROM chat_sessions
        WHERE id = $1 AND $2 IN (customer_id, mitra_id)";
    Ok(db
        .row_opt(SQL, &[&session_id, &user_id])
        .await?
        .map(|row| row.get(0)))
}

/// What became of a read mark.
pub(crate) struct ReadMark {
    pub(crate) sides: Sides,
    /// Where the mark is now, if it has moved.
    pub(crate) moved_to: Option<i64>,
}

/// Moves a user's read mark forward, never past the last message; `None` when the session is not the
/// user's.
pub(crate) async fn mark_read(
    db: &Db,
    session_id: Uuid,
    user_id: Uuid,
    seq: i64,
) -> Result<Option<ReadMark>, DbError> {
    const SQL: &str = "WITH moved AS (
            UPDATE chat_sessions SET
                customer_read_seq = CASE WHEN customer_id = $2
                    THEN greatest(customer_read_seq, least($3, last_seq)) ELSE customer_read_seq END,
                mitra_read_seq = CASE WHEN mitra_id = $2
                    THEN greatest(mitra_read_seq, least($3, last_seq)) ELSE mitra_read_seq END
            WHERE id = $1 AND $2 IN (customer_id, mitra_id)
              AND least($3, last_seq) >
                  CASE WHEN customer_id = $2 THEN customer_read_seq ELSE mitra_read_seq END
            RETURNING CASE WHEN customer_id = $2 THEN customer_read_seq ELSE mitra_read_seq END AS seq
        )
        SELECT customer_id, mitra_id, (SELECT seq FROM moved) AS moved_to
        FROM chat_sessions WHERE id = $1 AND $2 IN (customer_id, mitra_id)";
    let row = db.row_opt(SQL, &[&session_id, &user_id, &seq]).await?;
    Ok(row.map(|row| ReadMark {
        sides: sides(&row),
        moved_to: row.get("moved_to"),
    }))
}

/// The sides of an open session of this user.
pub(crate) async fn sides_of_open(
    db: &Db,
    session_id: Uuid,
    user_id: Uuid,
) -> Result<Option<Sides>, DbError> {
    const SQL: &str = "SELECT customer_id, mitra_id FROM chat_sessions
        WHERE id = $1 AND $2 IN (customer_id, mitra_id) AND status <> 'ended'";
    Ok(db
        .row_opt(SQL, &[&session_id, &user_id])
        .await?
        .as_ref()
        .map(sides))
}
