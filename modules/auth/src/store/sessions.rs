//! `auth_sessions`: one row a signed-in device, with its family of refresh tokens.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use halobestie_core::ports::{Device, Role};
use uuid::Uuid;

use super::users::{User, columns};
use crate::keys::Hash;
use crate::rotation::Family;

/// A session that is to be.
pub(crate) struct NewSession<'a> {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) role: Role,
    pub(crate) refresh_hash: Hash,
    pub(crate) refresh_expires_at: Timestamp,
    pub(crate) device: Option<&'a Device>,
}

/// Why a session was revoked, as it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RevokeReason {
    Logout,
    SignedOut,
    AccountClosed,
    AccountDisabled,
    RefreshReused,
    PasswordReset,
}

impl RevokeReason {
    /// The name in Postgres and in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::SignedOut => "signed_out",
            Self::AccountClosed => "account_closed",
            Self::AccountDisabled => "account_disabled",
            Self::RefreshReused => "refresh_reused",
            Self::PasswordReset => "password_reset",
        }
    }
}

/// Adds a session.
pub(crate) async fn insert(
    db: &impl Query,
    new: &NewSession<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO auth_sessions
        (id, user_id, role, created_at, last_used_at, refresh_hash, refresh_expires_at,
         device_platform, device_name, device_app_version)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9)";
    let platform = new.device.map(|device| device.platform.as_str());
    let name = new.device.and_then(|device| device.name.as_deref());
    let app_version = new.device.and_then(|device| device.app_version.as_deref());
    db.execute(
        SQL,
        &[
            &new.id,
            &new.user_id,
            &new.role.as_str(),
            &now,
            &new.refresh_hash.as_slice(),
            &new.refresh_expires_at,
            &platform,
            &name,
            &app_version,
        ],
    )
    .await?;
    Ok(())
}

/// A session that a browser's cookie is to carry.
pub(crate) struct CarryByCookie {
    pub(crate) session_id: Uuid,
    pub(crate) user_id: Uuid,
    /// When it ends, should nobody use it.
    pub(crate) until: Timestamp,
    /// It must have been signed in later than this.
    pub(crate) signed_in_after: Timestamp,
}

/// Ends a session's refresh token in favour of a cookie; whose session it is. An empty hash is that of no
/// token. `None` when it may not go on, or was signed in too long ago.
pub(crate) async fn carry_by_cookie(
    db: &impl Query,
    carry: &CarryByCookie,
    now: Timestamp,
) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "UPDATE auth_sessions s
            SET refresh_hash = '', previous_hash = NULL, rotated_at = NULL, previous_uses = 0,
                refresh_expires_at = $3, last_used_at = $4
           FROM users u
          WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.role <> 'admin'
            AND s.refresh_expires_at > $4 AND s.created_at > $5
            AND u.id = s.user_id AND u.is_active
          RETURNING ",
        columns!()
    );
    let params: halobestie_core::pg::Params<'_> = &[
        &carry.session_id,
        &carry.user_id,
        &carry.until,
        &now,
        &carry.signed_in_after,
    ];
    let row = db.row_opt(SQL, params).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// Lets a session that a cookie carries last until then; false when it is over. Of many requests of one
/// page at once each does it, to the same end.
pub(crate) async fn prolong(
    db: &impl Query,
    session_id: Uuid,
    user_id: Uuid,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE auth_sessions s
            SET refresh_expires_at = greatest(refresh_expires_at, $3),
                last_used_at = greatest(last_used_at, $4)
           FROM users u
          WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL
            AND s.refresh_expires_at > $4 AND s.refresh_hash = ''
            AND u.id = s.user_id AND u.is_active";
    let params: halobestie_core::pg::Params<'_> = &[&session_id, &user_id, &until, &now];
    Ok(db.execute(SQL, params).await? == 1)
}

/// A replacement of the living token.
pub(crate) struct Rotation {
    pub(crate) session_id: Uuid,
    pub(crate) shown: Hash,
    pub(crate) successor: Hash,
    /// Whether it was shown where admins sign in.
    pub(crate) for_admins: bool,
}

/// Replaces living tokens by their successors, which end at `expires_at`; whose session each is, in the
/// group's order. `None` where the shown token is not the living one of a session that may go on. One
/// statement: the whole of a usual refresh.
///
/// Sessions are locked in the order of their ids, so that two groups never wait for each other. Where a
/// group holds a token twice, one of the two is the one that replaces it. The arrays come out of
/// subselects, so that one plan does for groups of all sizes.
pub(crate) async fn rotate(
    db: &impl Query,
    group: &[Rotation],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Vec<Option<User>>, DbError> {
    const SQL: &str = concat!(
        "WITH shown AS (
            SELECT * FROM unnest((SELECT $1::uuid[]), (SELECT $2::bytea[]), (SELECT $3::bytea[]),
                    (SELECT $4::boolean[])) WITH ORDINALITY
                AS shown (session_id, hash, successor, for_admins, place)
        ), held AS (
            SELECT id FROM auth_sessions WHERE id = ANY((SELECT $1::uuid[])::uuid[])
            ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE auth_sessions s
            SET refresh_hash = t.successor, refresh_expires_at = $5, previous_hash = s.refresh_hash,
                rotated_at = $6, previous_uses = 0, last_used_at = $6
           FROM shown t, held h, users u
          WHERE h.id = t.session_id AND s.id = h.id AND s.refresh_hash = t.hash
            AND s.revoked_at IS NULL AND s.refresh_expires_at > $6
            AND (s.role = 'admin') = t.for_admins AND u.id = s.user_id AND u.is_active
          RETURNING t.place, ",
        columns!()
    );
    let ids: Vec<Uuid> = group.iter().map(|it| it.session_id).collect();
    let shown: Vec<&[u8]> = group.iter().map(|it| it.shown.as_slice()).collect();
    let successors: Vec<&[u8]> = group.iter().map(|it| it.successor.as_slice()).collect();
    let for_admins: Vec<bool> = group.iter().map(|it| it.for_admins).collect();
    let params: halobestie_core::pg::Params<'_> =
        &[&ids, &shown, &successors, &for_admins, &expires_at, &now];
    let mut users: Vec<Option<User>> = group.iter().map(|_| None).collect();
    for row in db.rows(SQL, params).await? {
        // Places count from one.
        let place = usize::try_from(row.get::<_, i64>("place") - 1).unwrap_or(usize::MAX);
        if let Some(user) = users.get_mut(place) {
            *user = Some(User::from_row(&row)?);
        }
    }
    Ok(users)
}

/// A session and its person, for a token that could not be rotated. Held until the transaction ends.
pub(crate) async fn hold_family(
    tx: &impl Query,
    session_id: Uuid,
    for_admins: bool,
) -> Result<Option<(Family, User)>, DbError> {
    const SQL: &str = concat!(
        "SELECT s.refresh_hash, s.previous_hash, s.rotated_at, s.previous_uses,
                s.refresh_expires_at, s.revoked_at, ",
        columns!(),
        " FROM auth_sessions s JOIN users u ON u.id = s.user_id
          WHERE s.id = $1 AND (s.role = 'admin') = $2
            FOR UPDATE OF s"
    );
    let Some(row) = tx.row_opt(SQL, &[&session_id, &for_admins]).await? else {
        return Ok(None);
    };
    let user = User::from_row(&row)?;
    let family = Family {
        refresh_hash: row.get("refresh_hash"),
        previous_hash: row.get("previous_hash"),
        rotated_at: row.get("rotated_at"),
        previous_uses: row.get("previous_uses"),
        refresh_expires_at: row.get("refresh_expires_at"),
        revoked_at: row.get("revoked_at"),
        user_is_active: user.is_active,
    };
    Ok(Some((family, user)))
}

/// Counts a further use of the token before the living one.
pub(crate) async fn count_previous_use(
    tx: &impl Query,
    session_id: Uuid,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_sessions
        SET previous_uses = previous_uses + 1, last_used_at = $2 WHERE id = $1";
    tx.execute(SQL, &[&session_id, &now]).await?;
    Ok(())
}

/// Revokes one session of a person; false when there is none that lives.
pub(crate) async fn revoke(
    db: &impl Query,
    session_id: Uuid,
    user_id: Uuid,
    reason: RevokeReason,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE auth_sessions SET revoked_at = $4, revoke_reason = $3
        WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL";
    Ok(db
        .execute(SQL, &[&session_id, &user_id, &reason.as_str(), &now])
        .await?
        == 1)
}

/// Revokes every session of a person; their ids.
pub(crate) async fn revoke_all(
    db: &impl Query,
    user_id: Uuid,
    reason: RevokeReason,
    now: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "UPDATE auth_sessions SET revoked_at = $3, revoke_reason = $2
        WHERE user_id = $1 AND revoked_at IS NULL RETURNING id";
    Ok(db
        .rows(SQL, &[&user_id, &reason.as_str(), &now])
        .await?
        .iter()
        .map(id)
        .collect())
}

/// Revokes every session of a person but one; their ids.
pub(crate) async fn revoke_others(
    db: &impl Query,
    user_id: Uuid,
    kept: Uuid,
    reason: RevokeReason,
    now: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "UPDATE auth_sessions SET revoked_at = $4, revoke_reason = $3
        WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL RETURNING id";
    Ok(db
        .rows(SQL, &[&user_id, &kept, &reason.as_str(), &now])
        .await?
        .iter()
        .map(id)
        .collect())
}

/// Erases what a person's devices said about themselves. Their sessions must have been revoked.
pub(crate) async fn forget_devices(tx: &impl Query, user_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "UPDATE auth_sessions
        SET device_platform = NULL, device_name = NULL, device_app_version = NULL
        WHERE user_id = $1 AND revoked_at IS NOT NULL AND device_platform IS NOT NULL";
    tx.execute(SQL, &[&user_id]).await?;
    Ok(())
}

/// The sessions revoked after `since`.
pub(crate) async fn revoked_since(db: &impl Query, since: Timestamp) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM auth_sessions WHERE revoked_at > $1";
    Ok(db.rows(SQL, &[&since]).await?.iter().map(id).collect())
}

/// Those of these sessions that are neither revoked nor over.
pub(crate) async fn living(
    db: &impl Query,
    ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM auth_sessions
        WHERE id = ANY($1) AND revoked_at IS NULL AND refresh_expires_at > $2";
    Ok(db.rows(SQL, &[&ids, &now]).await?.iter().map(id).collect())
}

/// A session as its owner sees it.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) platform: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) app_version: Option<String>,
}

/// A person's living sessions, newest first, those older than `before`.
pub(crate) async fn list(
    db: &impl Query,
    user_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Listed>, DbError> {
    // Ids are UUIDv7: their order is the order of sign-ins.
    const SQL: &str = "SELECT id, created_at, last_used_at, refresh_expires_at, device_platform,
               device_name, device_app_version
          FROM auth_sessions
         WHERE user_id = $1 AND revoked_at IS NULL AND refresh_expires_at > $4
           AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3";
    let rows = db.rows(SQL, &[&user_id, &before, &limit, &now]).await?;
    let listed = rows.iter().map(|row| Listed {
        id: row.get("id"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
        expires_at: row.get("refresh_expires_at"),
        platform: row.get("device_platform"),
        name: row.get("device_name"),
        app_version: row.get("device_app_version"),
    });
    Ok(listed.collect())
}

/// Deletes up to `batch` sessions that were revoked or ran out before `cutoff`; how many.
pub(crate) async fn delete_dead(
    db: &impl Query,
    cutoff: Timestamp,
    batch: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM auth_sessions WHERE id IN (
        SELECT id FROM auth_sessions WHERE revoked_at < $1 OR refresh_expires_at < $1
         LIMIT $2 FOR UPDATE SKIP LOCKED)";
    db.execute(SQL, &[&cutoff, &batch]).await
}

fn id(row: &Row) -> Uuid {
    row.get("id")
}
