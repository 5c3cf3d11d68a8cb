//! Mitras.

use std::collections::HashMap;
use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{Account, AccountOrder, AccountsQuery, MitraStanding, Role, Standing};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Page, PageQuery, one_of};
use crate::act::Caller;
use crate::acts::mitras::{self as acts, MitraChange, NewMitra};
use crate::state::State;

/// A mitra: the account and how they stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Mitra)]
pub(crate) struct MitraView {
    pub(crate) id: Uuid,
    /// E.164.
    pub(crate) phone: Option<String>,
    pub(crate) display_name: String,
    /// Whether they may sign in and work.
    pub(crate) is_active: bool,
    /// Their own switch.
    pub(crate) is_online: bool,
    /// Whether they can be asked, and otherwise why not; null where availability is off.
    pub(crate) standing: Option<Standing>,
    /// How many sessions at once.
    pub(crate) max_sessions: Option<i32>,
    /// How many they have.
    pub(crate) in_use: Option<u32>,
    pub(crate) last_heartbeat_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    /// The last sign-in or refresh of a session that lives.
    pub(crate) last_used_at: Option<Timestamp>,
}

impl MitraView {
    fn new(account: Account, standing: Option<&MitraStanding>) -> Self {
        Self {
            id: account.id,
            phone: account.phone,
            display_name: account.display_name,
            is_active: account.is_active && standing.is_none_or(|it| it.is_active),
            is_online: standing.is_some_and(|it| it.is_online),
            standing: standing.map(|it| it.standing),
            max_sessions: standing.map(|it| it.max_sessions),
            in_use: standing.map(|it| it.in_use),
            last_heartbeat_at: standing.and_then(|it| it.last_heartbeat_at),
            created_at: account.created_at,
            last_used_at: account.last_used_at,
        }
    }
}

/// Which mitras.
#[derive(Clone, Debug, Default)]
pub(crate) struct MitraFilter {
    /// A part of the name or phone, or the whole id.
    pub(crate) search: Option<String>,
    /// How they stand.
    pub(crate) standing: Option<Standing>,
    /// The order.
    pub(crate) order: AccountOrder,
}

/// A page of mitras; what the API and the page show.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    filter: &MitraFilter,
    after: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<MitraView>, Option<String>), Problem> {
    let ids = match (filter.standing, state.availability()) {
        (Some(standing), Some(port)) => Some(port.standing_so(standing).await?),
        _ => None,
    };
    let query = AccountsQuery {
        search: filter.search.clone(),
        ids,
        order: filter.order,
        after,
        ..AccountsQuery::of(Role::Mitra, limit + 1)
    };
    let mut accounts = state.accounts.list(&query).await?;
    let next = paging::cut(&mut accounts, limit, |it| it.id);
    Ok((with_standings(state, accounts).await?, next))
}

/// One mitra.
///
/// # Errors
/// `not_found`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, id: Uuid) -> Result<MitraView, Problem> {
    let query = AccountsQuery {
        ids: Some(vec![id]),
        ..AccountsQuery::of(Role::Mitra, 1)
    };
    let found = with_standings(state, state.accounts.list(&query).await?).await?;
    found.into_iter().next().ok_or_else(Problem::not_found)
}

async fn with_standings(state: &State, accounts: Vec<Account>) -> Result<Vec<MitraView>, Problem> {
    let ids: Vec<Uuid> = accounts.iter().map(|it| it.id).collect();
    let standings = match state.availability() {
        Some(port) => port.standings(&ids).await?,
        None => HashMap::new(),
    };
    let view = |account: Account| {
        let standing = standings.get(&account.id);
        MitraView::new(account, standing)
    };
    Ok(accounts.into_iter().map(view).collect())
}

/// How accounts are ordered, by its name.
pub(crate) fn order(name: &str) -> Option<AccountOrder> {
    match name {
        "newest" => Some(AccountOrder::Newest),
        "oldest" => Some(AccountOrder::Oldest),
        "name" => Some(AccountOrder::Name),
        _ => None,
    }
}

/// Which mitras to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MitraQuery {
    /// A part of the name or phone, or the whole id.
    q: Option<String>,
    /// `available`, `full`, `silent`, `offline` or `deactivated`.
    standing: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List mitras
///
/// `sort` may also be `name`.
#[utoipa::path(
    operation_id = "admin_mitras",
    get, path = "/api/admin/mitras", tag = "admin", security(("bearer" = [])),
    params(MitraQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<MitraView>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let query: MitraQuery = req.query()?;
    let filter = MitraFilter {
        search: query.q.filter(|it| !it.trim().is_empty()),
        standing: one_of("standing", query.standing.as_deref(), Standing::parse)?,
        order: one_of("sort", query.page.sort(), order)?.unwrap_or_default(),
    };
    let (after, limit) = (query.page.after()?, query.page.limit()?);
    let (items, next_cursor) = list_of(&state, &filter, after, limit).await?;
    reply::ok(&Page { items, next_cursor })
}

/// Make a mitra
///
/// They sign in by a one-time code to this phone.
#[utoipa::path(
    operation_id = "admin_mitra_create",
    post, path = "/api/admin/mitras", tag = "admin", security(("bearer" = [])),
    request_body = NewMitra,
    responses(
        (status = 201, description = "The mitra", body = MitraView),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 409, description = "`phone_taken`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let new: NewMitra = req.json().await?;
    let id = acts::create(&state, &caller, &new).await?;
    reply::created(&find(&state, id).await?)
}

/// Show a mitra
#[utoipa::path(
    operation_id = "admin_mitra",
    get, path = "/api/admin/mitras/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The mitra")),
    responses(
        (status = 200, description = "The mitra", body = MitraView),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, _: Caller, req: Request) -> Reply {
    reply::ok(&find(&state, req.param("id")?).await?)
}

/// Change a mitra
///
/// Deactivating signs them out everywhere, takes them offline and hands their sessions to others.
#[utoipa::path(
    operation_id = "admin_mitra_update",
    patch, path = "/api/admin/mitras/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The mitra")),
    request_body = MitraChange,
    responses(
        (status = 200, description = "The mitra", body = MitraView),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let change: MitraChange = req.json().await?;
    acts::change(&state, &caller, id, &change).await?;
    reply::ok(&find(&state, id).await?)
}
