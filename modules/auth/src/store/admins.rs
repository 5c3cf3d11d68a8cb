//! The admins among `users`: those with a password and a role of the control center.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use halobestie_core::ports::{Admin, AdminRole};
use uuid::Uuid;

use super::users::{User, columns};

/// An admin's account that is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewAdminRow<'a> {
    pub(crate) id: Uuid,
    pub(crate) email: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) display_name: &'a str,
    pub(crate) admin_role: AdminRole,
}

/// Makes an account; false when an admin has that email already.
pub(crate) async fn insert(
    db: &impl Query,
    new: NewAdminRow<'_>,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO users
            (id, role, email, password_hash, display_name, admin_role, created_at)
        VALUES ($1, 'admin', $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING";
    let NewAdminRow {
        id,
        email,
        password_hash,
        display_name,
        admin_role,
    } = new;
    let role = admin_role.as_str();
    let params: halobestie_core::pg::Params<'_> =
        &[&id, &email, &password_hash, &display_name, &role, &now];
    Ok(db.execute(SQL, params).await? == 1)
}

/// The id and password hash of an account that is not closed.
pub(crate) async fn password(
    db: &impl Query,
    email: &str,
) -> Result<Option<(Uuid, Option<String>)>, DbError> {
    const SQL: &str = "SELECT id, password_hash FROM users WHERE role = 'admin' AND email = $1";
    let row = db.row_opt(SQL, &[&email]).await?;
    Ok(row.map(|row| (row.get("id"), row.get("password_hash"))))
}

/// An account that still has this very password hash, held until the transaction ends.
pub(crate) async fn hold_with_password(
    tx: &impl Query,
    user_id: Uuid,
    password_hash: &str,
) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.id = $1 AND u.password_hash = $2 FOR SHARE"
    );
    let row = tx.row_opt(SQL, &[&user_id, &password_hash]).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// Puts another hash in the place of `before`; false when that is not there any more.
pub(crate) async fn replace_hash(
    db: &impl Query,
    user_id: Uuid,
    before: &str,
    after: &str,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    Ok(db.execute(SQL, &[&user_id, &before, &after]).await? == 1)
}

/// Sets the password hash of an account that is not closed; whose it is.
pub(crate) async fn set_password(
    tx: &impl Query,
    email: &str,
    password_hash: &str,
) -> Result<Option<Uuid>, DbError> {
    const SQL: &str = "UPDATE users SET password_hash = $2
        WHERE role = 'admin' AND email = $1 RETURNING id";
    let row = tx.row_opt(SQL, &[&email, &password_hash]).await?;
    Ok(row.map(|row| row.get("id")))
}

/// The columns of an [`Admin`] `u`.
macro_rules! admin_columns {
    () => {
        "u.id, u.email, u.display_name, coalesce(u.admin_role, 'operator') AS admin_role,
         u.is_active, u.created_at,
         (SELECT max(s.last_used_at) FROM auth_sessions s
           WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS last_used_at"
    };
}

/// Accounts that are not closed, by email.
pub(crate) async fn list(db: &impl Query, limit: i64) -> Result<Vec<Admin>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        admin_columns!(),
        " FROM users u WHERE u.role = 'admin' AND u.closed_at IS NULL
          ORDER BY u.email LIMIT $1"
    );
    db.rows(SQL, &[&limit]).await?.iter().map(admin).collect()
}

/// An account that is not closed.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<Admin>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        admin_columns!(),
        " FROM users u WHERE u.id = $1 AND u.role = 'admin' AND u.closed_at IS NULL"
    );
    db.row_opt(SQL, &[&id])
        .await?
        .as_ref()
        .map(admin)
        .transpose()
}

/// Holds this account and every owner that may sign in until the transaction ends; those owners.
pub(crate) async fn hold_owners(tx: &impl Query, id: Uuid) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT id, admin_role = 'owner' AND is_active AS is_owner FROM users
        WHERE role = 'admin' AND closed_at IS NULL
          AND (id = $1 OR (admin_role = 'owner' AND is_active))
        ORDER BY id FOR UPDATE";
    let rows = tx.rows(SQL, &[&id]).await?;
    let owners = rows
        .iter()
        .filter(|row| row.get::<_, Option<bool>>("is_owner") == Some(true));
    Ok(owners.map(|row| row.get("id")).collect())
}

/// Writes an account's name, role and switch.
pub(crate) async fn update(tx: &impl Query, admin: &Admin) -> Result<(), DbError> {
    const SQL: &str = "UPDATE users SET display_name = $2, admin_role = $3, is_active = $4
        WHERE id = $1 AND role = 'admin'";
    let role = admin.role.as_str();
    let params: halobestie_core::pg::Params<'_> =
        &[&admin.id, &admin.display_name, &role, &admin.is_active];
    tx.execute(SQL, params).await?;
    Ok(())
}

fn admin(row: &Row) -> Result<Admin, DbError> {
    let role: &str = row.get("admin_role");
    let unknown = |_| DbError::Content("an unknown role of an admin is stored");
    Ok(Admin {
        id: row.get("id"),
        // Null is not what a command writes, and not worth to hide the row for.
        email: row.get::<_, Option<String>>("email").unwrap_or_default(),
        display_name: row.get("display_name"),
        role: role.parse().map_err(unknown)?,
        is_active: row.get("is_active"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
    })
}
