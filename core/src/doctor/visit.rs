//! The visit: in which order things are examined, and what is left out because it needs another.
//!
//! First what stands alone, then what needs Postgres or Valkey, then what needs the schema: the
//! modules and theirs. Within a step everything is examined at once.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::{Examination, Examined, Finding, Grade, LIMIT, Repair, Report, with_causes};
use super::{house, jobs, postgres, schema, valkey};
use crate::app::{AppOptions, StartError, connect};
use crate::assemble;
use crate::config::Config;
use crate::module::{Context, Entry};
use crate::problem::BoxError;

/// How long Valkey's client may take to connect once Valkey has answered.
const CLIENT_PATIENCE: Duration = Duration::from_secs(2);
/// How long the end of the visit waits for its own connections to close.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// What a visit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Looking, and nothing else.
    Look,
    /// Repairing what is amiss and can be repaired.
    Repair,
}

/// Examines everything that a server of this configuration depends on.
///
/// # Errors
/// Only for a configuration that no server can be made of; whatever else is wrong is in the report.
pub async fn visit(
    config: &Config,
    options: &AppOptions,
    treatment: Treatment,
) -> Result<Report, StartError> {
    let enabled = assemble::enabled(options.entries, config)?;
    let sets = assemble::migration_sets(&enabled);
    let cx = connect::context(config, options).map_err(StartError::Connect)?;
    let mut visit = Visit {
        treatment,
        done: Vec::new(),
    };
    let alone = vec![
        house::configuration(config),
        house::internal_listener(&cx),
        postgres::answers(config, &cx),
        valkey::answers(&cx),
    ];
    visit.examine(alone).await;
    let on_postgres = vec![
        schema::current(&cx, sets),
        postgres::room(config, &cx),
        postgres::clocks(&cx),
    ];
    visit.examine_given("postgres", on_postgres).await;
    visit.examine_given("valkey", vec![valkey::bus(&cx)]).await;
    visit.examine_modules(config, &enabled, &cx).await;
    cx.lifecycle.drain();
    cx.lifecycle.finish(LEAVE_WITHIN).await;
    cx.db.close();
    Ok(Report::of(visit.done))
}

struct Visit {
    treatment: Treatment,
    done: Vec<Examined>,
}

impl Visit {
    async fn examine(&mut self, examinations: Vec<Examination>) {
        let all = examinations.iter().map(|it| it.run(self.treatment));
        self.done.extend(join_all(all).await);
    }

    /// Examines these if what they need works.
    async fn examine_given(&mut self, needed: &str, examinations: Vec<Examination>) {
        if self.works(needed) {
            return self.examine(examinations).await;
        }
        let skipped = examinations
            .iter()
            .map(|it| Examined::told(it.name, it.looks_at, needs(needed)));
        self.done.extend(skipped);
    }

    /// Wires the modules as a start would, without the steps that a start takes then.
    async fn examine_modules(&mut self, config: &Config, enabled: &[Entry], cx: &Context) {
        let (worker, settings) = (schema::worker(cx), schema::settings(cx));
        let jobs = jobs::queue(cx, enabled);
        if !self.works("schema") {
            self.tell_of_modules(needs("schema"));
            return self
                .examine_given("schema", vec![worker, jobs, settings])
                .await;
        }
        if let Some(valkey) = &cx.valkey
            && self.works("valkey")
        {
            valkey.first_connect(CLIENT_PATIENCE).await;
        }
        let mut lent = cx.clone();
        let built = timeout(LIMIT, assemble::build(enabled, config, &mut lent)).await;
        match built.map_err(BoxError::from).and_then(|built| Ok(built?)) {
            Ok(parts) => {
                let names: Vec<&str> = enabled.iter().map(|it| it.name).collect();
                self.tell_of_modules(Finding::ok(format!("enabled: {}", names.join(", "))));
                self.examine(vec![worker, jobs, settings]).await;
                self.examine(parts.examinations).await;
            }
            Err(error) => {
                let advice =
                    "the server will not start either; the module and the reason are named";
                self.tell_of_modules(Finding::problem(with_causes(&*error), advice));
                self.examine(vec![worker, jobs]).await;
            }
        }
    }

    fn tell_of_modules(&mut self, finding: Finding) {
        const LOOKS_AT: &str = "whether the enabled modules make a server";
        self.done.push(Examined::told("modules", LOOKS_AT, finding));
    }

    /// Whether something was examined and does its work.
    fn works(&self, name: &str) -> bool {
        let mut done = self.done.iter().filter(|it| it.name == name);
        done.any(|it| matches!(it.finding.grade, Grade::Ok | Grade::Warning))
    }
}

fn needs(needed: &str) -> Finding {
    Finding::skipped(format!("not looked at: it needs {needed}"))
}

impl Examination {
    async fn run(&self, treatment: Treatment) -> Examined {
        let started = Instant::now();
        let mut finding = self.look().await;
        let mut repair = None;
        if treatment == Treatment::Repair
            && finding.is_amiss()
            && let Some(outcome) = self.mend().await
        {
            let before = std::mem::replace(&mut finding, self.look().await);
            let done = outcome.is_ok();
            let text = outcome.unwrap_or_else(|text| text);
            repair = Some(Repair { done, text, before });
        }
        Examined {
            name: self.name,
            looks_at: self.looks_at,
            finding,
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            repair,
        }
    }

    /// Looks, and says so when the look itself hangs or breaks.
    async fn look(&self) -> Finding {
        let look = AssertUnwindSafe(async { (self.examine)().await }).catch_unwind();
        match timeout(self.limit, look).await {
            Ok(Ok(finding)) => finding,
            Ok(Err(_)) => Finding::problem(
                "the examination itself broke",
                "this is a mistake of ours: please report it with the text above",
            ),
            Err(_) => Finding::problem(
                format!("no answer within {} s", self.limit.as_secs()),
                format!("it is stuck or very slow: {}", self.looks_at),
            ),
        }
    }

    /// Repairs; what was done, or why it could not be. Nothing where there is no repair.
    async fn mend(&self) -> Option<Result<String, String>> {
        let repair = AssertUnwindSafe((self.repair.as_ref()?)()).catch_unwind();
        Some(match timeout(self.limit, repair).await {
            Ok(Ok(Ok(text))) => Ok(text),
            Ok(Ok(Err(error))) => Err(with_causes(&*error)),
            Ok(Err(_)) => Err("the repair itself broke".to_owned()),
            Err(_) => Err(format!("did not end within {} s", self.limit.as_secs())),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn visit() -> Visit {
        Visit {
            treatment: Treatment::Look,
            done: Vec::new(),
        }
    }

    /// Ill until it is repaired.
    fn patient() -> Examination {
        let is_well = Arc::new(AtomicBool::new(false));
        let mended = is_well.clone();
        Examination::new("patient", "somebody", move || {
            let is_well = is_well.load(Ordering::Relaxed);
            async move {
                match is_well {
                    true => Finding::ok("well"),
                    false => Finding::problem("ill", "repair"),
                }
            }
        })
        .repaired_by(move || {
            mended.store(true, Ordering::Relaxed);
            async { Ok("healed".to_owned()) }
        })
    }

    #[tokio::test]
    async fn one_that_hangs_and_one_that_panics_stop_no_other() {
        let mut visit = visit();
        let hangs = Examination::new("hangs", "nothing", std::future::pending);
        let hangs = hangs.within(Duration::from_millis(10));
        let panics = Examination::new("panics", "nothing", || async { panic!("on purpose") });
        let fine = Examination::new("fine", "nothing", || async { Finding::ok("well") });
        visit.examine(vec![hangs, panics, fine]).await;
        let report = Report::of(visit.done);
        assert_eq!(report.graded(Grade::Problem), ["hangs", "panics"]);
        assert_eq!(report.graded(Grade::Ok), ["fine"]);
        assert_eq!(report.status, Grade::Problem);
    }

    #[tokio::test]
    async fn a_repair_runs_only_when_asked_for_and_is_examined_again() {
        let patient = patient();
        let looked_at = patient.run(Treatment::Look).await;
        assert_eq!(looked_at.finding.grade, Grade::Problem);
        assert!(looked_at.repair.is_none());

        let treated = patient.run(Treatment::Repair).await;
        assert_eq!(treated.finding.grade, Grade::Ok);
        let repair = treated.repair.expect("it was repaired");
        assert!(repair.done);
        assert_eq!(repair.before.text, "ill");

        assert!(patient.run(Treatment::Repair).await.repair.is_none());
    }

    #[tokio::test]
    async fn what_needs_something_broken_is_skipped_and_does_not_decide() {
        let mut visit = visit();
        let fine = Examination::new("fine", "nothing", || async { Finding::ok("well") });
        visit.examine_given("postgres", vec![fine.clone()]).await;
        visit.examine(vec![fine]).await;
        let report = Report::of(visit.done);
        assert_eq!(report.graded(Grade::Skipped), ["fine"]);
        assert_eq!(report.status, Grade::Ok);
    }
}
