//! What is wrong, a line each, and which keys that is about.

use std::collections::BTreeSet;

use super::schema::Row;

/// Problems under collection.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) lines: Vec<String>,
    keys: BTreeSet<String>,
}

impl Problems {
    /// A problem with no key of its own.
    pub(super) fn add(&mut self, line: String) {
        self.lines.push(line);
    }

    /// A problem with a key.
    pub(super) fn about(&mut self, row: &Row, line: String) {
        self.keys.insert(row.to_string());
        self.lines.push(line);
    }

    /// Whether a key has a line already. What is then left of its value is a stand-in, and a second
    /// line would be about that.
    pub(super) fn has(&self, row: &Row) -> bool {
        self.keys.contains(&row.to_string())
    }
}
