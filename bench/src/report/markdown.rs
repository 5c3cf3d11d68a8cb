//! The generated part of BENCHMARKS.md.

use std::path::Path;

use anyhow::{Context as _, Error};

use super::table;
use crate::results::Results;
use crate::scenarios::Scenario;
use crate::targets::judge;

const BEGIN: &str = "<!-- scripts/bench writes from here -->";
const END: &str = "<!-- to here -->";

/// Everything of these results.
pub(crate) fn section(all: &[Results], about: &str) -> String {
    let mut text = String::new();
    for line in about.lines().filter(|line| !line.trim().is_empty()) {
        text += &format!("- {line}\n");
    }
    text += "\n### Targets\n\n";
    let mut rows = vec![["what", "target", "found", ""].map(str::to_owned).to_vec()];
    rows.extend(judge(all).into_iter().map(|it| {
        let verdict = it.verdict().to_owned();
        let found = it.found.unwrap_or_else(|| "–".into());
        vec![it.what.to_owned(), it.wanted, found, verdict]
    }));
    text += &table::lines(&rows);
    for results in all {
        text += &format!("\n### {}\n\n", results.label);
        if !results.title.is_empty() {
            text += &format!("{}\n\n", results.title);
        }
        if let Some(scenario) = Scenario::named(&results.scenario) {
            text += &table::of(scenario, results);
        }
        text += &format!("\n`{}`, {}\n", results.command, results.at);
    }
    text
}

/// Writes a section in place of the one that is in a file.
pub(crate) fn replace(path: &Path, section: &str) -> Result<(), Error> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let text = between_marks(&text, section)
        .with_context(|| format!("{name} has no part between {BEGIN} and {END}"))?;
    std::fs::write(path, text).with_context(|| format!("cannot write {name}"))
}

fn between_marks(text: &str, section: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let section = section.trim();
    Some(format!("{before}{BEGIN}\n\n{section}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::samples;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let replaced = between_marks(&text, "new\n").unwrap();
        assert_eq!(
            replaced,
            format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n")
        );
        assert_eq!(between_marks(&replaced, "new").unwrap(), replaced);
        assert!(between_marks("nothing", "new").is_none());
    }

    #[test]
    fn a_section_has_the_machine_the_targets_and_every_measurement() {
        let all = [samples::results("beacon", &[("halobestie", &[5])])];
        let text = section(&all, "two cores\n\nRust\n");
        let parts = [
            "- two cores\n- Rust",
            "### Targets",
            "### beacon",
            "What was measured",
        ];
        for part in parts {
            assert!(text.contains(part), "{text}");
        }
    }
}
