//! `auth_login_failures`: how often a password was tried, for an account from a network, for any
//! account from a network, and for an account from any network that is strange to it.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};

use crate::keys::Hash;

/// More are not counted.
const COUNTED_MAX: i32 = 1_000;

/// What is counted together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// One account from one network.
    Pair(&'a Hash, &'a str),
    /// All accounts from one network.
    Network(&'a str),
    /// One account from all networks that are strange to it.
    Strangers(&'a Hash),
}

impl<'a> Scope<'a> {
    /// The primary key of its row.
    fn key(self) -> (&'a [u8], &'a str) {
        match self {
            Self::Pair(account_hash, network) => (account_hash, network),
            Self::Network(network) => (&[], network),
            Self::Strangers(account_hash) => (account_hash, ""),
        }
    }
}

/// Tries counted in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    pub(crate) count: i32,
    pub(crate) window_started_at: Timestamp,
}

/// Counts one more try before it is made, so that many at once cannot slip under the limit. A window
/// that began before `window_cutoff` is over: a new one begins now.
pub(crate) async fn count(
    db: &impl Query,
    scope: Scope<'_>,
    now: Timestamp,
    window_cutoff: Timestamp,
) -> Result<Tries, DbError> {
    const SQL: &str = "
        INSERT INTO auth_login_failures AS it (account_hash, address, failures, window_started_at)
        VALUES ($1, $2, 1, $3)
        ON CONFLICT (account_hash, address) DO UPDATE SET
            failures = CASE WHEN it.window_started_at <= $4 THEN 1
                            ELSE least(it.failures + 1, $5) END,
            window_started_at = CASE WHEN it.window_started_at <= $4 THEN $3
                                     ELSE it.window_started_at END
        RETURNING failures, window_started_at";
    let (account_hash, address) = scope.key();
    let params: halobestie_core::pg::Params<'_> =
        &[&account_hash, &address, &now, &window_cutoff, &COUNTED_MAX];
    let row = db.row(SQL, params).await?;
    Ok(Tries {
        count: row.get("failures"),
        window_started_at: row.get("window_started_at"),
    })
}

/// Takes one try back: it was right.
pub(crate) async fn take_back(tx: &impl Query, scope: Scope<'_>) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_login_failures SET failures = failures - 1
        WHERE account_hash = $1 AND address = $2 AND failures > 0";
    let (account_hash, address) = scope.key();
    tx.execute(SQL, &[&account_hash, &address]).await?;
    Ok(())
}

/// Forgets the tries of a scope.
pub(crate) async fn forget(tx: &impl Query, scope: Scope<'_>) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM auth_login_failures WHERE account_hash = $1 AND address = $2";
    let (account_hash, address) = scope.key();
    tx.execute(SQL, &[&account_hash, &address]).await?;
    Ok(())
}

/// Forgets the tries for an account, wherever they came from.
pub(crate) async fn forget_account(tx: &impl Query, account_hash: &Hash) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM auth_login_failures WHERE account_hash = $1";
    tx.execute(SQL, &[&account_hash.as_slice()]).await?;
    Ok(())
}

/// Deletes up to `batch` windows that began before `cutoff`; how many.
pub(crate) async fn delete_older(
    db: &impl Query,
    cutoff: Timestamp,
    batch: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM auth_login_failures WHERE (account_hash, address) IN (
        SELECT account_hash, address FROM auth_login_failures
         WHERE window_started_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    db.execute(SQL, &[&cutoff, &batch]).await
}
