//! What is stored in Postgres: the schema, a worker's sign of life, the runtime settings.

use std::time::Duration;

use serde_json::Value;

use super::postgres::failed;
use super::{Details, Examination, Finding, with_causes};
use crate::migrate::{self, MigrationSet, State, Status};
use crate::module::Context;
use crate::pg::Query;
use crate::timestamp::Timestamp;

/// Whether the schema is what this binary was made for.
pub(super) fn current(cx: &Context, sets: Vec<MigrationSet>) -> Examination {
    let db = cx.db.clone();
    Examination::new("schema", "every enabled module's migrations", move || {
        let (db, sets) = (db.clone(), sets.clone());
        async move {
            match migrate::status(&db, &sets).await {
                Ok(status) => judge_schema(&status),
                Err(error) => Finding::problem(
                    with_causes(&error),
                    "see that the user of DATABASE_URL may read the tables migrations_*",
                ),
            }
        }
    })
}

fn judge_schema(status: &[Status]) -> Finding {
    let of = |state| {
        let these = status.iter().filter(move |it| it.state == state);
        these.map(|it| format!("{} {}/{}", it.state, it.module, it.name))
    };
    let (diverged, pending, unknown): (Details, Details, Details) = (
        of(State::Diverged).collect(),
        of(State::Pending).collect(),
        of(State::Unknown).collect(),
    );
    if !diverged.is_empty() {
        let text = format!(
            "{} applied migrations have been edited since",
            diverged.count
        );
        let advice = "an applied migration must never be edited: restore its text, or the backup";
        return Finding::problem(text, advice).with_details(diverged);
    }
    if !pending.is_empty() {
        let text = format!(
            "{} migrations are pending: no server will start",
            pending.count
        );
        return Finding::problem(text, "run the command `migrate`").with_details(pending);
    }
    if !unknown.is_empty() {
        let text = format!("{} migrations are newer than this binary", unknown.count);
        let advice = "fine during a deploy; otherwise run the binary that knows them";
        return Finding::warning(text, advice).with_details(unknown);
    }
    Finding::ok(format!("all {} migrations are applied", status.len()))
}

/// Whether somebody runs the sweeps.
pub(super) fn worker(cx: &Context) -> Examination {
    let cx = cx.clone();
    Examination::new("worker", "the last sign of life of a worker", move || {
        let cx = cx.clone();
        async move {
            let newest = "SELECT max(seen_at) FROM worker_heartbeats";
            let seen_at: Option<Timestamp> = match cx.db.row(newest, &[]).await {
                Ok(row) => row.get(0),
                Err(error) => return failed(&error),
            };
            let silent_for = seen_at.map(|at| cx.clock.now().since(at));
            let stale = Duration::from_secs(cx.server.worker_stale_seconds);
            judge_worker(silent_for, stale, cx.server.ready_requires_worker)
        }
    })
}

fn judge_worker(silent_for: Option<Duration>, stale: Duration, is_required: bool) -> Finding {
    let text = match silent_for {
        Some(silent) if silent <= stale => {
            return Finding::ok(format!("heard from {} s ago", silent.as_secs()));
        }
        Some(silent) => format!("not heard from for {} s", silent.as_secs()),
        None => "none runs".to_owned(),
    };
    let advice = "nothing is swept and no timer runs out: start `worker`, or `serve` \
                  without --role api";
    if is_required {
        let text = format!("{text}, and READY_REQUIRES_WORKER makes /readyz 503");
        Finding::problem(text, advice)
    } else {
        Finding::warning(text, advice)
    }
}

/// Whether the stored runtime settings fit what the modules declare.
pub(super) fn settings(cx: &Context) -> Examination {
    let cx = cx.clone();
    Examination::new("settings", "the stored runtime settings", move || {
        let cx = cx.clone();
        async move {
            let stored = "SELECT key, value FROM app_config ORDER BY key";
            let rows = match cx.db.rows(stored, &[]).await {
                Ok(rows) => rows,
                Err(error) => return failed(&error),
            };
            let stored = rows.iter().map(|row| (row.get(0), row.get(1)));
            judge_settings(&cx, stored.collect())
        }
    })
}

fn judge_settings(cx: &Context, stored: Vec<(String, Value)>) -> Finding {
    let declared = cx.settings.declared();
    let is_declared = |key: &str| declared.iter().any(|(name, _, _)| *name == key);
    let mut misfits = Details::default();
    // What nobody declares belongs to a module that is switched off.
    for (key, value) in stored.iter().filter(|(key, _)| is_declared(key)) {
        if let Err(problem) = cx.settings.check(key, value) {
            misfits.push(|| format!("{key}: {problem}"));
        }
    }
    if misfits.is_empty() {
        return Finding::ok(format!(
            "{} are declared, and what is stored fits",
            declared.len()
        ));
    }
    Finding::problem(
        format!(
            "{} stored settings do not fit and are not used",
            misfits.count
        ),
        "a start takes the default instead: set them anew, or delete their rows in app_config",
    )
    .with_details(misfits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    fn status(states: &[State]) -> Vec<Status> {
        let one = |state: &State| Status {
            module: "core",
            name: "0001_foundation".into(),
            state: *state,
        };
        states.iter().map(one).collect()
    }

    #[test]
    fn a_pending_migration_names_the_command_and_a_diverged_one_does_not() {
        let pending = judge_schema(&status(&[State::Applied, State::Pending, State::Unknown]));
        assert_eq!(pending.grade, Grade::Problem);
        assert!(pending.advice.unwrap().contains("`migrate`"));
        assert_eq!(pending.details.shown, ["pending core/0001_foundation"]);

        let diverged = judge_schema(&status(&[State::Pending, State::Diverged]));
        assert!(!diverged.advice.unwrap().contains("`migrate`"));
    }

    #[test]
    fn a_newer_schema_is_a_warning() {
        let grade = |states| judge_schema(&status(states)).grade;
        assert_eq!(grade(&[State::Applied, State::Unknown]), Grade::Warning);
        assert_eq!(grade(&[State::Applied]), Grade::Ok);
    }

    #[test]
    fn a_silent_worker_is_a_problem_only_where_readiness_needs_one() {
        let stale = Duration::from_secs(60);
        let grade = |silent: Option<u64>, is_required| {
            judge_worker(silent.map(Duration::from_secs), stale, is_required).grade
        };
        assert_eq!(grade(Some(60), true), Grade::Ok);
        assert_eq!(grade(Some(61), false), Grade::Warning);
        assert_eq!(grade(Some(61), true), Grade::Problem);
        assert_eq!(grade(None, false), Grade::Warning);
    }
}
