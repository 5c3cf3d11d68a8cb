//! The state of what the service stands on, a light each.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::jobs::KindFigures;
use halobestie_core::ports::{PaymentFilter, PaymentStatus, Window};
use halobestie_core::readiness::Check;
use halobestie_core::sweep;

use super::length;
use crate::state::State;

/// How late a sweep may be: a worker is as punctual as its machine.
const LATE: Duration = Duration::from_secs(60);
/// What a run that did its work is kept as; anything else is why it could not.
const DID: &str = "changed ";
/// More payments to look at than this are said to be many.
const MANY: usize = 99;

/// A light.
pub(crate) struct Light {
    pub(crate) name: &'static str,
    /// `ok`, `off`, or what is wrong.
    pub(crate) status: &'static str,
    /// A few words.
    pub(crate) detail: Option<String>,
    /// When it was last heard of.
    pub(crate) seen_at: Option<Timestamp>,
    /// Where more of it is shown.
    pub(crate) more: Option<&'static str>,
}

impl Light {
    fn new(name: &'static str, status: &'static str, detail: impl Into<Option<String>>) -> Self {
        Self {
            name,
            status,
            detail: detail.into(),
            seen_at: None,
            more: None,
        }
    }

    fn of(name: &'static str, check: Check) -> Self {
        Self {
            seen_at: check.seen_at,
            ..Self::new(name, check.status, check.detail)
        }
    }

    fn more(self, more: &'static str) -> Self {
        Self {
            more: Some(more),
            ..self
        }
    }
}

/// All of them, what matters most first. What cannot be asked is unknown: a light never fails the page.
pub(crate) async fn all(state: &State) -> Vec<Light> {
    let mut checks = match state.readiness() {
        Ok(readiness) => readiness.report().await.checks,
        Err(_) => return Vec::new(),
    };
    let mut lights = Vec::new();
    for name in ["postgres", "valkey", "worker"] {
        lights.extend(checks.remove(name).map(|check| Light::of(name, check)));
    }
    lights.push(sweeps(state).await.more("/sweeps"));
    lights.push(working(state, "push", ("fcm", checks.remove("fcm"))).await);
    lights.push(
        payments(state, checks.remove("xendit"))
            .await
            .more("/payments"),
    );
    lights.extend(
        checks
            .into_iter()
            .map(|(name, check)| Light::of(name, check)),
    );
    lights
}

async fn sweeps(state: &State) -> Light {
    let standings = match state.runner() {
        Ok(runner) => runner.standings().await.ok(),
        Err(_) => None,
    };
    match standings {
        Some(standings) => judged(&standings, state.clock.now()),
        None => Light::new("sweeps", "unknown", None),
    }
}

fn judged(standings: &[sweep::Standing], now: Timestamp) -> Light {
    let failed = |it: &&sweep::Standing| {
        let result = it.last_result.as_deref();
        result.is_some_and(|result| !result.starts_with(DID))
    };
    if let Some(failed) = standings.iter().find(failed) {
        let why = failed.last_result.as_deref().unwrap_or_default();
        return Light::new("sweeps", "degraded", format!("{}: {why}", failed.name));
    }
    let is_late = |it: &&sweep::Standing| it.next_run_at.is_some_and(|next| now.since(next) > LATE);
    let late: Vec<&str> = standings
        .iter()
        .filter(is_late)
        .map(|it| it.name.as_str())
        .collect();
    match late.as_slice() {
        [] => Light::new("sweeps", "ok", format!("{}, all on time", standings.len())),
        [one] => Light::new("sweeps", "late", format!("{one} should have run")),
        [one, rest @ ..] => {
            let detail = format!("{one} and {} others should have run", rest.len());
            Light::new("sweeps", "late", detail)
        }
    }
}

/// What a module says of itself, and whether its work is done: jobs that are due and not done, or given up,
/// say that whoever does them does not, or that its provider refuses them.
async fn working(
    state: &State,
    name: &'static str,
    (module_name, check): (&str, Option<Check>),
) -> Light {
    let light = module(state, name, module_name, check);
    if light.status != "ok" {
        return light;
    }
    let Ok(kinds) = state.backlog.current().await else {
        return Light::new(name, "unknown", None);
    };
    let about = state.about.modules.iter();
    let theirs: Vec<&str> = about
        .filter(|it| it.name == module_name)
        .flat_map(|it| it.jobs.iter().copied())
        .collect();
    let theirs = kinds.iter().filter(|it| theirs.contains(&it.kind.as_str()));
    match behind(theirs) {
        Some(detail) => Light::new(name, "degraded", detail),
        None => light,
    }
}

/// What is wrong with the work, with its numbers.
fn behind<'a>(kinds: impl Iterator<Item = &'a KindFigures>) -> Option<String> {
    let mut wrong = Vec::new();
    for kind in kinds {
        let name = kind.kind.replace('-', " ");
        if kind.dead > 0 {
            wrong.push(format!("{name}: {} given up", kind.dead));
        }
        if let Some(due) = kind.oldest_due.filter(|due| *due > LATE) {
            let waiting = length::of_seconds(due.as_secs());
            let all = kind.waiting + kind.running;
            wrong.push(format!("{name}: {all} to do, due for {waiting}"));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

/// What a module says of itself, by the name of what it does.
fn module(state: &State, name: &'static str, module: &str, check: Option<Check>) -> Light {
    let about = state.about.modules.iter().find(|it| it.name == module);
    match (about.is_some_and(|it| it.is_enabled), check) {
        (false, _) => Light::new(name, "off", format!("{module} is switched off")),
        (true, Some(check)) => Light::of(name, check),
        (true, None) => Light::new(name, "ok", None),
    }
}

async fn payments(state: &State, check: Option<Check>) -> Light {
    let light = working(state, "payments", ("xendit", check)).await;
    let (Ok(port), "ok") = (state.payments(), light.status) else {
        return light;
    };
    let filter = PaymentFilter {
        status: Some(PaymentStatus::NeedsReview),
        ..PaymentFilter::default()
    };
    match port.payments(&filter, Window::latest(100)).await.as_deref() {
        Ok([]) => light,
        Ok(some) if some.len() > MANY => review(light, "more than 99 need"),
        Ok([_]) => review(light, "1 needs"),
        Ok(some) => review(light, &format!("{} need", some.len())),
        Err(_) => Light::new("payments", "unknown", None),
    }
}

fn review(light: Light, who: &str) -> Light {
    Light {
        status: "degraded",
        detail: Some(format!("{who} somebody to look")),
        ..light
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(name: &str, result: Option<&str>, next_at_ms: i64) -> sweep::Standing {
        sweep::Standing {
            name: name.to_owned(),
            every_seconds: 30,
            alone: true,
            last_run_at: None,
            last_duration_ms: None,
            last_result: result.map(ToOwned::to_owned),
            next_run_at: Some(Timestamp::from_unix_ms(next_at_ms)),
        }
    }

    #[test]
    fn work_that_is_not_done_is_said_with_its_numbers() {
        let kind = |dead, due: Option<u64>| KindFigures {
            kind: "send-push".to_owned(),
            waiting: 7,
            running: 1,
            dead,
            oldest_due: due.map(Duration::from_secs),
        };
        assert_eq!(behind([kind(0, Some(60)), kind(0, None)].iter()), None);
        let late = behind([kind(0, Some(90))].iter());
        assert_eq!(
            late.as_deref(),
            Some("send push: 8 to do, due for 1 min 30 s")
        );
        let dead = behind([kind(2, None)].iter());
        assert_eq!(dead.as_deref(), Some("send push: 2 given up"));
    }

    #[test]
    fn sweeps_are_late_or_failed_by_name() {
        let now = Timestamp::from_unix_ms(100_000);
        let fine = || standing("fine", Some("changed 3"), 90_000);
        let new = standing("new", None, 100_000);
        assert_eq!(judged(&[fine(), new], now).status, "ok");
        let late = judged(&[fine(), standing("slow", None, 10_000)], now);
        assert_eq!(
            (late.status, late.detail.as_deref()),
            ("late", Some("slow should have run"))
        );
        let failed = judged(&[standing("bad", Some("timed out"), 100_000), fine()], now);
        assert_eq!(failed.detail.as_deref(), Some("bad: timed out"));
    }
}
