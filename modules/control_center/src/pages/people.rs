//! People on a page: by name, with the way to their own page; and found again by what an admin types.

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::ports::{AccountsQuery, Role};
use uuid::Uuid;

use super::list::Asked;
use crate::names::Named;
use crate::state::State;

/// How many people a text may mean. More would be no search, and a list by all of them a slow one.
const MEANT_MAX: i64 = 200;

/// A name that leads to its person. `{{ people::mitra(it.mitra) }}` in a template.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% if is_closed %}<span class="hint">closed account</span>{% else %}<a href="{{ place }}/{{ id }}">{{ name }}</a>{% endif %}"#
)]
pub(crate) struct Link<'a> {
    place: &'static str,
    id: Uuid,
    name: &'a str,
    is_closed: bool,
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
    Link {
        place,
        id: who.id,
        name: &who.display_name,
        is_closed: who.is_closed,
    }
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
/// `validation_failed` where it means too many, or that Postgres does not answer.
pub(crate) async fn meant(
    state: &State,
    role: Role,
    name: &'static str,
    asked: &Asked,
) -> Result<Option<Vec<Uuid>>, Problem> {
    let Some(text) = asked.get(name) else {
        return Ok(None);
    };
    // Those of closed accounts are found by their id alone.
    if let Ok(id) = text.trim().parse() {
        return Ok(Some(vec![id]));
    }
    let query = AccountsQuery {
        search: Some(text.to_owned()),
        ..AccountsQuery::of(role, MEANT_MAX + 1)
    };
    let found = state.accounts.list(&query).await?;
    // Some of them alone would be an answer to another question.
    if found.len() > MEANT_MAX as usize {
        let message = format!("means more than {MEANT_MAX} people: write more of the name");
        return Err(Problem::invalid(name, message));
    }
    Ok(Some(found.into_iter().map(|it| it.id).collect()))
}

/// The same of either role.
///
/// # Errors
/// `validation_failed` where it means too many of one, or that Postgres does not answer.
pub(crate) async fn meant_by_either(
    state: &State,
    name: &'static str,
    asked: &Asked,
) -> Result<Option<Vec<Uuid>>, Problem> {
    let mut both = Vec::new();
    for role in [Role::Customer, Role::Mitra] {
        match meant(state, role, name, asked).await? {
            Some(found) => both.extend(found),
            None => return Ok(None),
        }
    }
    Ok(Some(both))
}
