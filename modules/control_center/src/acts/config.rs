//! Changing runtime configuration.

use halobestie_core::Problem;
use halobestie_core::problem::codes;
use halobestie_core::settings::{Change, SettingRow};
use serde_json::Value;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::error::{SETTING_CHANGED, of_setting};
use crate::state::State;

/// Sets a value, in the place of `was` and of no other where that is given; the setting as it is now.
///
/// # Errors
/// `not_found`, `forbidden` where it takes an owner, `validation_failed`, `setting_changed`, or that
/// Postgres does not answer.
pub(crate) async fn set(
    state: &State,
    caller: &Caller,
    key: &str,
    (value, was): (&Value, Option<&Value>),
) -> Result<SettingRow, Problem> {
    let needed = state.settings.changed_by(key);
    let needed = needed.ok_or_else(Problem::not_found)?;
    if !caller.may(needed) {
        let detail = format!("This setting is changed by an {needed}.");
        return Err(Problem::new(&codes::FORBIDDEN).detail(detail));
    }
    state.settings.check(key, value).map_err(of_setting)?;
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let change = Change {
        key,
        value,
        by: caller.id(),
        at: act.now,
    };
    let (before, tell) = state
        .settings
        .set(&act.tx, change, (&state.db, &state.bus))
        .await?;
    // Dropped without a commit, nothing has happened.
    if was.is_some_and(|was| *was != before) {
        return Err(Problem::new(&SETTING_CHANGED));
    }
    let note = Note {
        action: "config.update",
        subject: subject("config", key),
        before: Some(before),
        after: Some(value.clone()),
    };
    act.commit(&note).await?;
    drop(connection);
    tell.run().await;
    find(state, key).await
}

/// A setting.
///
/// # Errors
/// `not_found`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, key: &str) -> Result<SettingRow, Problem> {
    let rows = state.settings.list(&state.db).await?;
    let found = rows.into_iter().find(|row| row.key == key);
    found.ok_or_else(Problem::not_found)
}
