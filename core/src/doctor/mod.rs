//! The doctor: examinations of everything that a server depends on, and what mends what is wrong.
//!
//! Core brings its own, modules contribute theirs ([`crate::module::Contribution::examinations`]).
//! Each is bounded and independent: one that hangs, fails or panics says so in its own line and stops
//! no other. It looks from a process of its own and needs no running server. The invariant: looking
//! changes nothing; only a repair does, and only when it was asked for.

mod house;
mod jobs;
mod postgres;
mod report;
mod schema;
mod valkey;
mod visit;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::problem::BoxError;

pub use report::{Examined, Repair, Report};
pub use visit::{Treatment, visit};

/// How long an examination may take unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(5);
/// Details shown; more are counted.
const DETAILS_MAX: usize = 20;

/// How bad it is, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Not looked at, because something it needs is wrong or absent.
    Skipped,
    /// It works, and something about it will hurt sooner or later.
    Warning,
    /// It does not work.
    Problem,
}

/// What an examination found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    #[serde(rename = "status")]
    pub grade: Grade,
    /// What was found, in one line. No secrets.
    pub text: String,
    /// How to mend it.
    pub advice: Option<String>,
    /// The single things that the finding is about.
    pub details: Details,
}

impl Finding {
    /// All is well.
    pub fn ok(text: impl Into<String>) -> Self {
        Self::of(Grade::Ok, text, None)
    }

    /// Not looked at, and why.
    pub fn skipped(text: impl Into<String>) -> Self {
        Self::of(Grade::Skipped, text, None)
    }

    /// Something to see to some day.
    pub fn warning(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::of(Grade::Warning, text, Some(advice.into()))
    }

    /// Something to see to now.
    pub fn problem(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::of(Grade::Problem, text, Some(advice.into()))
    }

    /// Names the single things, such as differences or pending migrations.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = details;
        self
    }

    fn of(grade: Grade, text: impl Into<String>, advice: Option<String>) -> Self {
        Self {
            grade,
            text: text.into(),
            advice,
            details: Details::default(),
        }
    }

    /// Whether there is something to mend.
    pub fn is_amiss(&self) -> bool {
        self.grade >= Grade::Warning
    }
}

/// A list of which all is counted and the beginning shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Details {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub shown: Vec<String>,
}

impl Details {
    /// Counts one more, and shows it while there is room.
    pub fn push(&mut self, detail: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < DETAILS_MAX {
            self.shown.push(detail());
        }
    }

    /// Adds the details of another list.
    pub fn append(&mut self, other: Details) {
        let room = DETAILS_MAX.saturating_sub(self.shown.len());
        self.shown.extend(other.shown.into_iter().take(room));
        self.count += other.count;
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<String> for Details {
    fn from_iter<I: IntoIterator<Item = String>>(details: I) -> Self {
        let mut all = Self::default();
        details.into_iter().for_each(|it| all.push(|| it));
        all
    }
}

type Examine = Arc<dyn Fn() -> BoxFuture<'static, Finding> + Send + Sync>;
type Mend = Arc<dyn Fn() -> BoxFuture<'static, Result<String, BoxError>> + Send + Sync>;

/// Something that the doctor looks at.
#[derive(Clone)]
pub struct Examination {
    name: &'static str,
    looks_at: &'static str,
    limit: Duration,
    examine: Examine,
    repair: Option<Mend>,
}

impl Examination {
    /// Declares an examination: its name in the report, what it looks at in a few words, and the look.
    /// It changes nothing and may run twice.
    pub fn new<F, Fut>(name: &'static str, looks_at: &'static str, examine: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Finding> + Send + 'static,
    {
        Self {
            name,
            looks_at,
            limit: LIMIT,
            examine: Arc::new(move || examine().boxed()),
            repair: None,
        }
    }

    /// Gives it longer than five seconds.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Declares how to mend what it finds; says in a few words what was done. It is examined again
    /// afterwards, so a repair need not check itself.
    #[must_use]
    pub fn repaired_by<F, Fut>(mut self, repair: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.repair = Some(Arc::new(move || repair().boxed()));
        self
    }
}

/// An error with its causes, in one line.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    // Some errors repeat their cause in their own text.
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_count_all_and_show_the_first_twenty() {
        let details: Details = (0..1000).map(|it| it.to_string()).collect();
        assert_eq!(details.count, 1000);
        assert_eq!(details.shown.len(), DETAILS_MAX);
        assert_eq!(details.shown.last().map(String::as_str), Some("19"));

        let mut few: Details = (0..15).map(|it| it.to_string()).collect();
        few.append(details);
        assert_eq!(few.count, 1015);
        assert_eq!(few.shown.len(), DETAILS_MAX);
    }

    #[test]
    fn only_warnings_and_problems_are_amiss() {
        assert!(!Finding::ok("fine").is_amiss());
        assert!(!Finding::skipped("not looked at").is_amiss());
        assert!(Finding::warning("hm", "do").is_amiss());
        assert!(Finding::problem("no", "do").is_amiss());
    }
}
