//! Customers.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{Account, AccountsQuery, Role};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::mitras::order;
use super::{Page, PageQuery, one_of};
use crate::act::Caller;
use crate::acts::customers::{self as acts, CustomerChange};
use crate::state::State;

/// A customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Customer)]
pub(crate) struct CustomerView {
    pub(crate) id: Uuid,
    /// E.164.
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) display_name: String,
    /// `id` or `en`.
    pub(crate) language: String,
    /// Whether they may sign in.
    pub(crate) is_active: bool,
    pub(crate) created_at: Timestamp,
    /// The last sign-in or refresh of a session that lives.
    pub(crate) last_used_at: Option<Timestamp>,
}

impl From<Account> for CustomerView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            phone: account.phone,
            email: account.email,
            display_name: account.display_name,
            language: account.language,
            is_active: account.is_active,
            created_at: account.created_at,
            last_used_at: account.last_used_at,
        }
    }
}

/// A page of customers; `query.limit` is the page's.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    query: AccountsQuery,
) -> Result<(Vec<CustomerView>, Option<String>), Problem> {
    let limit = query.limit;
    let query = AccountsQuery {
        limit: limit + 1,
        ..query
    };
    let mut accounts = state.accounts.list(&query).await?;
    let next = paging::cut(&mut accounts, limit, |it| it.id);
    Ok((accounts.into_iter().map(CustomerView::from).collect(), next))
}

/// One customer.
///
/// # Errors
/// `not_found`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, id: Uuid) -> Result<CustomerView, Problem> {
    let query = AccountsQuery {
        ids: Some(vec![id]),
        ..AccountsQuery::of(Role::Customer, 1)
    };
    let found = state.accounts.list(&query).await?;
    let found = found.into_iter().next().ok_or_else(Problem::not_found)?;
    Ok(found.into())
}

/// Which customers to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustomerQuery {
    /// A part of the name, phone or email, or the whole id.
    q: Option<String>,
    /// Whether they may sign in: `true` or `false`.
    is_active: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List customers
///
/// `sort` may also be `name`.
#[utoipa::path(
    operation_id = "admin_customers",
    get, path = "/api/admin/customers", tag = "admin", security(("bearer" = [])),
    params(CustomerQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<CustomerView>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let asked: CustomerQuery = req.query()?;
    let is_active = asked.is_active.as_deref();
    let query = AccountsQuery {
        search: asked.q.filter(|it| !it.trim().is_empty()),
        is_active: one_of("is_active", is_active, |it| it.parse().ok())?,
        order: one_of("sort", asked.page.sort(), order)?.unwrap_or_default(),
        after: asked.page.after()?,
        ..AccountsQuery::of(Role::Customer, asked.page.limit()?)
    };
    let (items, next_cursor) = list_of(&state, query).await?;
    reply::ok(&Page { items, next_cursor })
}

/// Show a customer
#[utoipa::path(
    operation_id = "admin_customer",
    get, path = "/api/admin/customers/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The customer")),
    responses(
        (status = 200, description = "The customer", body = CustomerView),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, _: Caller, req: Request) -> Reply {
    reply::ok(&find(&state, req.param("id")?).await?)
}

/// Say whether a customer may sign in
#[utoipa::path(
    operation_id = "admin_customer_update",
    patch, path = "/api/admin/customers/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The customer")),
    request_body = CustomerChange,
    responses(
        (status = 200, description = "The customer", body = CustomerView),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let change: CustomerChange = req.json().await?;
    acts::change(&state, &caller, id, &change).await?;
    reply::ok(&find(&state, id).await?)
}
