//! The files: those compiled in, and those on disk that are laid over them.
//!
//! A checkout holds the very files that are compiled in. A section on disk that equals the compiled
//! one therefore counts as that one: it says nothing new, and an operator did not write it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::origin::{Layer, Origin};
use super::problems::Problems;
use super::schema::{Row, Schema};
use super::{AppEnv, value};
use crate::module::Entry;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The texts of the files that are compiled in.
pub(super) struct BuiltIn {
    pub(super) default: &'static str,
    pub(super) of_env: fn(AppEnv) -> &'static str,
}

/// The files of this repository.
pub(super) static BUILT_IN: BuiltIn = BuiltIn {
    default: include_str!("../../../config/default.toml"),
    of_env: |env| match env {
        AppEnv::Development => include_str!("../../../config/development.toml"),
        AppEnv::Test => include_str!("../../../config/test.toml"),
        AppEnv::Staging => include_str!("../../../config/staging.toml"),
        AppEnv::Production => include_str!("../../../config/production.toml"),
    },
};

/// The layers of all files, lowest first.
pub(super) fn layers(
    built_in: &BuiltIn,
    folder: Option<&Path>,
    env: AppEnv,
    schema: &Schema,
    problems: &mut Problems,
) -> Vec<Layer> {
    let files = [
        ("default", built_in.default),
        (env.as_str(), (built_in.of_env)(env)),
    ];
    let mut layers = Vec::new();
    for (name, text) in files {
        let file = format!("{name}.toml");
        let mut compiled = parse(text).unwrap_or_else(|error| {
            problems.add(format!("{file} (built in): {error}"));
            Dict::new()
        });
        if name == "default" {
            compiled = over_sections_own(schema, compiled, problems);
        }
        let over = folder.map(|it| of_disk(&it.join(&file), &compiled, schema, problems));
        layers.push(of_build(compiled, schema, problems));
        layers.extend(over);
    }
    layers
}

/// The keys, of core and of these modules, that have a default neither in the compiled `default.toml` nor
/// in their section's own. That there are none is what makes these the list of all there is.
pub fn missing_defaults(entries: &[Entry]) -> Vec<String> {
    let schema = Schema::new(entries, &[]);
    let sections = parse(BUILT_IN.default).unwrap_or_default();
    let sections = over_sections_own(&schema, sections, &mut Problems::default());
    let has = |row: &&Row| {
        let section = sections.get(row.section).and_then(Value::as_dict);
        section.is_some_and(|section| section.contains_key(row.key))
    };
    schema
        .rows
        .iter()
        .filter(|row| !has(row))
        .map(Row::to_string)
        .collect()
}

/// Lays the compiled `default.toml` over what sections bring themselves.
fn over_sections_own(schema: &Schema, over: Dict, problems: &mut Problems) -> Dict {
    let mut figment = Figment::new();
    for spec in &schema.sections {
        match parse(spec.defaults) {
            Ok(keys) if keys.is_empty() => {}
            Ok(keys) => figment = figment.merge((spec.name, keys)),
            Err(error) => problems.add(format!("the defaults of [{}]: {error}", spec.name)),
        }
    }
    let laid = over
        .iter()
        .fold(figment, |figment, (name, keys)| figment.merge((name, keys)));
    // Extracting what was just put in cannot fail.
    laid.extract().unwrap_or(over)
}

/// A file's text.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let bytes = File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if bytes as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it is larger than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

/// A compiled file, without the sections of modules that are not compiled in.
fn of_build(mut sections: Dict, schema: &Schema, problems: &mut Problems) -> Layer {
    sections.retain(|name, _| schema.has_section(name));
    sift(
        Layer {
            origin: Origin::BuiltIn,
            sections,
        },
        schema,
        problems,
    )
}

/// A file on disk; an absent one is an empty layer.
fn of_disk(path: &Path, compiled: &Dict, schema: &Schema, problems: &mut Problems) -> Layer {
    let mut sections = match read(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Dict::new()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
    .unwrap_or_else(|error| {
        problems.add(format!("{}: {error}", path.display()));
        Dict::new()
    });
    sections.retain(|name, section| compiled.get(name) != Some(section));
    sift(
        Layer {
            origin: Origin::File(path.to_owned()),
            sections,
        },
        schema,
        problems,
    )
}

/// Parses a file. The message never quotes the file: there may be secrets in it.
fn parse(text: &str) -> Result<Dict, String> {
    Toml::from_str(text).map_err(|error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!(
            "line {line} is not valid TOML: {}",
            error.message().replace('\n', " ")
        )
    })
}

/// Takes out of a layer, and reports, whatever the schema does not know.
fn sift(mut layer: Layer, schema: &Schema, problems: &mut Problems) -> Layer {
    let Layer { origin, sections } = &mut layer;
    sections.retain(|name, section| {
        let Value::Dict(_, keys) = section else {
            problems.add(format!(
                "{}: {name} stands outside of any section",
                file_name(origin)
            ));
            return false;
        };
        if !schema.has_section(name) {
            problems.add(format!(
                "{}: {}",
                file_name(origin),
                unknown_section(name, schema)
            ));
            return false;
        }
        keys.retain(|key, value| is_fine(origin, (name, key), value, schema, problems));
        true
    });
    layer
}

fn is_fine(
    origin: &Origin,
    (section, key): (&str, &str),
    value: &Value,
    schema: &Schema,
    problems: &mut Problems,
) -> bool {
    let Some(row) = schema.row(section, key) else {
        let keys: Vec<&str> = schema.rows_of(section).map(|row| row.key).collect();
        let keys = if keys.is_empty() {
            "none".to_owned()
        } else {
            keys.join(", ")
        };
        let file = file_name(origin);
        problems.add(format!(
            "{file}: unknown key {section}.{key}; its keys are: {keys}"
        ));
        return false;
    };
    let fits = value::fits(row.kind, value);
    if !fits {
        problems.about(row, mismatch(origin, row, value));
    }
    fits
}

fn mismatch(origin: &Origin, row: &Row, value: &Value) -> String {
    let got = if row.kind.is_secret() {
        String::new()
    } else {
        format!(", got {}", value.to_actual())
    };
    format!(
        "{}: expected {}{got}",
        origin.place(row),
        row.kind.accepts()
    )
}

fn unknown_section(name: &str, schema: &Schema) -> String {
    if schema.absent.iter().any(|module| module == name) {
        return format!(
            "section [{name}]: the module {name} is not compiled into this build; build it with the \
             cargo feature {name}, or remove the section"
        );
    }
    let names: Vec<&str> = schema.sections.iter().map(|section| section.name).collect();
    format!(
        "unknown section [{name}]; the sections are: {}",
        names.join(", ")
    )
}

fn file_name(origin: &Origin) -> String {
    match origin {
        Origin::File(path) => path.display().to_string(),
        _ => "a built-in file".into(),
    }
}
