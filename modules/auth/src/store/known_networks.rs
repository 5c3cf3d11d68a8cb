//! `auth_known_networks`: where an account's right password has come from.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};

use crate::keys::Hash;

/// Whether the right password has come from there after `since`.
pub(crate) async fn is_known(
    db: &impl Query,
    account_hash: &Hash,
    network_hash: &Hash,
    since: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "SELECT 1 FROM auth_known_networks
        WHERE account_hash = $1 AND network_hash = $2 AND last_used_at > $3";
    let (account, network) = (account_hash.as_slice(), network_hash.as_slice());
    Ok(db
        .row_opt(SQL, &[&account, &network, &since])
        .await?
        .is_some())
}

/// Remembers that it has come from there now.
pub(crate) async fn remember(
    tx: &impl Query,
    account_hash: &Hash,
    network_hash: &Hash,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO auth_known_networks (account_hash, network_hash, last_used_at)
        VALUES ($1, $2, $3)
        ON CONFLICT (account_hash, network_hash) DO UPDATE SET last_used_at = $3";
    let (account, network) = (account_hash.as_slice(), network_hash.as_slice());
    tx.execute(SQL, &[&account, &network, &now]).await?;
    Ok(())
}

/// Deletes up to `batch` networks not used since `cutoff`; how many.
pub(crate) async fn delete_older(
    db: &impl Query,
    cutoff: Timestamp,
    batch: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM auth_known_networks WHERE (account_hash, network_hash) IN (
        SELECT account_hash, network_hash FROM auth_known_networks
         WHERE last_used_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    db.execute(SQL, &[&cutoff, &batch]).await
}
