//! Whether a section's values fit its type, and what the section itself says about them.
//!
//! A type's reader stops at the first value that does not fit. To find the others too, that value is
//! replaced by a stand-in and the section is read again.

use figment::error::Kind as ErrorKind;
use figment::value::{Dict, Value};

use super::problems::Problems;
use super::schema::{Row, Schema};
use super::section::Scene;
use super::values::Values;
use super::{SectionSpec, value};

/// Reports everything that is wrong with a section.
pub(super) fn section(
    spec: &SectionSpec,
    values: &Values,
    schema: &Schema,
    scene: Scene<'_>,
    problems: &mut Problems,
) {
    let mut section = values.section(spec.name);
    // Each key can be replaced at most twice: by its default, and by a blank where it has none.
    for _ in 0..=2 * spec.variables.len() {
        let error = match (spec.check)(&section, scene) {
            Ok(invalid) => {
                for invalid in invalid {
                    report(
                        spec,
                        invalid.key,
                        &invalid.message,
                        (values, schema),
                        problems,
                    );
                }
                return;
            }
            Err(error) => error,
        };
        let Some(row) = key(&error).and_then(|key| schema.row(spec.name, key)) else {
            problems.add(format!("section [{}]: {}", spec.name, error.kind));
            return;
        };
        let message = misfit(row, &error.kind, section.get(row.key));
        report(spec, row.key, &message, (values, schema), problems);
        replace(&mut section, row, values.built_in(row), error.missing());
    }
}

fn report(
    spec: &SectionSpec,
    key: &str,
    message: &str,
    (values, schema): (&Values, &Schema),
    problems: &mut Problems,
) {
    match schema.row(spec.name, key) {
        Some(row) if problems.has(row) => {}
        Some(row) => problems.about(row, format!("{}: {message}", values.place(row))),
        None => problems.add(format!("{}.{key}: {message}", spec.name)),
    }
}

fn replace(section: &mut Dict, row: &Row, built_in: Option<Value>, is_missing: bool) {
    let stand_in = if is_missing {
        Some(value::blank(row.kind))
    } else {
        built_in
    };
    match stand_in {
        Some(value) => section.insert(row.key.to_owned(), value),
        None => section.remove(row.key),
    };
}

/// The key that an error is about.
fn key(error: &figment::Error) -> Option<&str> {
    match &error.kind {
        ErrorKind::MissingField(name) => Some(name),
        _ => error.path.first().map(String::as_str),
    }
}

/// What is accepted. Says nothing of a secret's value, nor what its type said, which may quote it.
fn misfit(row: &Row, error: &ErrorKind, value: Option<&Value>) -> String {
    let accepts = row.accepts;
    match (error, value) {
        (ErrorKind::MissingField(_), _) | (_, None) => format!("required: expected {accepts}"),
        (_, Some(_)) if row.kind.is_secret() => format!("expected {accepts}"),
        (ErrorKind::Message(reason), Some(value)) => {
            format!(
                "expected {accepts}, got {:?}: {}",
                value::text(value),
                one_line(reason)
            )
        }
        (_, Some(value)) => format!("expected {accepts}, got {:?}", value::text(value)),
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
