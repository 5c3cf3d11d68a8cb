//! All SQL of this module: `device_tokens`, one row a registration token.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use halobestie_core::ports::Platform;
use uuid::Uuid;

/// A registration that is sent to us.
pub(crate) struct NewDevice<'a> {
    /// Its id, where it is new.
    pub(crate) id: Uuid,
    pub(crate) token: &'a str,
    pub(crate) user_id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) platform: Platform,
}

/// A registration.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) id: Uuid,
    pub(crate) token: String,
    pub(crate) user_id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) platform: Platform,
}

/// Lets one transaction at a time add to a person's registrations, so that counting them holds.
pub(crate) async fn lock_user(tx: &Tx<'_>, user_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT pg_advisory_xact_lock($1, $2)";
    // "fcm" in ASCII, and a part of the id that is chance.
    const LOCK: i32 = 0x66_63_6d;
    let [.., a, b, c, d] = *user_id.as_bytes();
    tx.execute(SQL, &[&LOCK, &i32::from_le_bytes([a, b, c, d])])
        .await?;
    Ok(())
}

/// Takes a token, wherever it was before. It stays the same registration with the same person, and
/// becomes another one with another.
pub(crate) async fn take(tx: &Tx<'_>, new: &NewDevice<'_>, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO device_tokens AS old
            (token, id, user_id, session_id, platform, created_at, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (token) DO UPDATE SET
            id = CASE WHEN old.user_id = excluded.user_id THEN old.id ELSE excluded.id END,
            created_at = CASE WHEN old.user_id = excluded.user_id
                THEN old.created_at ELSE excluded.created_at END,
            user_id = excluded.user_id, session_id = excluded.session_id,
            platform = excluded.platform, seen_at = excluded.seen_at";
    let platform = new.platform.as_str();
    let (id, user_id, session_id) = (&new.id, &new.user_id, &new.session_id);
    tx.execute(SQL, &[&new.token, id, user_id, session_id, &platform, &now])
        .await?;
    Ok(())
}

/// Deletes a person's registrations but the newest `keep`.
pub(crate) async fn delete_surplus(tx: &Tx<'_>, user_id: Uuid, keep: i64) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM device_tokens WHERE token IN (
        SELECT token FROM device_tokens WHERE user_id = $1
        ORDER BY seen_at DESC, id DESC OFFSET $2)";
    tx.execute(SQL, &[&user_id, &keep]).await
}

/// Deletes a token of a person; nothing happens to somebody else's.
pub(crate) async fn delete_of(db: &impl Query, user_id: Uuid, token: &str) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM device_tokens WHERE token = $1 AND user_id = $2";
    db.execute(SQL, &[&token, &user_id]).await
}

/// Deletes a token that FCM calls dead, unless it was sent to us again since it was read.
pub(crate) async fn delete_dead(
    db: &impl Query,
    device: &Device,
    read_at: Timestamp,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM device_tokens WHERE token = $1 AND id = $2 AND seen_at <= $3";
    db.execute(SQL, &[&device.token, &device.id, &read_at])
        .await
}

/// Deletes what was registered by these sign-in sessions.
pub(crate) async fn delete_of_sessions(
    db: &impl Query,
    session_ids: &[Uuid],
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM device_tokens WHERE session_id = ANY($1)";
    db.execute(SQL, &[&session_ids]).await
}

/// Deletes everything of a person.
pub(crate) async fn delete_of_user(tx: &Tx<'_>, user_id: Uuid) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM device_tokens WHERE user_id = $1";
    tx.execute(SQL, &[&user_id]).await
}

/// The sign-in sessions with registrations, the next `limit` after one.
pub(crate) async fn sessions_after(
    db: &impl Query,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT DISTINCT session_id FROM device_tokens
        WHERE $1::uuid IS NULL OR session_id > $1 ORDER BY session_id LIMIT $2";
    let rows = db.rows(SQL, &[&after, &limit]).await?;
    Ok(rows.iter().map(|row| row.get("session_id")).collect())
}

/// Whose registrations there are, of these people: the person, and the registration's id.
pub(crate) async fn ids_of_users(
    db: &impl Query,
    user_ids: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    const SQL: &str = "SELECT user_id, id FROM device_tokens WHERE user_id = ANY($1)";
    let rows = db.rows(SQL, &[&user_ids]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("user_id"), row.get("id")))
        .collect())
}

/// These registrations; absent are those that are gone.
pub(crate) async fn find(db: &impl Query, ids: &[Uuid]) -> Result<Vec<Device>, DbError> {
    const SQL: &str = "SELECT id, token, user_id, session_id, platform FROM device_tokens
        WHERE id = ANY($1)";
    db.rows(SQL, &[&ids]).await?.iter().map(device).collect()
}

fn device(row: &Row) -> Result<Device, DbError> {
    let platform: &str = row.get("platform");
    let platform = [Platform::Android, Platform::Ios, Platform::Web]
        .into_iter()
        .find(|it| it.as_str() == platform)
        .ok_or(DbError::Content("a device of an unknown platform"))?;
    Ok(Device {
        id: row.get("id"),
        token: row.get("token"),
        user_id: row.get("user_id"),
        session_id: row.get("session_id"),
        platform,
    })
}
