//! All SQL of this module: `email_links`, one row a link that was asked for. Whoever calls opens the
//! transaction and says what time it is.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

/// The first halves of the advisory locks that line up the links of one recipient and of one client
/// address: "eml" and "enw" in ASCII. Always taken in this order.
const RECIPIENT_LOCK: i32 = 0x65_6d_6c;
const NETWORK_LOCK: i32 = 0x65_6e_77;

/// The result of a hash.
pub(crate) type Hash = [u8; 32];

/// Lets one transaction at a time count and add the links of a recipient and of a client address.
pub(crate) async fn lock(
    tx: &impl Query,
    recipient_hash: &Hash,
    network_hash: &Hash,
) -> Result<(), DbError> {
    const SQL: &str = "SELECT pg_advisory_xact_lock($1, $2)";
    let key = |hash: &Hash| i32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
    tx.execute(SQL, &[&RECIPIENT_LOCK, &key(recipient_hash)])
        .await?;
    tx.execute(SQL, &[&NETWORK_LOCK, &key(network_hash)])
        .await?;
    Ok(())
}

/// When the `nth` newest link of a recipient was made, if there are so many since `since`.
pub(crate) async fn nth_of_recipient(
    tx: &impl Query,
    recipient_hash: &Hash,
    nth: u32,
    since: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM email_links
        WHERE recipient_hash = $1 AND created_at > $2
        ORDER BY created_at DESC OFFSET $3 LIMIT 1";
    let row = tx
        .row_opt(SQL, &[&recipient_hash.as_slice(), &since, &offset(nth)])
        .await?;
    Ok(row.map(|row| row.get("created_at")))
}

/// The same of a client address.
pub(crate) async fn nth_of_network(
    tx: &impl Query,
    network_hash: &Hash,
    nth: u32,
    since: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM email_links
        WHERE network_hash = $1 AND created_at > $2
        ORDER BY created_at DESC OFFSET $3 LIMIT 1";
    let row = tx
        .row_opt(SQL, &[&network_hash.as_slice(), &since, &offset(nth)])
        .await?;
    Ok(row.map(|row| row.get("created_at")))
}

/// The same of everybody.
pub(crate) async fn nth_of_all(
    tx: &impl Query,
    nth: u32,
    since: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM email_links
        WHERE created_at > $1 ORDER BY created_at DESC OFFSET $2 LIMIT 1";
    let row = tx.row_opt(SQL, &[&since, &offset(nth)]).await?;
    Ok(row.map(|row| row.get("created_at")))
}

fn offset(nth: u32) -> i64 {
    i64::from(nth.saturating_sub(1))
}

/// A link that is to be.
pub(crate) struct NewLink<'a> {
    pub(crate) id: Uuid,
    pub(crate) token_hash: Hash,
    pub(crate) email: &'a str,
    pub(crate) recipient_hash: Hash,
    pub(crate) network_hash: Hash,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Adds a link.
pub(crate) async fn insert(tx: &impl Query, new: &NewLink<'_>) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO email_links
        (id, token_hash, email, recipient_hash, network_hash, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(
        SQL,
        &[
            &new.id,
            &new.token_hash.as_slice(),
            &new.email,
            &new.recipient_hash.as_slice(),
            &new.network_hash.as_slice(),
            &new.created_at,
            &new.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Uses a link up and erases the email beside it; whose it was. `None` when it opens nothing, or
/// somebody else was first.
pub(crate) async fn claim(
    tx: &impl Query,
    token_hash: &Hash,
    now: Timestamp,
) -> Result<Option<String>, DbError> {
    const SQL: &str = "
        UPDATE email_links link SET used_at = $2, email = NULL
          FROM (SELECT id, email FROM email_links
                 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
                   AND email IS NOT NULL FOR UPDATE) before
         WHERE link.id = before.id
         RETURNING before.email";
    let row = tx.row_opt(SQL, &[&token_hash.as_slice(), &now]).await?;
    Ok(row.map(|row| row.get("email")))
}

/// Uses up every link of an email, and erases it beside them.
pub(crate) async fn forget(tx: &impl Query, email: &str, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE email_links SET email = NULL, used_at = coalesce(used_at, $2)
        WHERE email = $1";
    tx.execute(SQL, &[&email, &now]).await?;
    Ok(())
}

/// Deletes up to `batch` links made before `cutoff`; how many.
pub(crate) async fn delete_older(
    db: &impl Query,
    cutoff: Timestamp,
    batch: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM email_links WHERE id IN (
        SELECT id FROM email_links WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    db.execute(SQL, &[&cutoff, &batch]).await
}
