//! Rows of the books. They are only ever added.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use crate::ledger::{Entry, Owed};

/// A movement that is to be booked.
pub(crate) struct NewMovement<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    /// The receipt, refund or session that it is about.
    pub(crate) source_id: Uuid,
    pub(crate) payment_id: Option<Uuid>,
    pub(crate) session_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) entries: &'a [Entry],
}

/// Books a movement with its entries; nothing where its source is booked already.
pub(crate) async fn insert(
    tx: &Tx<'_>,
    new: &NewMovement<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "WITH movement AS (
            INSERT INTO ledger_movements
                (id, kind, source_id, payment_id, session_id, customer_id, booked_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (kind, source_id) DO NOTHING RETURNING id)
        INSERT INTO ledger_entries (movement_id, account, amount)
        SELECT movement.id, entry.account, entry.amount
        FROM movement, unnest($8::text[], $9::bigint[]) AS entry (account, amount)";
    let accounts: Vec<&str> = new.entries.iter().map(|it| it.account.as_str()).collect();
    let amounts: Vec<i64> = new.entries.iter().map(|it| it.amount).collect();
    let params: halobestie_core::pg::Params<'_> = &[
        &new.id,
        &new.kind,
        &new.source_id,
        &new.payment_id,
        &new.session_id,
        &new.customer_id,
        &now,
        &accounts,
        &amounts,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Locks the payments of a session, always in the same order: what it earned, was credited and is owed
/// stays as it is until the transaction ends.
pub(crate) async fn lock_session(tx: &Tx<'_>, session_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT id FROM payments WHERE session_id = $1 ORDER BY id FOR UPDATE";
    tx.rows(SQL, &[&session_id]).await?;
    Ok(())
}

/// What a session has earned and neither goes back nor will, in whole rupiah.
pub(crate) async fn earned_by_session(tx: &Tx<'_>, session_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str = "SELECT greatest(0,
            coalesce((SELECT -sum(amount) FROM ledger_entries
                JOIN ledger_movements ON id = movement_id
                WHERE session_id = $1 AND account IN ('sales', 'refunds')), 0)
            - coalesce((SELECT sum(refunds.amount) FROM refunds
                JOIN payments ON payments.id = refunds.payment_id
                WHERE session_id = $1 AND refunds.reason = 'requested'
                  AND refunds.status IN ('wanted', 'pending')), 0))::bigint";
    Ok(tx.row(SQL, &[&session_id]).await?.get(0))
}

/// What is held of a payment, and what its session was credited and has not got yet.
pub(crate) async fn owed(tx: &Tx<'_>, payment_id: Uuid, session_id: Uuid) -> Result<Owed, DbError> {
    const SQL: &str = "SELECT
            coalesce(-sum(amount) FILTER (WHERE account = 'held' AND payment_id = $1), 0)::bigint,
            coalesce(-sum(amount) FILTER (WHERE account = 'credits'), 0)::bigint
        FROM ledger_entries JOIN ledger_movements ON id = movement_id WHERE session_id = $2";
    let row = tx.row(SQL, &[&payment_id, &session_id]).await?;
    Ok(Owed {
        held: row.get(0),
        credited: row.get(1),
    })
}
