//! People on a page: by name, with the way to their own page; and found again by what an admin types.

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::ports::{AccountsQuery, Role};
use uuid::Uuid;

use crate::names::Named;
use crate::state::State;

/// How many people a text may mean. More would be no search, and a list by all of them a slow one.
const MEANT_MAX: i64 = 200;

/// A name that leads to its person. `{{ people::mitra(it.mitra) }}` in a template.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% if name.is_empty() %}<span class="hint">closed account</span>{% else %}<a href="{{ place }}/{{ id }}">{{ name }}</a>{% endif %}"#
)]
pub(crate) struct Link<'a> {
    place: &'static str,
    id: Uuid,
    name: &'a str,
}

impl askama::filters::HtmlSafe for Link<'_> {}

/// A customer.
pub(crate) fn customer(who: &Named) -> Link<'_> {
    of("customer", who)
}

/// A mitra.
pub(crate) fn mitra(who: &Named) -> Link<'_> {
    of("mitra", who)
}

/// Somebody of this role.
pub(crate) fn of<'a>(role: &str, who: &'a Named) -> Link<'a> {
    let place = match role {
        "mitra" => "/mitras",
        _ => "/customers",
    };
    let (id, name) = (who.id, who.display_name.as_str());
    Link { place, id, name }
}

/// The other side of a session.
pub(crate) fn other_than(role: &str) -> &'static str {
    match role {
        "mitra" => "customer",
        _ => "mitra",
    }
}

/// Whom of a role a text means: the one with this id, or those with a part of this name, phone or email.
/// Nothing asked is nothing narrowed.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn meant(
    state: &State,
    role: Role,
    text: Option<&str>,
) -> Result<Option<Vec<Uuid>>, Problem> {
    let Some(text) = text else { return Ok(None) };
    // Those of closed accounts are found by their id alone.
    if let Ok(id) = text.trim().parse() {
        return Ok(Some(vec![id]));
    }
    let query = AccountsQuery {
        search: Some(text.to_owned()),
        ..AccountsQuery::of(role, MEANT_MAX)
    };
    let found = state.accounts.list(&query).await?;
    Ok(Some(found.into_iter().map(|it| it.id).collect()))
}

/// The same of either role.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn meant_by_either(
    state: &State,
    text: Option<&str>,
) -> Result<Option<Vec<Uuid>>, Problem> {
    let mut both = Vec::new();
    for role in [Role::Customer, Role::Mitra] {
        match meant(state, role, text).await? {
            Some(found) => both.extend(found),
            None => return Ok(None),
        }
    }
    Ok(Some(both))
}
