//! `modules`: what is compiled in, what is enabled, what each contributes.

use clap::Args;

use super::{Binary, Failure, output};
use crate::config::Sources;
use crate::module::Entry;

/// List the modules: compiled in, enabled, and what each contributes.
#[derive(Debug, Args)]
pub struct ModulesArgs {}

pub(super) fn run(binary: &Binary, _: ModulesArgs) -> Result<(), Failure> {
    // Works without a valid configuration: it is what one looks at when the start is refused.
    let found = binary.examine_config(&Sources::of_process());
    for entry in binary.entries {
        let enabled = match found.enabled.contains(&entry.name) {
            true => "enabled",
            false => "switched off",
        };
        output::line(format!("{}: {enabled}", entry.name))?;
        for (what, names) in contributions(entry) {
            if !names.is_empty() {
                output::line(format!("  {what:<10}  {}", names.join(", ")))?;
            }
        }
    }
    if !found.problems.is_empty() {
        output::line("the configuration has problems: `config check` lists them")?;
    }
    if binary.entries.is_empty() {
        output::line("no module is compiled in")?;
    }
    let compiled = |name: &String| binary.entries.iter().any(|entry| entry.name == *name);
    let absent: Vec<String> = (binary.known)()
        .into_iter()
        .filter(|name| !compiled(name))
        .collect();
    if !absent.is_empty() {
        output::line(format!("not compiled in: {}", absent.join(", ")))?;
    }
    Ok(())
}

fn contributions(entry: &Entry) -> Vec<(&'static str, Vec<String>)> {
    let routes = crate::openapi::operations(&(entry.openapi)());
    vec![
        (
            "needs",
            entry.needs.iter().map(ToString::to_string).collect(),
        ),
        (
            "provides",
            entry.provides.iter().map(ToString::to_string).collect(),
        ),
        (
            "routes",
            routes
                .iter()
                .map(|(method, path)| format!("{method} {path}"))
                .collect(),
        ),
        (
            "sweeps",
            entry.sweeps.iter().map(|name| (*name).to_owned()).collect(),
        ),
        (
            "jobs",
            entry.jobs.iter().map(|kind| kind.name.to_owned()).collect(),
        ),
        (
            "migrations",
            (entry.migrations)()
                .iter()
                .map(|it| it.name.to_owned())
                .collect(),
        ),
        (
            "variables",
            entry
                .section
                .variables
                .iter()
                .map(|it| it.name.to_owned())
                .collect(),
        ),
    ]
}
