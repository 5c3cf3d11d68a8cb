//! `chat_blocks`: which customer and which mitra are not to meet.
//!
//! A pair is blocked whoever of the two said so. Every statement that makes or reads offers leaves
//! blocked pairs out by [`unless_blocked`], so a block holds from its commit on, whatever was under way.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use uuid::Uuid;

use super::ids;

/// The condition that leaves blocked pairs out, given the SQL of the customer's and the mitra's id.
macro_rules! unless_blocked {
    ($customer:literal, $mitra:literal) => {
        concat!(
            " NOT EXISTS (SELECT 1 FROM chat_blocks b WHERE b.customer_id = ",
            $customer,
            " AND b.mitra_id = ",
            $mitra,
            ") "
        )
    };
}
pub(super) use unless_blocked;

/// A customer and a mitra.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
}

/// A block as whoever made it sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRow {
    pub(crate) id: Uuid,
    pub(crate) blocked_id: Uuid,
    pub(crate) created_at: Timestamp,
}

fn read(row: &Row) -> BlockRow {
    BlockRow {
        id: row.get("id"),
        blocked_id: row.get("blocked_id"),
        created_at: row.get("created_at"),
    }
}

/// A block to be written.
pub(crate) struct NewBlock {
    pub(crate) id: Uuid,
    pub(crate) blocker_id: Uuid,
    pub(crate) blocked_id: Uuid,
    pub(crate) pair: Pair,
    pub(crate) created_at: Timestamp,
}

/// Writes a block; false when there is one already, or when its maker has `most` of them. (Calls at
/// once may each see the last free place: the bound is on growth, not to the row.)
pub(crate) async fn insert(query: &impl Query, it: &NewBlock, most: i64) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO chat_blocks
            (id, blocker_id, blocked_id, customer_id, mitra_id, created_at)
        SELECT $1, $2, $3, $4, $5, $6
        WHERE (SELECT count(*) FROM chat_blocks WHERE blocker_id = $2) < $7
        ON CONFLICT (blocker_id, blocked_id) DO NOTHING";
    let written = query
        .execute(
            SQL,
            &[
                &it.id,
                &it.blocker_id,
                &it.blocked_id,
                &it.pair.customer_id,
                &it.pair.mitra_id,
                &it.created_at,
                &most,
            ],
        )
        .await?;
    Ok(written == 1)
}

/// One block of this user.
pub(crate) async fn find(
    query: &impl Query,
    blocker_id: Uuid,
    blocked_id: Uuid,
) -> Result<Option<BlockRow>, DbError> {
    const SQL: &str = "SELECT id, blocked_id, created_at FROM chat_blocks
        WHERE blocker_id = $1 AND blocked_id = $2";
    let row = query.row_opt(SQL, &[&blocker_id, &blocked_id]).await?;
    Ok(row.as_ref().map(read))
}

/// A page of a user's blocks, newest first.
pub(crate) async fn list(
    query: &impl Query,
    blocker_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<BlockRow>, DbError> {
    const SQL: &str = "SELECT id, blocked_id, created_at FROM chat_blocks
        WHERE blocker_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    let rows = query.rows(SQL, &[&blocker_id, &before, &limit]).await?;
    Ok(rows.iter().map(read).collect())
}

/// Takes a block back, if there is one.
pub(crate) async fn delete(
    query: &impl Query,
    blocker_id: Uuid,
    blocked_id: Uuid,
) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM chat_blocks WHERE blocker_id = $1 AND blocked_id = $2";
    query.execute(SQL, &[&blocker_id, &blocked_id]).await?;
    Ok(())
}

/// The mitras that this customer is not to meet, whoever of the two said so.
pub(crate) async fn mitras_barred_from(
    query: &impl Query,
    customer_id: Uuid,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT DISTINCT mitra_id FROM chat_blocks WHERE customer_id = $1";
    Ok(ids(&query.rows(SQL, &[&customer_id]).await?))
}
