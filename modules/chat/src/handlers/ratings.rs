//! `POST /api/chat/sessions/{id}/rating`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::state::State;
use crate::store::ratings::{self as store, RatingRow};
use crate::store::sessions;
use crate::text::{self, invalid};

const COMMENT_CHARS_MAX: usize = 1000;

/// What a customer thinks of a session.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateRating {
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    stars: i64,
    /// At most 1,000 characters.
    comment: Option<String>,
}

/// A rating.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rating {
    session_id: Uuid,
    /// Whose session it was when it was rated.
    mitra_id: Uuid,
    stars: i16,
    comment: Option<String>,
    created_at: Timestamp,
}

impl From<RatingRow> for Rating {
    fn from(row: RatingRow) -> Self {
        Self {
            session_id: row.session_id,
            mitra_id: row.mitra_id,
            stars: row.stars,
            comment: row.comment,
            created_at: row.created_at,
        }
    }
}

/// Rate a session
///
/// Once a session, from its beginning on. The same rating sent again is 200 with the first one. The
/// mitra is not told.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/rating", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    request_body = CreateRating,
    responses(
        (status = 201, description = "Rated", body = Rating),
        (status = 200, description = "Was rated so already", body = Rating),
        (status = 403, description = "`forbidden`: customers only"),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`already_rated`: otherwise than this; `session_state`: it has not begun"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let (id, customer_id): (Uuid, _) = (req.param("id")?, req.caller()?.user_id);
    let asked: CreateRating = req.json().await?;
    let stars = stars(asked.stars)?;
    let comment = text::optional("comment", asked.comment, COMMENT_CHARS_MAX)?;
    let said = (stars, comment.as_deref());
    let now = state.clock.now();
    if let Some(row) = store::insert(&state.db, id, customer_id, said, now).await? {
        return reply::created(&Rating::from(row));
    }
    match store::find_of(&state.db, customer_id, id).await? {
        Some(row) if (row.stars, row.comment.as_deref()) == said => reply::ok(&Rating::from(row)),
        Some(_) => Err(ChatError::AlreadyRated.into()),
        None => Err(unrateable(&state, customer_id, id).await?.into()),
    }
}

fn stars(asked: i64) -> Result<i16, Problem> {
    match i16::try_from(asked) {
        Ok(stars @ 1..=5) => Ok(stars),
        _ => Err(invalid("stars", "must be 1 to 5")),
    }
}

async fn unrateable(state: &State, customer_id: Uuid, id: Uuid) -> Result<ChatError, Problem> {
    let found = sessions::find_of(&state.db, customer_id, id).await?;
    Ok(match found {
        Some(_) => ChatError::SessionState,
        None => ChatError::NotFound,
    })
}
