//! Who did what: a row a deed of an admin, in the transaction of the deed.
//!
//! The invariant: whoever changes something for an admin calls [`record`] with the transaction that
//! changes it, so that there is neither a change without its row nor a row without its change. Rows are
//! kept. What they say of a person is kept as short as the deed allows, and [`forget_person`] takes names
//! and numbers out of them when that person's account is closed.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::pg::{DbError, Query, Row, Tx};
use crate::ports::Window;
use crate::timestamp::Timestamp;

/// The members of `before` and `after` that say who a person is.
const PERSONAL: &[&str] = &["display_name", "phone", "email"];

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = audit::Actor)]
pub struct Actor {
    /// The admin.
    pub id: Uuid,
    /// The name that they had then.
    pub display_name: String,
}

/// A deed.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// A UUIDv7: the order of the list.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// What: `mitra.update`.
    pub action: &'a str,
    /// To what: `mitra:<id>`.
    pub subject: &'a str,
    /// What it was, as far as it changed.
    pub before: Option<&'a Value>,
    /// What it is now.
    pub after: Option<&'a Value>,
    /// The request that asked for it.
    pub request_id: Option<&'a str>,
}

/// Writes a deed down.
///
/// # Errors
/// When Postgres does not answer; the deed must then not happen either.
pub async fn record(tx: &Tx<'_>, deed: &Deed<'_>) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO audit_log
            (id, at, admin_id, admin_name, action, subject, before, after, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let Deed {
        id,
        at,
        actor,
        action,
        subject,
        before,
        after,
        request_id,
    } = deed;
    let params: crate::pg::Params<'_> = &[
        id,
        at,
        &actor.id,
        &actor.display_name,
        action,
        subject,
        before,
        after,
        request_id,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// A deed as it was written down.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = audit::Recorded)]
pub struct Recorded {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub admin: Actor,
    /// What: `mitra.update`.
    pub action: String,
    /// To what: `mitra:<id>`.
    pub subject: String,
    /// What it was, as far as it changed.
    pub before: Option<Value>,
    /// What it is now.
    pub after: Option<Value>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// Which deeds to list. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By this admin.
    pub admin_id: Option<Uuid>,
    /// This action, or all of a kind: `mitra` is `mitra.create`, `mitra.update` and so on.
    pub action: Option<String>,
    /// On this subject.
    pub subject: Option<String>,
}

macro_rules! page_of_deeds {
    ($order:literal) => {
        concat!(
            "SELECT id, at, admin_id, admin_name, action, subject, before, after, request_id
               FROM audit_log
              WHERE ($1::uuid IS NULL OR admin_id = $1)
                AND ($2::text IS NULL OR action = $2 OR starts_with(action, $2 || '.'))
                AND ($3::text IS NULL OR subject = $3)
                AND id > $4 AND id < $5
              ORDER BY id ",
            $order,
            " LIMIT $6"
        )
    };
}

/// A page of deeds. Their ids begin with their time, so the window's days are found by them.
///
/// # Errors
/// When Postgres does not answer.
pub async fn list(
    db: &impl Query,
    filter: &Filter,
    window: Window,
) -> Result<Vec<Recorded>, DbError> {
    const LATEST: &str = page_of_deeds!("DESC");
    const OLDEST: &str = page_of_deeds!("ASC");
    let sql = if window.oldest_first { OLDEST } else { LATEST };
    let (lower, upper) = window.bounds();
    let params: crate::pg::Params<'_> = &[
        &filter.admin_id,
        &filter.action,
        &filter.subject,
        &lower,
        &upper,
        &window.limit,
    ];
    Ok(db.rows(sql, params).await?.iter().map(recorded).collect())
}

/// One deed.
///
/// # Errors
/// When Postgres does not answer.
pub async fn find(db: &impl Query, id: Uuid) -> Result<Option<Recorded>, DbError> {
    const SQL: &str = "
        SELECT id, at, admin_id, admin_name, action, subject, before, after, request_id
          FROM audit_log WHERE id = $1";
    Ok(db.row_opt(SQL, &[&id]).await?.as_ref().map(recorded))
}

fn recorded(row: &Row) -> Recorded {
    Recorded {
        id: row.get("id"),
        at: row.get("at"),
        admin: Actor {
            id: row.get("admin_id"),
            display_name: row.get("admin_name"),
        },
        action: row.get("action"),
        subject: row.get("subject"),
        before: row.get("before"),
        after: row.get("after"),
        request_id: row.get("request_id"),
    }
}

/// Takes what says who a person is out of the deeds on these subjects; that they happened stays.
///
/// # Errors
/// When Postgres does not answer.
pub async fn forget_person(tx: &Tx<'_>, subjects: &[String]) -> Result<(), DbError> {
    const SQL: &str =
        "UPDATE audit_log SET before = before - $2::text[], after = after - $2::text[]
        WHERE subject = ANY($1) AND (before ?| $2 OR after ?| $2)";
    tx.execute(SQL, &[&subjects, &PERSONAL]).await?;
    Ok(())
}
