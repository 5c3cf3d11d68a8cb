//! Switching customers.

use halobestie_core::Problem;
use halobestie_core::ports::Role;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::state::State;

/// A change of a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = control_center::CustomerChange)]
pub(crate) struct CustomerChange {
    /// Whether they may sign in. Deactivating signs them out everywhere.
    pub(crate) is_active: bool,
}

/// Says whether a customer may sign in.
///
/// # Errors
/// `not_found`, or that Postgres does not answer.
pub(crate) async fn change(
    state: &State,
    caller: &Caller,
    id: Uuid,
    change: &CustomerChange,
) -> Result<(), Problem> {
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let held = state.accounts.hold(&act.tx, Role::Customer, id).await?;
    let held = held.ok_or_else(Problem::not_found)?;
    let is_active = change.is_active;
    if held.is_active == is_active {
        return act.nothing().await;
    }
    let switched = state.directory.set_active(&act.tx, id, is_active).await?;
    let note = Note {
        action: "customer.update",
        subject: subject("customer", id),
        before: Some(json!({"is_active": held.is_active})),
        after: Some(json!({"is_active": is_active})),
    };
    act.commit(&note).await?;
    drop(connection);
    if let Some(after_commit) = switched {
        after_commit.run().await;
    }
    Ok(())
}
