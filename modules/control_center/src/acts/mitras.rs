//! Making and changing mitras: the account is auth's, the seat is availability's, the transaction ours.

use halobestie_core::ports::{Account, Role};
use halobestie_core::{AfterCommit, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::subject;
use crate::act::{Act, Caller, Connection, Note};
use crate::error::of_account;
use crate::state::State;

/// More sessions at once than anybody can follow.
const SESSIONS_MAX: i32 = 100;

/// A mitra who is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = control_center::NewMitra)]
pub(crate) struct NewMitra {
    /// A mobile number, local or E.164.
    #[schema(example = "0812 3456 7890")]
    pub(crate) phone: String,
    /// 1 to 50 characters.
    #[schema(example = "Ayu")]
    pub(crate) display_name: String,
    /// How many sessions at once, 0 to 100; the server's default where it is missing.
    pub(crate) max_sessions: Option<i32>,
}

/// A change of a mitra. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = control_center::MitraChange)]
pub(crate) struct MitraChange {
    /// 1 to 50 characters.
    pub(crate) display_name: Option<String>,
    /// How many sessions at once, 0 to 100. Sessions above a lowered limit go on.
    pub(crate) max_sessions: Option<i32>,
    /// Whether they may sign in and work. Deactivating signs them out and hands their sessions on.
    pub(crate) is_active: Option<bool>,
}

/// Makes a mitra; who it is.
///
/// # Errors
/// `validation_failed`, `phone_taken`, or that Postgres does not answer.
pub(crate) async fn create(
    state: &State,
    caller: &Caller,
    new: &NewMitra,
) -> Result<Uuid, Problem> {
    check_limit(new.max_sessions)?;
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let made = state
        .accounts
        .create_mitra(&act.tx, &new.phone, &new.display_name)
        .await
        .map_err(of_account)?;
    let show = seat(state, &act, made.id, new.max_sessions).await?;
    let after = json!({
        "phone": made.phone, "display_name": made.display_name, "max_sessions": new.max_sessions,
    });
    let note = Note {
        action: "mitra.create",
        subject: subject("mitra", made.id),
        before: None,
        after: Some(after),
    };
    act.commit(&note).await?;
    drop(connection);
    run(show).await;
    Ok(made.id)
}

/// Changes a mitra.
///
/// # Errors
/// `validation_failed`, `not_found`, or that Postgres does not answer.
pub(crate) async fn change(
    state: &State,
    caller: &Caller,
    id: Uuid,
    change: &MitraChange,
) -> Result<(), Problem> {
    check_limit(change.max_sessions)?;
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    // The account before the seat, as everybody who locks both does.
    let held = state.accounts.hold(&act.tx, Role::Mitra, id).await?;
    let held = held.ok_or_else(Problem::not_found)?;
    let (mut before, mut after) = (Map::new(), Map::new());
    rename(state, &act, &held, change, (&mut before, &mut after)).await?;
    let limit = limit(state, &act, id, change, (&mut before, &mut after)).await?;
    let switch = switch(state, &act, &held, change, (&mut before, &mut after)).await?;
    if after.is_empty() {
        return act.nothing().await;
    }
    let note = Note {
        action: "mitra.update",
        subject: subject("mitra", id),
        before: Some(Value::Object(before)),
        after: Some(Value::Object(after)),
    };
    act.commit(&note).await?;
    drop(connection);
    run(limit).await;
    for after_commit in switch {
        after_commit.run().await;
    }
    Ok(())
}

/// What changed, before and after.
type Changes<'a> = (&'a mut Map<String, Value>, &'a mut Map<String, Value>);

async fn rename(
    state: &State,
    act: &Act<'_>,
    held: &Account,
    change: &MitraChange,
    (before, after): Changes<'_>,
) -> Result<(), Problem> {
    let Some(name) = change.display_name.as_deref() else {
        return Ok(());
    };
    let name = state.accounts.rename(&act.tx, held.id, name).await;
    let name = name.map_err(of_account)?;
    if name != held.display_name {
        before.insert("display_name".into(), held.display_name.clone().into());
        after.insert("display_name".into(), name.into());
    }
    Ok(())
}

async fn limit<'a>(
    state: &'a State,
    act: &Act<'_>,
    id: Uuid,
    change: &MitraChange,
    (before, after): Changes<'_>,
) -> Result<Option<AfterCommit<'a>>, Problem> {
    let (Some(limit), Some(availability)) = (change.max_sessions, state.availability()) else {
        return Ok(None);
    };
    let seat = availability.lock_seat(&act.tx, id).await?;
    if seat.is_some_and(|seat| seat.max_sessions == limit) {
        return Ok(None);
    }
    before.insert("max_sessions".into(), json!(seat.map(|it| it.max_sessions)));
    after.insert("max_sessions".into(), limit.into());
    Ok(Some(
        availability.set_max_sessions(&act.tx, id, limit).await?,
    ))
}

/// Both switches: the account's, which lets them sign in, and the seat's, which lets them work.
async fn switch<'a>(
    state: &'a State,
    act: &Act<'_>,
    held: &Account,
    change: &MitraChange,
    (before, after): Changes<'_>,
) -> Result<Vec<AfterCommit<'a>>, Problem> {
    let Some(is_active) = change.is_active else {
        return Ok(Vec::new());
    };
    // Whichever of the two is another is switched, so that a mitra cannot be stuck between them.
    let seat = match state.availability() {
        Some(availability) => availability.lock_seat(&act.tx, held.id).await?,
        None => None,
    };
    let seated = seat.is_none_or(|seat| seat.is_active);
    if held.is_active == is_active && seat.is_none_or(|seat| seat.is_active == is_active) {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    all.extend(
        state
            .directory
            .set_active(&act.tx, held.id, is_active)
            .await?,
    );
    if let Some(availability) = state.availability() {
        all.push(availability.set_active(&act.tx, held.id, is_active).await?);
    }
    before.insert("is_active".into(), (held.is_active && seated).into());
    after.insert("is_active".into(), is_active.into());
    Ok(all)
}

async fn seat<'a>(
    state: &'a State,
    act: &Act<'_>,
    id: Uuid,
    max_sessions: Option<i32>,
) -> Result<Option<AfterCommit<'a>>, Problem> {
    match (state.availability(), max_sessions) {
        (Some(availability), Some(limit)) => Ok(Some(
            availability.set_max_sessions(&act.tx, id, limit).await?,
        )),
        // Switched on as it is already: what makes the row, with the default limit.
        (Some(availability), None) => Ok(Some(availability.set_active(&act.tx, id, true).await?)),
        (None, _) => Ok(None),
    }
}

fn check_limit(limit: Option<i32>) -> Result<(), Problem> {
    match limit {
        Some(limit) if !(0..=SESSIONS_MAX).contains(&limit) => Err(Problem::invalid(
            "max_sessions",
            format!("must be 0 to {SESSIONS_MAX}"),
        )),
        _ => Ok(()),
    }
}

async fn run(after_commit: Option<AfterCommit<'_>>) {
    if let Some(after_commit) = after_commit {
        after_commit.run().await;
    }
}
