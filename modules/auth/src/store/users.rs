//! `users`: one row an account. A closed account keeps its row and nothing personal.

use halobestie_core::Timestamp;
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::{DbError, Query, Row};
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::role;

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) display_name: String,
    pub(crate) language: String,
    pub(crate) is_active: bool,
    pub(crate) is_closed: bool,
}

impl User {
    /// Reads an account from a row that has [`COLUMNS`], whatever else it has.
    ///
    /// # Errors
    /// When the stored role is unknown.
    pub(super) fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("user_id"),
            role: role(row.get("user_role"))?,
            phone: row.get("phone"),
            email: row.get("email"),
            display_name: row.get("display_name"),
            language: row.get("language"),
            is_active: row.get("is_active"),
            is_closed: row.get("is_closed"),
        })
    }
}

/// The columns of an account `u`, under names that no other table of ours uses.
macro_rules! columns {
    () => {
        "u.id AS user_id, u.role AS user_role, u.phone, u.email, u.display_name, u.language, \
         u.is_active, u.closed_at IS NOT NULL AS is_closed"
    };
}
pub(super) use columns;

/// An account that is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewUser<'a> {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    pub(crate) phone: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    pub(crate) display_name: &'a str,
}

/// What a customer is called until they say otherwise.
pub(crate) fn friendly_name(entropy: &Entropy) -> String {
    format!("Teman {:04}", entropy.below(10_000))
}

/// Makes an account; `None` when this role already has one with that phone or email.
pub(crate) async fn insert(
    db: &impl Query,
    new: NewUser<'_>,
    now: Timestamp,
) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "INSERT INTO users AS u (id, role, phone, email, display_name, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING
         RETURNING ",
        columns!()
    );
    let NewUser {
        id,
        role,
        phone,
        email,
        display_name,
    } = new;
    let role = role.as_str();
    let params: halobestie_core::pg::Params<'_> =
        &[&id, &role, &phone, &email, &display_name, &now];
    let row = db.row_opt(SQL, params).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// The account of a phone, held until the transaction ends, so that it cannot be closed meanwhile.
pub(crate) async fn hold_by_phone(
    tx: &impl Query,
    role: Role,
    phone: &str,
) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.role = $1 AND u.phone = $2 FOR SHARE"
    );
    let row = tx.row_opt(SQL, &[&role.as_str(), &phone]).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// The account of an email, held until the transaction ends.
pub(crate) async fn hold_by_email(
    tx: &impl Query,
    role: Role,
    email: &str,
) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.role = $1 AND u.email = $2 FOR SHARE"
    );
    let row = tx.row_opt(SQL, &[&role.as_str(), &email]).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// The language of an email's account.
pub(crate) async fn language_by_email(
    db: &impl Query,
    role: Role,
    email: &str,
) -> Result<Option<String>, DbError> {
    const SQL: &str = "SELECT language FROM users WHERE role = $1 AND email = $2";
    let row = db.row_opt(SQL, &[&role.as_str(), &email]).await?;
    Ok(row.map(|row| row.get("language")))
}

/// An account that is not closed.
pub(crate) async fn open_by_id(db: &impl Query, user_id: Uuid) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.id = $1 AND u.closed_at IS NULL"
    );
    let row = db.row_opt(SQL, &[&user_id]).await?;
    row.as_ref().map(User::from_row).transpose()
}

/// The accounts with these ids, closed ones included.
pub(crate) async fn by_ids(db: &impl Query, ids: &[Uuid]) -> Result<Vec<User>, DbError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = ANY($1)");
    db.rows(SQL, &[&ids])
        .await?
        .iter()
        .map(User::from_row)
        .collect()
}

/// Changes what is given of an account that is not closed.
pub(crate) async fn update_profile(
    db: &impl Query,
    user_id: Uuid,
    display_name: Option<&str>,
    language: Option<&str>,
) -> Result<Option<User>, DbError> {
    const SQL: &str = concat!(
        "UPDATE users u
            SET display_name = coalesce($2, u.display_name), language = coalesce($3, u.language)
          WHERE u.id = $1 AND u.closed_at IS NULL
          RETURNING ",
        columns!()
    );
    let row = db
        .row_opt(SQL, &[&user_id, &display_name, &language])
        .await?;
    row.as_ref().map(User::from_row).transpose()
}

/// Says whether an account may sign in; false when there is none, or it is closed.
pub(crate) async fn set_active(
    tx: &impl Query,
    user_id: Uuid,
    is_active: bool,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE users SET is_active = $2 WHERE id = $1 AND closed_at IS NULL";
    Ok(tx.execute(SQL, &[&user_id, &is_active]).await? == 1)
}

/// Closes an account and erases what is personal; false when it was closed already.
pub(crate) async fn close(tx: &impl Query, user_id: Uuid, now: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE users
        SET closed_at = $2, is_active = false, phone = NULL, email = NULL, password_hash = NULL,
            display_name = ''
        WHERE id = $1 AND closed_at IS NULL";
    Ok(tx.execute(SQL, &[&user_id, &now]).await? == 1)
}
