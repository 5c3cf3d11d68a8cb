//! The queue of jobs: dead letters, and jobs that nobody takes.

use std::time::Duration;

use super::postgres::failed;
use super::{Details, Examination, Finding};
use crate::jobs::{DeadJob, KindFigures};
use crate::module::{Context, Entry};
use crate::pg::DbError;

/// A job that has been due for longer is worth a warning.
const DUE_WARNING: Duration = Duration::from_secs(60);
/// A job that has been due for longer is not about to be done.
const DUE_PROBLEM: Duration = Duration::from_secs(15 * 60);
/// Dead letters that are named.
const DEAD_SHOWN: u32 = 10;

/// Whether jobs are done, and which are dead.
pub(super) fn queue(cx: &Context, enabled: &[Entry]) -> Examination {
    let known: Vec<&'static str> = enabled
        .iter()
        .flat_map(|entry| entry.jobs)
        .map(|kind| kind.name)
        .collect();
    let cx = cx.clone();
    Examination::new(
        "jobs",
        "dead letters, and jobs that nobody takes",
        move || {
            let (cx, known) = (cx.clone(), known.clone());
            async move {
                match look(&cx).await {
                    Ok((kinds, dead)) => judge(&kinds, &dead, &known),
                    Err(error) => failed(&error),
                }
            }
        },
    )
}

async fn look(cx: &Context) -> Result<(Vec<KindFigures>, Vec<DeadJob>), DbError> {
    let kinds = cx.jobs.figures(&cx.db).await?;
    let dead = cx.jobs.dead(&cx.db, None, DEAD_SHOWN).await?;
    Ok((kinds, dead))
}

fn judge(kinds: &[KindFigures], dead: &[DeadJob], known: &[&str]) -> Finding {
    let sum = |count: fn(&KindFigures) -> i64| kinds.iter().map(count).sum::<i64>();
    let text = format!(
        "{} wait, {} run, {} are dead letters",
        sum(|it| it.waiting),
        sum(|it| it.running),
        sum(|it| it.dead)
    );
    let oldest = kinds.iter().filter_map(|it| it.oldest_due).max();
    let oldest = oldest.unwrap_or_default();
    let finding = if oldest > DUE_PROBLEM {
        let advice = "see that a worker runs (`worker`) with the module that does them";
        Finding::problem(text, advice)
    } else if oldest > DUE_WARNING {
        let advice = "run another worker, or see what its attempts wait for";
        Finding::warning(text, advice)
    } else if !dead.is_empty() {
        let advice = "mend the cause and let them live again; unseen, they go after 30 days";
        Finding::warning(text, advice)
    } else {
        Finding::ok(text)
    };
    finding.with_details(details(kinds, dead, known))
}

fn details(kinds: &[KindFigures], dead: &[DeadJob], known: &[&str]) -> Details {
    let overdue = kinds.iter().filter_map(|it| {
        let due = it.oldest_due.filter(|due| *due > DUE_WARNING)?;
        let who = match known.contains(&it.kind.as_str()) {
            true => "",
            false => ", and no enabled module does them",
        };
        let (kind, seconds) = (&it.kind, due.as_secs());
        Some(format!(
            "{kind}: the oldest has been due for {seconds} s{who}"
        ))
    });
    let letters = dead.iter().map(|it| {
        let DeadJob {
            id,
            kind,
            attempts,
            died_at,
            ..
        } = it;
        let error = it.error.as_deref().unwrap_or("no reason is kept");
        format!("{kind} {id} died at {died_at} after {attempts} attempts: {error}")
    });
    overdue.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;
    use crate::timestamp::Timestamp;

    fn kind(oldest_due_seconds: u64, dead: i64) -> KindFigures {
        KindFigures {
            kind: "send-receipt".into(),
            waiting: 3,
            running: 1,
            dead,
            oldest_due: Some(Duration::from_secs(oldest_due_seconds)),
        }
    }

    fn letter() -> DeadJob {
        DeadJob {
            id: uuid::Uuid::nil(),
            kind: "send-receipt".into(),
            key: None,
            attempts: 3,
            enqueued_at: Timestamp::from_unix_ms(0),
            died_at: Timestamp::from_unix_ms(1000),
            error: Some("refused".into()),
        }
    }

    #[test]
    fn jobs_that_nobody_takes_are_a_warning_and_then_a_problem() {
        let grade = |seconds| judge(&[kind(seconds, 0)], &[], &["send-receipt"]).grade;
        assert_eq!(grade(60), Grade::Ok);
        assert_eq!(grade(61), Grade::Warning);
        assert_eq!(grade(15 * 60 + 1), Grade::Problem);
    }

    #[test]
    fn a_kind_that_no_module_does_is_named_as_such() {
        let found = judge(&[kind(100, 0)], &[], &[]);
        let expected =
            "send-receipt: the oldest has been due for 100 s, and no enabled module does them";
        assert_eq!(found.details.shown, [expected]);
    }

    #[test]
    fn dead_letters_are_named_with_their_reason() {
        let found = judge(&[kind(0, 1)], &[letter()], &["send-receipt"]);
        assert_eq!(found.grade, Grade::Warning);
        assert_eq!(found.text, "3 wait, 1 run, 1 are dead letters");
        assert!(found.details.shown[0].ends_with("after 3 attempts: refused"));
    }
}
