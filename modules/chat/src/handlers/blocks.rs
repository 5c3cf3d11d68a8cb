//! Blocks: whom somebody does not want to be paired with.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{Principal, Role};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::state::State;
use crate::store::blocks::{self as store, BlockRow, NewBlock, Pair};
use crate::text::invalid;
use crate::views::{Names, Page};
use crate::withdrawing;

/// How many people one user may block.
const BLOCKS_MAX: i64 = 500;

/// Whom to block.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateBlock {
    /// A mitra where a customer blocks, a customer where a mitra does.
    user_id: Uuid,
}

/// Somebody whom the caller has blocked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Block {
    pub(crate) user_id: Uuid,
    /// Empty for an account that is closed.
    pub(crate) display_name: String,
    pub(crate) created_at: Timestamp,
}

impl Block {
    fn of(row: &BlockRow, names: &Names) -> Self {
        Self {
            user_id: row.blocked_id,
            display_name: names.name(row.blocked_id),
            created_at: row.created_at,
        }
    }
}

/// Block somebody
///
/// The two are never offered to each other from now on, in either direction, and an offer that is open
/// between them is withdrawn. The blocked one is not told. A session that goes on is left to its two
/// sides: either may end it. Blocking again is 200 with the first block.
#[utoipa::path(
    post, path = "/api/chat/blocks", tag = "chat", security(("bearer" = [])),
    request_body = CreateBlock,
    responses(
        (status = 201, description = "Blocked", body = Block),
        (status = 200, description = "Was blocked already", body = Block),
        (status = 409, description = "`too_many_blocks`: 500 at most"),
        (status = 422, description = "`validation_failed`: nobody with this id could be paired with the caller"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let caller = req.caller()?;
    let CreateBlock { user_id } = req.json().await?;
    let pair = pair(&state, &caller, user_id).await?;
    let names = Names::of(&*state.directory, vec![user_id]).await?;
    let block = NewBlock {
        id: state.entropy.uuid(&state.clock),
        blocker_id: caller.user_id,
        blocked_id: user_id,
        pair,
        created_at: state.clock.now(),
    };
    let is_new = store::insert(&state.db, &block, BLOCKS_MAX).await?;
    // Once it is committed, so that an offer under way is either withdrawn here or not made any more.
    // The block holds without that: offers between blocked pairs are neither shown nor accepted.
    if let Err(error) = withdrawing::withdraw_between(&state, pair).await {
        let error = &error as &dyn std::error::Error;
        warn!(error, "cannot withdraw an offer to a blocked pair now");
    }
    let row = store::find(&state.db, caller.user_id, user_id).await?;
    let row = row.ok_or(ChatError::TooManyBlocks)?;
    let block = Block::of(&row, &names);
    if is_new {
        reply::created(&block)
    } else {
        reply::ok(&block)
    }
}

/// The customer and the mitra among the caller and this person.
async fn pair(state: &State, caller: &Principal, user_id: Uuid) -> Result<Pair, Problem> {
    let people = state.directory.people(&[user_id]).await?;
    let Some(person) = people.get(&user_id) else {
        return Err(invalid("user_id", "must be the id of a person"));
    };
    match (caller.role, person.role) {
        (Role::Customer, Role::Mitra) => Ok(Pair {
            customer_id: caller.user_id,
            mitra_id: user_id,
        }),
        (Role::Mitra, Role::Customer) => Ok(Pair {
            customer_id: user_id,
            mitra_id: caller.user_id,
        }),
        (Role::Mitra, _) => Err(invalid("user_id", "must be a customer")),
        _ => Err(invalid("user_id", "must be a mitra")),
    }
}

#[derive(Deserialize)]
struct ListQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Whom I have blocked
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/chat/blocks", tag = "chat", security(("bearer" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of blocks", body = Page<Block>),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let (user_id, query): (_, ListQuery) = (req.caller()?.user_id, req.query()?);
    let limit = paging::limit(query.limit)?;
    let before = paging::read_cursor(query.cursor.as_deref())?;
    let mut rows = store::list(&state.db, user_id, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut rows, limit, |row| row.id);
    let blocked = rows.iter().map(|row| row.blocked_id).collect();
    let names = Names::of(&*state.directory, blocked).await?;
    let items = rows.iter().map(|row| Block::of(row, &names)).collect();
    reply::ok(&Page { items, next_cursor })
}

/// Take a block back
///
/// The two may be paired again, by requests that are made from now on, unless the other one has blocked
/// as well.
#[utoipa::path(
    delete, path = "/api/chat/blocks/{user_id}", tag = "chat", security(("bearer" = [])),
    params(("user_id" = Uuid, Path, description = "Whom the caller has blocked")),
    responses((status = 204, description = "Not blocked by the caller, now or before")),
)]
pub(crate) async fn delete(state: Arc<State>, req: Request) -> Reply {
    let (blocker_id, blocked_id) = (req.caller()?.user_id, req.param("user_id")?);
    store::delete(&state.db, blocker_id, blocked_id).await?;
    reply::no_content()
}
