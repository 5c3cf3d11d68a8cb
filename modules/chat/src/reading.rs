//! Read marks: how far each side has read, told to both.

use halobestie_core::Problem;
use uuid::Uuid;

use crate::error::ChatError;
use crate::live::events;
use crate::state::State;
use crate::store::sides as store;

/// Moves a user's mark forward; one that would not move is no event.
///
/// # Errors
/// `not_found` for somebody else's session.
pub(crate) async fn mark(
    state: &State,
    user_id: Uuid,
    session_id: Uuid,
    seq: i64,
) -> Result<(), Problem> {
    let mark = store::mark_read(&state.db, session_id, user_id, seq).await?;
    let mark = mark.ok_or(ChatError::NotFound)?;
    if let Some(seq) = mark.moved_to {
        let event = events::read(session_id, user_id, seq);
        state.tell(mark.sides.customer_id, event.as_ref());
        state.tell(mark.sides.mitra_id, event.as_ref());
    }
    Ok(())
}
