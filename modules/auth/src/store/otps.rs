//! `auth_otps`: one row a one-time code that was asked for.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::role;
use crate::keys::Hash;
use crate::otp;

/// The first halves of the advisory locks that line up the codes of one phone, and of one network:
/// "otp" and "otn" in ASCII. The two-part keys have a space of their own, apart from the locks of
/// migrations and sweeps.
const PHONES: i32 = 0x6f_74_70;
const NETWORKS: i32 = 0x6f_74_6e;

/// A code that is to be.
pub(crate) struct NewOtp<'a> {
    pub(crate) id: Uuid,
    pub(crate) phone: &'a str,
    pub(crate) phone_hash: Hash,
    pub(crate) network_hash: Hash,
    pub(crate) role: Role,
    pub(crate) channel: &'static str,
    pub(crate) code_hash: Hash,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Lets one transaction at a time count and add the codes of a phone.
pub(crate) async fn lock_phone(tx: &impl Query, phone_hash: &Hash) -> Result<(), DbError> {
    lock(tx, PHONES, phone_hash).await
}

/// Lets one transaction at a time count and add the codes of a network.
pub(crate) async fn lock_network(tx: &impl Query, network_hash: &Hash) -> Result<(), DbError> {
    lock(tx, NETWORKS, network_hash).await
}

async fn lock(tx: &impl Query, class: i32, hash: &Hash) -> Result<(), DbError> {
    let key = i32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
    tx.execute("SELECT pg_advisory_xact_lock($1, $2)", &[&class, &key])
        .await?;
    Ok(())
}

/// When codes were made for a phone after `since`, newest first, at most `limit` of them. What the
/// carrier refused does not count.
pub(crate) async fn of_phone(
    tx: &impl Query,
    phone_hash: &Hash,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM auth_otps
        WHERE phone_hash = $1 AND created_at > $2 AND refused_at IS NULL
        ORDER BY created_at DESC LIMIT $3";
    made(tx, SQL, (phone_hash, since, limit)).await
}

/// When a network asked for codes after `since`, newest first, at most `limit` of them. What the
/// carrier refused counts: it was asked.
pub(crate) async fn of_network(
    tx: &impl Query,
    network_hash: &Hash,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM auth_otps
        WHERE network_hash = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3";
    made(tx, SQL, (network_hash, since, limit)).await
}

async fn made(
    tx: &impl Query,
    sql: &'static str,
    (hash, since, limit): (&Hash, Timestamp, usize),
) -> Result<Vec<Timestamp>, DbError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.rows(sql, &[&hash.as_slice(), &since, &limit]).await?;
    Ok(rows.iter().map(|row| row.get("created_at")).collect())
}

/// Adds a code.
pub(crate) async fn insert(tx: &impl Query, new: &NewOtp<'_>) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO auth_otps
        (id, phone, phone_hash, role, channel, code_hash, attempts_left, created_at, expires_at,
         network_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.execute(
        SQL,
        &[
            &new.id,
            &new.phone,
            &new.phone_hash.as_slice(),
            &new.role.as_str(),
            &new.channel,
            &new.code_hash.as_slice(),
            &otp::ATTEMPTS,
            &new.created_at,
            &new.expires_at,
            &new.network_hash.as_slice(),
        ],
    )
    .await?;
    Ok(())
}

/// Notes that the carrier refused a code: it opens nothing, and its phone is erased beside it.
pub(crate) async fn refuse(tx: &impl Query, otp_id: Uuid, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_otps SET refused_at = $2, used_at = $2, phone = NULL
        WHERE id = $1 AND used_at IS NULL";
    tx.execute(SQL, &[&otp_id, &now]).await?;
    Ok(())
}

/// Deletes a code that the carrier was never asked for.
pub(crate) async fn delete(tx: &impl Query, otp_id: Uuid) -> Result<(), DbError> {
    tx.execute("DELETE FROM auth_otps WHERE id = $1", &[&otp_id])
        .await?;
    Ok(())
}

/// An attempt that was granted.
pub(crate) struct Attempt {
    pub(crate) code_hash: Vec<u8>,
    pub(crate) attempts_left: i16,
}

/// Takes one attempt off a code, before it is compared: so nobody gets more of them by asking many
/// replicas at once. `None` when there is nothing left to try.
pub(crate) async fn spend_attempt(
    db: &impl Query,
    otp_id: Uuid,
    now: Timestamp,
) -> Result<Option<Attempt>, DbError> {
    const SQL: &str = "UPDATE auth_otps SET attempts_left = attempts_left - 1
        WHERE id = $1 AND attempts_left > 0 AND used_at IS NULL AND expires_at > $2
        RETURNING code_hash, attempts_left";
    let row = db.row_opt(SQL, &[&otp_id, &now]).await?;
    Ok(row.map(|row| Attempt {
        code_hash: row.get("code_hash"),
        attempts_left: row.get("attempts_left"),
    }))
}

/// When a code was made whose attempts are used up and which would still be good.
pub(crate) async fn exhausted(
    db: &impl Query,
    otp_id: Uuid,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM auth_otps
        WHERE id = $1 AND attempts_left = 0 AND used_at IS NULL AND expires_at > $2";
    Ok(db
        .row_opt(SQL, &[&otp_id, &now])
        .await?
        .map(|row| row.get("created_at")))
}

/// Whose a code was.
pub(crate) struct Claimed {
    pub(crate) phone: String,
    pub(crate) role: Role,
}

/// Uses a code up, and erases the phone beside it. `None` when somebody else was first.
pub(crate) async fn claim(
    tx: &impl Query,
    otp_id: Uuid,
    now: Timestamp,
) -> Result<Option<Claimed>, DbError> {
    const SQL: &str = "
        UPDATE auth_otps otp SET used_at = $2, phone = NULL
          FROM (SELECT id, phone, role FROM auth_otps
                 WHERE id = $1 AND used_at IS NULL AND phone IS NOT NULL FOR UPDATE) before
         WHERE otp.id = before.id
         RETURNING before.phone, before.role";
    let Some(row) = tx.row_opt(SQL, &[&otp_id, &now]).await? else {
        return Ok(None);
    };
    Ok(Some(Claimed {
        phone: row.get("phone"),
        role: role(row.get("role"))?,
    }))
}

/// Uses up every code of a phone, and erases it beside them.
pub(crate) async fn forget_phone(
    tx: &impl Query,
    phone_hash: &Hash,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_otps SET phone = NULL, used_at = coalesce(used_at, $2)
        WHERE phone_hash = $1 AND phone IS NOT NULL";
    tx.execute(SQL, &[&phone_hash.as_slice(), &now]).await?;
    Ok(())
}

/// Deletes up to `batch` codes made before `cutoff`; how many.
pub(crate) async fn delete_older(
    db: &impl Query,
    cutoff: Timestamp,
    batch: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM auth_otps WHERE id IN (
        SELECT id FROM auth_otps WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    db.execute(SQL, &[&cutoff, &batch]).await
}
