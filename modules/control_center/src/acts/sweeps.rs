//! Running a sweep now.
//!
//! It runs in the process that is asked, whatever its role: a sweep is safe on any number of replicas, and
//! one that must be alone takes its lock here as well.

use std::time::Duration;

use halobestie_core::Problem;
use halobestie_core::sweep::{Standing, SweepError, Swept};
use serde_json::json;
use tokio::sync::oneshot;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::error::of_sweep;
use crate::state::State;

/// How long whoever asks waits for the end; the sweep goes on after it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It has ended.
    Ended,
    /// It goes on.
    GoesOn,
}

/// Runs a sweep.
///
/// # Errors
/// `not_found`, `sweep_running`, its own failure, or that Postgres does not answer.
pub(crate) async fn run(state: &State, caller: &Caller, name: &str) -> Result<Ran, Problem> {
    let runner = state.runner()?.clone();
    let name = runner.named(name).map_err(of_sweep)?.name;
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    let note = Note {
        action: "sweep.run",
        subject: subject("sweep", name),
        before: None,
        after: Some(json!({"asked": true})),
    };
    act.commit(&note).await?;
    drop(connection);
    let (told, ended) = oneshot::channel::<Result<Swept, SweepError>>();
    state.lifecycle.spawn(name, async move {
        // Nobody has to wait for it.
        let _ = told.send(runner.run_alone(name).await);
    });
    match tokio::time::timeout(PATIENCE, ended).await {
        Ok(Ok(Ok(_))) => Ok(Ran::Ended),
        Ok(Ok(Err(error))) => Err(of_sweep(error)),
        Ok(Err(_)) => Err(Problem::internal("a sweep ended without a word")),
        Err(_) => Ok(Ran::GoesOn),
    }
}

/// A sweep and its last run.
///
/// # Errors
/// `not_found`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, name: &str) -> Result<Standing, Problem> {
    let all = state.runner()?.standings().await?;
    let found = all.into_iter().find(|it| it.name == name);
    found.ok_or_else(Problem::not_found)
}
