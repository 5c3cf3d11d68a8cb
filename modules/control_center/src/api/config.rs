//! Runtime configuration.

use std::sync::Arc;

use halobestie_core::audit::{self, Filter};
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::ports::{AdminRole, Window};
use halobestie_core::settings::SettingRow;
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::audit::list_of as list_deeds;
use super::{Page, PageQuery};
use crate::act::Caller;
use crate::acts::{config as acts, subject};
use crate::names::{Named, Names};
use crate::state::State;

/// A setting.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Setting)]
pub(crate) struct SettingView {
    /// Its name.
    pub(crate) key: &'static str,
    /// Its value.
    pub(crate) value: Value,
    /// What it is for.
    pub(crate) description: &'static str,
    /// When it was set; null while nobody has.
    pub(crate) updated_at: Option<Timestamp>,
    /// The admin who set it; null for nobody.
    pub(crate) updated_by: Option<Named>,
    /// The value unless somebody sets another.
    pub(crate) default: Value,
    /// A JSON schema of the value.
    pub(crate) schema: Value,
    /// Who may change it: this role and those above it.
    pub(crate) changed_by: AdminRole,
}

impl SettingView {
    fn new(row: SettingRow, names: &Names) -> Self {
        Self {
            key: row.key,
            value: row.value,
            description: row.description,
            updated_at: row.updated_at,
            updated_by: row.updated_by.map(|id| names.named(id)),
            default: row.default,
            schema: row.schema,
            changed_by: row.changed_by,
        }
    }
}

/// Every setting of the enabled modules.
#[derive(Serialize, ToSchema)]
#[schema(as = control_center::Settings)]
pub(crate) struct SettingList {
    items: Vec<SettingView>,
}

/// Every setting, by key.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn list_of(state: &State) -> Result<Vec<SettingView>, Problem> {
    let rows = state.settings.list(&state.db).await?;
    named(state, rows).await
}

/// One setting.
///
/// # Errors
/// `not_found`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, key: &str) -> Result<SettingView, Problem> {
    one(state, acts::find(state, key).await?).await
}

async fn one(state: &State, row: SettingRow) -> Result<SettingView, Problem> {
    let view = named(state, vec![row]).await?;
    view.into_iter().next().ok_or_else(Problem::not_found)
}

async fn named(state: &State, rows: Vec<SettingRow>) -> Result<Vec<SettingView>, Problem> {
    let names = Names::of(state, rows.iter().filter_map(|row| row.updated_by)).await?;
    let view = |row| SettingView::new(row, &names);
    Ok(rows.into_iter().map(view).collect())
}

/// List the runtime configuration
#[utoipa::path(
    operation_id = "admin_config",
    get, path = "/api/admin/config", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "Every setting", body = SettingList),
        (status = 403, description = "`forbidden`: admins only"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, _: Request) -> Reply {
    let items = list_of(&state).await?;
    reply::ok(&SettingList { items })
}

/// A value for a setting.
#[derive(Deserialize, ToSchema)]
#[schema(as = control_center::NewValue)]
pub(crate) struct NewValue {
    /// As the setting's schema says.
    value: Value,
    /// The value that this one is to replace, where it must be no other: what was read before.
    was: Option<Value>,
}

/// Set a value
///
/// Every replica uses it within a second. What moves money takes an owner.
#[utoipa::path(
    operation_id = "admin_config_set",
    put, path = "/api/admin/config/{key}", tag = "admin", security(("bearer" = [])),
    params(("key" = String, Path, description = "The setting, such as `packages`")),
    request_body = NewValue,
    responses(
        (status = 200, description = "The setting", body = SettingView),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`setting_changed`: the value is another than `was`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn set(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let key: String = req.param("key")?;
    let NewValue { value, was } = req.json().await?;
    let row = acts::set(&state, &caller, &key, (&value, was.as_ref())).await?;
    reply::ok(&one(&state, row).await?)
}

/// Who set a value, when, from what, to what.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::SettingChange)]
pub(crate) struct SettingChange {
    /// When.
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) admin: audit::Actor,
    /// What it was.
    pub(crate) from: Option<Value>,
    /// What it was set to.
    pub(crate) to: Option<Value>,
}

/// The changes of a setting: what the audit says of it. `window.limit` is the page's.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn history_of(
    state: &State,
    key: &str,
    window: Window,
) -> Result<(Vec<SettingChange>, Option<String>), Problem> {
    let filter = Filter {
        subject: Some(subject("config", key)),
        ..Filter::default()
    };
    let (deeds, next) = list_deeds(state, &filter, window).await?;
    let change = |deed: audit::Recorded| SettingChange {
        at: deed.at,
        admin: deed.admin,
        from: deed.before,
        to: deed.after,
    };
    Ok((deeds.into_iter().map(change).collect(), next))
}

/// List the changes of a setting
#[utoipa::path(
    operation_id = "admin_config_history",
    get, path = "/api/admin/config/{key}/history", tag = "admin", security(("bearer" = [])),
    params(("key" = String, Path, description = "The setting, such as `packages`"), PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<SettingChange>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn history(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let (key, page): (String, PageQuery) = (req.param("key")?, req.query()?);
    state
        .settings
        .changed_by(&key)
        .ok_or_else(Problem::not_found)?;
    let window = Window {
        limit: page.limit()?,
        ..page.window()?
    };
    let (items, next_cursor) = history_of(&state, &key, window).await?;
    reply::ok(&Page { items, next_cursor })
}
