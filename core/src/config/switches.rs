//! Which modules are on, and whether that can work: core's part of every module's section.

use std::collections::BTreeSet;

use super::environment::Environment;
use super::problems::Problems;
use super::schema::{ENABLED, Schema, switch_variable};
use super::values::Values;
use super::{Kind, value};
use crate::module::Entry;
use crate::ports::Capability;

/// The compiled modules that are on. One without the key is on.
pub(super) fn enabled(
    entries: &[Entry],
    schema: &Schema,
    values: &Values,
) -> BTreeSet<&'static str> {
    let is_on = |entry: &&Entry| {
        let row = schema.row(entry.name, ENABLED);
        row.and_then(|row| values.get(row))
            .and_then(|value| value.to_bool())
            .unwrap_or(true)
    };
    entries
        .iter()
        .filter(is_on)
        .map(|entry| entry.name)
        .collect()
}

/// What the modules that are on provide.
pub(super) fn provided(
    entries: &[Entry],
    enabled: &BTreeSet<&'static str>,
) -> BTreeSet<Capability> {
    entries
        .iter()
        .filter(|entry| enabled.contains(entry.name))
        .flat_map(|entry| entry.provides)
        .copied()
        .collect()
}

/// Reports modules that are switched on and not compiled in.
pub(super) fn refuse_absent(
    environment: &Environment<'_>,
    schema: &Schema,
    problems: &mut Problems,
) {
    for module in &schema.absent {
        let variable = switch_variable(module);
        let text = match environment.find(&variable) {
            Ok(None) => continue,
            Ok(Some(found)) => found.text,
            Err(line) => {
                problems.add(line);
                continue;
            }
        };
        match value::parse(Kind::Bool, &text).and_then(|value| value.to_bool()) {
            Some(false) => {}
            Some(true) => problems.add(format!(
                "{variable} (environment): the module {module} is not compiled into this build; build \
                 it with the cargo feature {module}, or set {variable}=false"
            )),
            None => {
                let accepts = Kind::Bool.accepts();
                problems.add(format!("{variable} (environment): expected {accepts}, got {text:?}"));
            }
        }
    }
}

/// Reports modules that are on and need what only a module that is off could provide.
pub(super) fn refuse_unmet(
    entries: &[Entry],
    enabled: &BTreeSet<&'static str>,
    schema: &Schema,
    values: &Values,
    problems: &mut Problems,
) {
    let provided = provided(entries, enabled);
    for entry in entries.iter().filter(|entry| enabled.contains(entry.name)) {
        let Some(row) = schema.row(entry.name, ENABLED) else {
            continue;
        };
        for need in entry.needs.iter().filter(|need| !provided.contains(need)) {
            let provider = entries.iter().find(|entry| entry.provides.contains(need));
            let line = unmet(entry.name, *need, provider.map(|entry| entry.name));
            problems.about(row, format!("{}: {line}", values.place(row)));
        }
    }
}

fn unmet(module: &str, need: Capability, provider: Option<&str>) -> String {
    let off = switch_variable(module);
    match provider {
        Some(provider) => format!(
            "the module {module} needs {need}, which the module {provider} provides, and that is off; \
             set {}=true or {off}=false",
            switch_variable(provider)
        ),
        None => format!(
            "the module {module} needs {need}, which no module of this build provides; set {off}=false"
        ),
    }
}
