//! What a visit found, as it is printed and as JSON.

use serde::Serialize;

use super::{Finding, Grade};

/// One examination and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Examined {
    /// Its name.
    pub name: &'static str,
    /// What it looks at.
    pub looks_at: &'static str,
    /// What it found; after a repair, what it found then.
    #[serde(flatten)]
    pub finding: Finding,
    /// How long it took, a repair included.
    pub duration_ms: u64,
    /// What a repair did, where one was asked for and called for.
    pub repair: Option<Repair>,
}

impl Examined {
    /// Something of which all is known without a look.
    pub(super) fn told(name: &'static str, looks_at: &'static str, finding: Finding) -> Self {
        Self {
            name,
            looks_at,
            finding,
            duration_ms: 0,
            repair: None,
        }
    }
}

/// What a repair did.
#[derive(Clone, Debug, Serialize)]
pub struct Repair {
    /// Whether it ended well; whether it helped, the examination after it says.
    pub done: bool,
    /// What it did, or why it could not.
    pub text: String,
    /// What was found before.
    pub before: Finding,
}

/// What a visit found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The worst of all.
    pub status: Grade,
    /// In the order in which they were examined.
    pub examinations: Vec<Examined>,
}

impl Report {
    /// A report of these.
    pub(super) fn of(examinations: Vec<Examined>) -> Self {
        let amiss = examinations.iter().map(|it| it.finding.grade);
        // What was skipped says nothing by itself: the reason is a line of its own.
        let status = amiss
            .filter(|grade| *grade != Grade::Skipped)
            .max()
            .unwrap_or(Grade::Ok);
        Self {
            status,
            examinations,
        }
    }

    /// The names of what has this grade.
    pub fn graded(&self, grade: Grade) -> Vec<&'static str> {
        let graded = self
            .examinations
            .iter()
            .filter(|it| it.finding.grade == grade);
        graded.map(|it| it.name).collect()
    }
}
