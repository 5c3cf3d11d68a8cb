//! `auth_otp_days`: how many codes a day of UTC has had. Everybody who gets one meets at its row.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};

/// Takes one code off a day's budget; false when it is spent. The row stays locked until the
/// transaction ends.
pub(crate) async fn spend(tx: &impl Query, now: Timestamp, budget: i32) -> Result<bool, DbError> {
    const SQL: &str = "
        INSERT INTO auth_otp_days AS it (day, codes)
        VALUES (($1::timestamptz AT TIME ZONE 'UTC')::date, 1)
        ON CONFLICT (day) DO UPDATE SET codes = it.codes + 1 WHERE it.codes < $2";
    Ok(tx.execute(SQL, &[&now, &budget]).await? == 1)
}

/// Puts one code of that day back.
pub(crate) async fn give_back(tx: &impl Query, created_at: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_otp_days SET codes = codes - 1
        WHERE day = ($1::timestamptz AT TIME ZONE 'UTC')::date AND codes > 0";
    tx.execute(SQL, &[&created_at]).await?;
    Ok(())
}

/// Notes that a day's budget is spent; true for the first to note it.
pub(crate) async fn mark_exhausted(tx: &impl Query, now: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE auth_otp_days SET exhausted_at = $1
        WHERE day = ($1::timestamptz AT TIME ZONE 'UTC')::date AND exhausted_at IS NULL";
    Ok(tx.execute(SQL, &[&now]).await? == 1)
}

/// Deletes the days before `cutoff`; how many.
pub(crate) async fn delete_older(db: &impl Query, cutoff: Timestamp) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM auth_otp_days
        WHERE day < ($1::timestamptz AT TIME ZONE 'UTC')::date";
    db.execute(SQL, &[&cutoff]).await
}
