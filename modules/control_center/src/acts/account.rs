//! What admins do with their own account.

use std::net::IpAddr;

use halobestie_core::Problem;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::state::State;

/// A change of the own password.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = control_center::ChangePassword)]
pub(crate) struct ChangePassword {
    /// The one that counts until now.
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) current: SecretString,
    /// The next one, 8 to 71 bytes.
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) new: SecretString,
}

/// Changes the own password, and signs out everywhere else.
///
/// # Errors
/// `validation_failed` naming `current` or `new`, `rate_limited`, `overloaded`, or that Postgres does not
/// answer.
pub(crate) async fn change_password(
    state: &State,
    caller: &Caller,
    asked: ChangePassword,
    address: IpAddr,
) -> Result<(), Problem> {
    let (sessions, admin) = (&state.admin_sessions, &caller.admin);
    let passwords = (asked.current, asked.new);
    // Before the transaction: passwords take a while on purpose.
    let change = sessions.check_password(admin, passwords, address).await?;
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let tell = sessions.change_password(&act.tx, admin, &change).await?;
    let note = Note {
        action: "admin.password",
        subject: subject("admin", caller.id()),
        before: None,
        after: Some(json!({"password": "changed"})),
    };
    act.commit(&note).await?;
    drop(connection);
    tell.run().await;
    Ok(())
}
