//! `GET /api/tours`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Tour;
use crate::tours::state::State;
use crate::tours::store;

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::tours) struct Part {
    /// 1 to 100; 50 where it is not said.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of tours.
#[derive(Serialize, ToSchema)]
pub(in crate::tours) struct Page {
    items: Vec<Tour>,
    next_cursor: Option<String>,
}

/// Your tours
///
/// The newest first. Those that are `finalising` get their summary when they are asked for one by one.
#[utoipa::path(
    get, path = "/api/tours", tag = "tours", security(("bearer" = [])), params(Part),
    responses((status = 200, description = "A page", body = Page)),
)]
pub(in crate::tours) async fn list(state: Arc<State>, req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let part: Part = req.query()?;
    let limit = paging::limit(part.limit)?;
    let before = paging::read_cursor(part.cursor.as_deref())?;
    let mut found = store::list(&state.db, owner_id, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut found, limit, |it| it.id);
    let items = found.into_iter().map(Tour::from).collect();
    reply::ok(&Page { items, next_cursor })
}
