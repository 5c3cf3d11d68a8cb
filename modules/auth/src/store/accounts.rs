//! Accounts as admins list them.

use halobestie_core::pg::{DbError, Params, Query, Row};
use halobestie_core::ports::{Account, AccountOrder, AccountsQuery, Role};
use uuid::Uuid;

use super::role;

/// The columns of an [`Account`] `u`.
macro_rules! columns {
    () => {
        "u.id, u.role, u.phone, u.email, u.display_name, u.language, u.is_active, u.created_at,
         (SELECT max(s.last_used_at) FROM auth_sessions s
           WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS last_used_at"
    };
}

/// Accounts that are not closed. `$6` is the account before the page; where it has gone meanwhile, the
/// list is at its end. A search is a scan of the role: it is for people, and bounded by the statement's
/// deadline.
macro_rules! select_accounts {
    ($after:literal, $order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM users u
              WHERE u.role = $1 AND u.closed_at IS NULL
                AND ($2::text IS NULL OR u.display_name ILIKE $2 OR u.phone LIKE $2 OR u.email LIKE $2
                     OR u.id::text = $3)
                AND ($4::boolean IS NULL OR u.is_active = $4)
                AND ($5::uuid[] IS NULL OR u.id = ANY($5))
                AND ($6::uuid IS NULL OR ",
            $after,
            ") ORDER BY ",
            $order,
            " LIMIT $7"
        )
    };
}

/// A page of accounts.
pub(crate) async fn list(db: &impl Query, query: &AccountsQuery) -> Result<Vec<Account>, DbError> {
    const NEWEST: &str = select_accounts!("u.id < $6", "u.id DESC");
    const OLDEST: &str = select_accounts!("u.id > $6", "u.id");
    const BY_NAME: &str = select_accounts!(
        "(lower(u.display_name), u.id)
            > (SELECT lower(b.display_name), b.id FROM users b WHERE b.id = $6)",
        "lower(u.display_name), u.id"
    );
    let sql = match query.order {
        AccountOrder::Newest => NEWEST,
        AccountOrder::Oldest => OLDEST,
        AccountOrder::Name => BY_NAME,
    };
    let search = query.search.as_deref().map(str::trim);
    let search = search.filter(|text| !text.is_empty());
    // A plus and dashes alone are no number, and a part of every one.
    if search.is_some_and(|text| pattern(text).is_none()) {
        return Ok(Vec::new());
    }
    let params: Params<'_> = &[
        &query.role.as_str(),
        &search.and_then(pattern),
        &search.map(str::to_lowercase),
        &query.is_active,
        &query.ids,
        &query.after,
        &query.limit,
    ];
    db.rows(sql, params).await?.iter().map(account).collect()
}

/// An account that is not closed, held until the transaction ends.
pub(crate) async fn hold(
    tx: &impl Query,
    role: Role,
    id: Uuid,
) -> Result<Option<Account>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users u WHERE u.id = $1 AND u.role = $2 AND u.closed_at IS NULL FOR UPDATE"
    );
    let row = tx.row_opt(SQL, &[&id, &role.as_str()]).await?;
    row.as_ref().map(account).transpose()
}

/// What is searched for, as a part of a text; `None` for what is a part of nothing. Phones are written in
/// any of their forms.
fn pattern(search: &str) -> Option<String> {
    let text = search.trim().to_lowercase();
    let is_phone = text
        .chars()
        .all(|it| it.is_ascii_digit() || "+ -".contains(it));
    let text = if is_phone {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.trim_start_matches('0').to_owned()
    } else {
        text
    };
    if text.is_empty() {
        return None;
    }
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    Some(format!("%{escaped}%"))
}

fn account(row: &Row) -> Result<Account, DbError> {
    Ok(Account {
        id: row.get("id"),
        role: role(row.get("role"))?,
        phone: row.get("phone"),
        email: row.get("email"),
        display_name: row.get("display_name"),
        language: row.get("language"),
        is_active: row.get("is_active"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_part_and_never_a_pattern() {
        let pattern = |text| pattern(text).unwrap_or_default();
        assert_eq!(pattern(" Ayu "), "%ayu%");
        assert_eq!(pattern("50%_\\"), "%50\\%\\_\\\\%");
        assert_eq!(pattern("0812-3456"), "%8123456%");
        assert_eq!(pattern("+62 812"), "%62812%");
        for nothing in ["+", " - ", "0", "00"] {
            assert_eq!(pattern(nothing), "", "{nothing:?} is a part of no number");
        }
    }
}
