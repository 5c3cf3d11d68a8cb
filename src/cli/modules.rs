//! `modules`: what is compiled in, what is enabled, what each contributes.

use clap::Args;
use halobestie_core::Entry;
use halobestie_core::config::Sources;

use super::{Failure, output};
use crate::modules::{COMPILED, known};

/// List the modules: compiled in, enabled, and what each contributes.
#[derive(Debug, Args)]
pub(super) struct ModulesArgs {}

pub(super) fn run(_: ModulesArgs) -> Result<(), Failure> {
    // Works without a valid configuration: it is what one looks at when the start is refused.
    let found = crate::examine_config(&Sources::of_process());
    for entry in COMPILED {
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
        output::line("the configuration has problems: `halobestie config check` lists them")?;
    }
    if COMPILED.is_empty() {
        output::line("no module is compiled in")?;
    }
    let compiled = |name: &String| COMPILED.iter().any(|entry| entry.name == *name);
    let absent: Vec<String> = known().into_iter().filter(|name| !compiled(name)).collect();
    if !absent.is_empty() {
        output::line(format!("not compiled in: {}", absent.join(", ")))?;
    }
    Ok(())
}

fn contributions(entry: &Entry) -> Vec<(&'static str, Vec<String>)> {
    let routes = halobestie_core::openapi::operations(&(entry.openapi)());
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
