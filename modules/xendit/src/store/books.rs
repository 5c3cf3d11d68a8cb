//! The books compared with everything else: a statement each, so each sees one moment.

use halobestie_core::pg::{DbError, Query, Row};
use halobestie_core::ports::AccountBalance;
use uuid::Uuid;

/// Differences that one comparison tells of at most.
const LIMIT: i64 = 1_000;

/// How much there is.
pub(crate) struct Counts {
    pub(crate) movements: i64,
    pub(crate) payments: i64,
    pub(crate) refunds: i64,
}

/// Counts everything.
pub(crate) async fn counts(db: &impl Query) -> Result<Counts, DbError> {
    const SQL: &str = "SELECT (SELECT count(*) FROM ledger_movements),
        (SELECT count(*) FROM payments), (SELECT count(*) FROM refunds)";
    let row = db.row(SQL, &[]).await?;
    Ok(Counts {
        movements: row.get(0),
        payments: row.get(1),
        refunds: row.get(2),
    })
}

/// What stands on each account.
pub(crate) async fn balances(db: &impl Query) -> Result<Vec<AccountBalance>, DbError> {
    const SQL: &str = "SELECT account, sum(amount)::bigint FROM ledger_entries
        GROUP BY account ORDER BY account";
    let rows = db.rows(SQL, &[]).await?;
    let balance = |row: &Row| AccountBalance {
        account: row.get(0),
        amount: row.get(1),
    };
    Ok(rows.iter().map(balance).collect())
}

/// A movement whose entries do not sum to zero, or that has too few: its id, kind and sum.
pub(crate) async fn unbalanced(db: &impl Query) -> Result<Vec<(Uuid, String, i64)>, DbError> {
    const SQL: &str = "SELECT id, kind, coalesce(sum(amount), 0)::bigint FROM ledger_movements
        LEFT JOIN ledger_entries ON movement_id = id
        GROUP BY id HAVING coalesce(sum(amount), 0) <> 0 OR count(amount) < 2
        ORDER BY id LIMIT $1";
    let rows = db.rows(SQL, &[&LIMIT]).await?;
    let read = |row: &Row| (row.get(0), row.get(1), row.get(2));
    Ok(rows.iter().map(read).collect())
}

/// A thing and the movement that books it, where they differ: the id of the thing, its amount, the
/// amount that is booked. One of the two may be missing.
pub(crate) type Mismatch = (Uuid, Option<i64>, Option<i64>);

fn mismatches(rows: &[Row]) -> Vec<Mismatch> {
    let read = |row: &Row| (row.get(0), row.get(1), row.get(2));
    rows.iter().map(read).collect()
}

/// Receipts against charges.
pub(crate) async fn receipts(db: &impl Query) -> Result<Vec<Mismatch>, DbError> {
    const SQL: &str = "WITH booked AS (
            SELECT source_id, payment_id, sum(amount)::bigint AS amount
            FROM ledger_movements JOIN ledger_entries ON movement_id = id
            WHERE kind = 'charge' AND account = 'xendit' GROUP BY source_id, payment_id)
        SELECT coalesce(receipt.id, booked.source_id), receipt.amount, booked.amount
        FROM payment_receipts AS receipt
        FULL JOIN booked ON booked.source_id = receipt.id
        WHERE receipt.amount IS DISTINCT FROM booked.amount
           OR receipt.payment_id IS DISTINCT FROM booked.payment_id
        ORDER BY 1 LIMIT $1";
    Ok(mismatches(&db.rows(SQL, &[&LIMIT]).await?))
}

/// Refunds that went against what is booked as gone.
pub(crate) async fn refunds(db: &impl Query) -> Result<Vec<Mismatch>, DbError> {
    const SQL: &str = "WITH booked AS (
            SELECT source_id, payment_id, -sum(amount)::bigint AS amount
            FROM ledger_movements JOIN ledger_entries ON movement_id = id
            WHERE kind = 'refund' AND account IN ('xendit', 'bank')
            GROUP BY source_id, payment_id),
        gone AS (SELECT * FROM refunds WHERE status = 'succeeded')
        SELECT coalesce(gone.id, booked.source_id), gone.amount, booked.amount
        FROM gone FULL JOIN booked ON booked.source_id = gone.id
        WHERE gone.amount IS DISTINCT FROM booked.amount
           OR gone.payment_id IS DISTINCT FROM booked.payment_id
        ORDER BY 1 LIMIT $1";
    Ok(mismatches(&db.rows(SQL, &[&LIMIT]).await?))
}

/// Fees of no receipt, or of more than it brought.
pub(crate) async fn fees(db: &impl Query) -> Result<Vec<Mismatch>, DbError> {
    const SQL: &str = "SELECT source_id, receipt.amount, entry.amount
        FROM ledger_movements AS movement
        JOIN ledger_entries AS entry ON movement_id = movement.id AND account = 'fees'
        LEFT JOIN payment_receipts AS receipt ON receipt.id = source_id
        WHERE kind = 'fee' AND (receipt.id IS NULL OR entry.amount > receipt.amount)
        ORDER BY 1 LIMIT $1";
    Ok(mismatches(&db.rows(SQL, &[&LIMIT]).await?))
}

/// What is owed to customers, where it has become negative: an account, whose it is, its balance.
pub(crate) async fn overdrawn(db: &impl Query) -> Result<Vec<(String, Uuid, i64)>, DbError> {
    const SQL: &str = "SELECT account, session_id, -sum(amount)::bigint
        FROM ledger_movements JOIN ledger_entries ON movement_id = id
        WHERE account IN ('held', 'credits')
        GROUP BY account, session_id HAVING sum(amount) > 0 ORDER BY 1, 2 LIMIT $1";
    let rows = db.rows(SQL, &[&LIMIT]).await?;
    let read = |row: &Row| (row.get(0), row.get(1), row.get(2));
    Ok(rows.iter().map(read).collect())
}

/// A payment and its money, as rows and books have it.
pub(crate) struct Money {
    pub(crate) payment_id: Uuid,
    pub(crate) status: String,
    /// What was to be paid.
    pub(crate) amount: i64,
    pub(crate) paid_amount: i64,
    /// What its receipts sum up to.
    pub(crate) received: i64,
    pub(crate) returned: i64,
    pub(crate) open: i64,
    /// What is booked as sold by it.
    pub(crate) sold: i64,
}

/// Payments whose status and amounts do not say the same as their receipts, refunds and books.
pub(crate) async fn doubtful(db: &impl Query) -> Result<Vec<Money>, DbError> {
    const SQL: &str = "WITH money AS (
            SELECT payments.id, status, amount, paid_amount,
                coalesce((SELECT sum(receipt.amount) FROM payment_receipts AS receipt
                    WHERE receipt.payment_id = payments.id), 0)::bigint AS received,
                coalesce((SELECT sum(refund.amount) FROM refunds AS refund
                    WHERE refund.payment_id = payments.id
                      AND refund.status = 'succeeded'), 0)::bigint AS returned,
                coalesce((SELECT sum(refund.amount) FROM refunds AS refund
                    WHERE refund.payment_id = payments.id
                      AND refund.status IN ('wanted', 'pending')), 0)::bigint AS open,
                coalesce((SELECT -sum(entry.amount) FROM ledger_movements AS movement
                    JOIN ledger_entries AS entry ON movement_id = movement.id
                    WHERE movement.payment_id = payments.id AND kind = 'charge'
                      AND account = 'sales'), 0)::bigint AS sold
            FROM payments)
        SELECT * FROM money
        WHERE received <> paid_amount
           OR returned + open > received
           OR sold NOT IN (0, amount)
           OR (status = 'paid' AND (sold = 0 OR open > 0 OR returned >= received))
           OR (status = 'refunded' AND (returned <> received OR received = 0))
           OR (status = 'refund_pending' AND open = 0)
           OR (status IN ('creating', 'pending', 'expired', 'failed') AND received > 0)
        ORDER BY id LIMIT $1";
    let rows = db.rows(SQL, &[&LIMIT]).await?;
    let read = |row: &Row| Money {
        payment_id: row.get("id"),
        status: row.get("status"),
        amount: row.get("amount"),
        paid_amount: row.get("paid_amount"),
        received: row.get("received"),
        returned: row.get("returned"),
        open: row.get("open"),
        sold: row.get("sold"),
    };
    Ok(rows.iter().map(read).collect())
}

/// A session, as the money knows it.
pub(crate) struct SessionMoney {
    pub(crate) session_id: Uuid,
    /// All that was charged for, and that of it which is booked as sold.
    pub(crate) charged: Vec<Uuid>,
    pub(crate) sold: Vec<Uuid>,
    /// What is booked as sold, in whole rupiah.
    pub(crate) sold_amount: i64,
    /// What was credited, if anything was.
    pub(crate) credited: Option<i64>,
    /// Whether anybody ever asked for any of its money back.
    pub(crate) was_refunded: bool,
}

/// Sessions of which money was asked, a page by their ids.
pub(crate) async fn sessions(
    db: &impl Query,
    after: Uuid,
    limit: i64,
) -> Result<Vec<SessionMoney>, DbError> {
    const SQL: &str = "WITH page AS (
            SELECT DISTINCT session_id FROM payments WHERE session_id > $1
            ORDER BY session_id LIMIT $2),
        sale AS (
            SELECT payments.session_id, subject_id, payments.id,
                (SELECT -sum(entry.amount) FROM ledger_movements AS movement
                    JOIN ledger_entries AS entry ON movement_id = movement.id
                    WHERE movement.payment_id = payments.id AND kind = 'charge'
                      AND account = 'sales')::bigint AS sold
            FROM payments JOIN page USING (session_id))
        SELECT session_id, array_agg(subject_id) AS charged,
            coalesce(array_agg(subject_id) FILTER (WHERE sold > 0), '{}') AS sold,
            coalesce(sum(sold), 0)::bigint AS sold_amount,
            (SELECT -sum(entry.amount) FROM ledger_movements AS movement
                JOIN ledger_entries AS entry ON movement_id = movement.id
                WHERE movement.session_id = sale.session_id AND kind = 'credit'
                  AND account = 'credits')::bigint AS credited,
            EXISTS (SELECT FROM refunds WHERE payment_id = ANY(array_agg(sale.id))
                AND reason = 'requested') AS was_refunded
        FROM sale GROUP BY session_id ORDER BY session_id";
    let rows = db.rows(SQL, &[&after, &limit]).await?;
    let read = |row: &Row| SessionMoney {
        session_id: row.get("session_id"),
        charged: row.get("charged"),
        sold: row.get("sold"),
        sold_amount: row.get("sold_amount"),
        credited: row.get("credited"),
        was_refunded: row.get("was_refunded"),
    };
    Ok(rows.iter().map(read).collect())
}

/// Credits of sessions that no payment was ever for.
pub(crate) async fn stray_credits(db: &impl Query) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT session_id FROM ledger_movements
        WHERE kind = 'credit' AND session_id NOT IN (SELECT session_id FROM payments)
        ORDER BY 1 LIMIT $1";
    let rows = db.rows(SQL, &[&LIMIT]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
