//! Everything that may be configured in this build: the rows of core's sections and of the compiled
//! modules'. Whatever asks "is there such a key" or "is there such a variable" asks here.

use std::fmt;

use super::sections::CORE;
use super::{Kind, SectionSpec, Variable};
use crate::module::Entry;

/// The key that switches a module on and off.
pub(super) const ENABLED: &str = "enabled";

/// A key of a section, and all that is known about it.
pub(super) struct Row {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) variable: String,
    pub(super) kind: Kind,
    pub(super) help: String,
    pub(super) accepts: &'static str,
    pub(super) fallbacks: &'static [&'static str],
}

impl Row {
    fn of(section: &'static str, variable: &Variable) -> Self {
        Self {
            section,
            key: variable.key,
            variable: variable.name.to_owned(),
            kind: variable.kind,
            help: variable.help.to_owned(),
            accepts: variable.accepts.unwrap_or(variable.kind.accepts()),
            fallbacks: variable.fallbacks,
        }
    }

    /// The row that every module has: whether it is on.
    fn enabled(module: &'static str) -> Self {
        Self {
            section: module,
            key: ENABLED,
            variable: switch_variable(module),
            kind: Kind::Bool,
            help: format!("whether the module {module} is on"),
            accepts: Kind::Bool.accepts(),
            fallbacks: &[],
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.section, self.key)
    }
}

/// The variable that switches a module: `CHAT_ENABLED`.
pub(super) fn switch_variable(module: &str) -> String {
    format!("{}_ENABLED", module.to_uppercase())
}

/// Everything that may be configured in this build.
pub(super) struct Schema {
    /// Core's sections, then the modules', in the order of the entries.
    pub(super) sections: Vec<SectionSpec>,
    /// Every key, in the order of the sections.
    pub(super) rows: Vec<Row>,
    /// Modules of the project that this build lacks.
    pub(super) absent: Vec<String>,
}

impl Schema {
    /// `known` are the names of all modules of the project, compiled in or not.
    pub(super) fn new(entries: &[Entry], known: &[&str]) -> Self {
        let modules = entries.iter().map(|entry| entry.section);
        let is_absent = |name: &&&str| entries.iter().all(|entry| entry.name != **name);
        Self {
            sections: CORE.into_iter().chain(modules).collect(),
            rows: CORE
                .iter()
                .flat_map(rows)
                .chain(entries.iter().flat_map(module_rows))
                .collect(),
            absent: known
                .iter()
                .filter(is_absent)
                .map(|name| (*name).to_owned())
                .collect(),
        }
    }

    /// Whether this build has a section of this name.
    pub(super) fn has_section(&self, name: &str) -> bool {
        self.sections.iter().any(|section| section.name == name)
    }

    /// The rows of a section, in their order.
    pub(super) fn rows_of<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.section == section)
    }

    /// What is known about a key.
    pub(super) fn row(&self, section: &str, key: &str) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.section == section && row.key == key)
    }
}

fn rows(section: &SectionSpec) -> impl Iterator<Item = Row> + use<> {
    let name = section.name;
    section
        .variables
        .iter()
        .map(move |variable| Row::of(name, variable))
}

fn module_rows(entry: &Entry) -> impl Iterator<Item = Row> + use<> {
    std::iter::once(Row::enabled(entry.name)).chain(rows(&entry.section))
}
