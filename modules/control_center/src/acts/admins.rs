//! Making and changing admins: what owners alone do.

use halobestie_core::Problem;
use halobestie_core::ports::{Admin, AdminChange, AdminRole, NewAdmin};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::error::of_admin;
use crate::state::State;

/// An admin who is to be.
#[derive(Deserialize, ToSchema)]
#[schema(as = control_center::NewAdmin)]
pub(crate) struct MakeAdmin {
    /// Who signs in.
    #[schema(example = "dewi@example.org")]
    pub(crate) email: String,
    /// 1 to 50 characters.
    pub(crate) display_name: String,
    /// What they may do.
    pub(crate) role: AdminRole,
    /// 8 to 71 bytes.
    #[schema(value_type = String)]
    pub(crate) password: SecretString,
}

/// A change of an admin. What is absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = control_center::AdminChange)]
pub(crate) struct ChangeAdmin {
    /// 1 to 50 characters.
    pub(crate) display_name: Option<String>,
    /// What they may do, from their next request on.
    pub(crate) role: Option<AdminRole>,
    /// Whether they may sign in. Deactivating signs them out everywhere.
    pub(crate) is_active: Option<bool>,
    /// Another password, 8 to 71 bytes. Signs them out everywhere.
    #[schema(value_type = Option<String>)]
    pub(crate) password: Option<SecretString>,
}

/// Makes an admin.
///
/// # Errors
/// `validation_failed`, `email_taken`, or that Postgres does not answer.
pub(crate) async fn create(
    state: &State,
    caller: &Caller,
    asked: MakeAdmin,
) -> Result<Admin, Problem> {
    let accounts = &state.admin_accounts;
    // Before the transaction: a hash takes a while on purpose.
    let password = accounts.hash_password(asked.password).await;
    let password = password.map_err(of_admin)?;
    let new = NewAdmin {
        email: asked.email,
        display_name: asked.display_name,
        role: asked.role,
    };
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let made = accounts.create(&act.tx, &new, &password).await;
    let made = made.map_err(of_admin)?;
    let note = Note {
        action: "admin.create",
        subject: subject("admin", made.id),
        before: None,
        after: Some(shown(&made)),
    };
    act.commit(&note).await?;
    Ok(made)
}

/// Changes an admin.
///
/// # Errors
/// `validation_failed`, `not_found`, `last_owner`, or that Postgres does not answer.
pub(crate) async fn change(
    state: &State,
    caller: &Caller,
    id: Uuid,
    asked: ChangeAdmin,
) -> Result<Admin, Problem> {
    let accounts = &state.admin_accounts;
    let password = match asked.password {
        Some(password) => Some(accounts.hash_password(password).await.map_err(of_admin)?),
        None => None,
    };
    let change = AdminChange {
        display_name: asked.display_name,
        role: asked.role,
        is_active: asked.is_active,
    };
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let changed = accounts.change(&act.tx, id, &change).await;
    let changed = changed.map_err(of_admin)?;
    let (before, after, tell) = changed.ok_or_else(Problem::not_found)?;
    let mut noted = shown(&after);
    let mut signed_out = None;
    if let Some(password) = &password {
        let set = accounts.set_password(&act.tx, id, password).await;
        signed_out = set.map_err(of_admin)?;
        noted["password"] = json!("changed");
    }
    let note = Note {
        action: "admin.update",
        subject: subject("admin", id),
        before: Some(shown(&before)),
        after: Some(noted),
    };
    act.commit(&note).await?;
    drop(connection);
    tell.run().await;
    if let Some(signed_out) = signed_out {
        signed_out.run().await;
    }
    Ok(after)
}

/// What the audit keeps of an admin.
fn shown(admin: &Admin) -> Value {
    json!({
        "email": admin.email, "display_name": admin.display_name, "role": admin.role,
        "is_active": admin.is_active,
    })
}
