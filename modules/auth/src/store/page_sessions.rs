//! Sessions of admins with who they are, as one row: what every request of the control center asks.

use halobestie_core::Timestamp;
use halobestie_core::audit::Actor;
use halobestie_core::pg::{DbError, Query, Row};
use halobestie_core::ports::SignedAdmin;
use uuid::Uuid;

use crate::keys::Hash;

macro_rules! select_admins {
    ($where:literal) => {
        concat!(
            "SELECT s.id AS session_id, s.created_at, s.last_used_at, u.id AS user_id, u.display_name,
                coalesce(u.admin_role, 'operator') AS admin_role
            FROM auth_sessions s JOIN users u ON u.id = s.user_id
            WHERE s.id = $1 AND s.revoked_at IS NULL AND u.role = 'admin' AND u.is_active AND ",
            $where
        )
    };
}

/// The admin of a session that is not revoked.
pub(crate) async fn by_id(
    db: &impl Query,
    session_id: Uuid,
    user_id: Uuid,
) -> Result<Option<SignedAdmin>, DbError> {
    const SQL: &str = select_admins!("u.id = $2");
    let row = db.row_opt(SQL, &[&session_id, &user_id]).await?;
    row.as_ref().map(admin).transpose()
}

/// When a session began, and when it was last used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// The admin of a page session that lives, and its use.
pub(crate) async fn by_hash(
    db: &impl Query,
    session_id: Uuid,
    hash: &Hash,
    now: Timestamp,
) -> Result<Option<(SignedAdmin, Used)>, DbError> {
    const SQL: &str = select_admins!("s.refresh_hash = $2 AND s.refresh_expires_at > $3");
    let row = db
        .row_opt(SQL, &[&session_id, &hash.as_slice(), &now])
        .await?;
    let read = |row: Row| {
        let used = Used {
            first: row.get("created_at"),
            last: row.get("last_used_at"),
        };
        Ok((admin(&row)?, used))
    };
    row.map(read).transpose()
}

/// Writes a use down, and until when the session lives by it.
pub(crate) async fn touch(
    db: &impl Query,
    session_id: Uuid,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_sessions SET last_used_at = $2, refresh_expires_at = $3
        WHERE id = $1 AND revoked_at IS NULL";
    db.execute(SQL, &[&session_id, &now, &expires_at]).await?;
    Ok(())
}

fn admin(row: &Row) -> Result<SignedAdmin, DbError> {
    let role: &str = row.get("admin_role");
    let unknown = |_| DbError::Content("an unknown role of an admin is stored");
    Ok(SignedAdmin {
        actor: Actor {
            id: row.get("user_id"),
            display_name: row.get("display_name"),
        },
        role: role.parse().map_err(unknown)?,
        session_id: row.get("session_id"),
    })
}
