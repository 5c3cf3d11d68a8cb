//! `config/example.env`: every variable with its help, its default, and what is accepted.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::environment::{APP_ENV, CONFIG_DIR, PORT};
use super::files::{BUILT_IN, BuiltIn};
use super::load;
use super::schema::{Row, Schema};
use super::values::Values;
use super::{AppEnv, Sources, value};
use crate::module::Entry;

const HEAD: &str = "\
# halobestie: every environment variable, with its default. Generated from the code.
#
# Uncomment what you change. NAME_FILE names a file that holds the value of NAME, for secrets that are
# mounted as files. An empty value means \"not set\". Values are taken as they stand: no quotes.
# `halobestie config check` says what is wrong, `halobestie config show` where each value came from.
";

/// The text of `config/example.env` for core and these modules.
pub fn example_env(entries: &[Entry]) -> String {
    text(&BUILT_IN, entries)
}

pub(super) fn text(built_in: &BuiltIn, entries: &[Entry]) -> String {
    // Production lays nothing over the defaults; whether the result could start does not matter here.
    let env = [(APP_ENV.to_owned(), AppEnv::Production.to_string())].into();
    let sources = Sources {
        env,
        ..Sources::default()
    };
    let (loaded, _) = load::load(built_in, &sources, entries, &[]);
    let mut out = HEAD.to_owned();
    general(&mut out);
    let mut written = BTreeSet::new();
    for section in &loaded.schema.sections {
        block(
            &mut out,
            section.name,
            &loaded.schema,
            &loaded.values,
            &mut written,
        );
    }
    out
}

fn general(out: &mut String) {
    let envs = AppEnv::ALL.map(AppEnv::as_str).join(", ");
    entry(
        out,
        APP_ENV,
        &format!("which environment this is: {envs}"),
        AppEnv::default().as_str(),
    );
    entry(
        out,
        CONFIG_DIR,
        "the folder with default.toml and <APP_ENV>.toml",
        "config",
    );
    entry(
        out,
        PORT,
        "the port of the public listener, where a platform sets it",
        "",
    );
}

/// A section's variables; one that sets keys of several sections is written once.
fn block<'a>(
    out: &mut String,
    section: &'a str,
    schema: &'a Schema,
    values: &Values,
    written: &mut BTreeSet<&'a str>,
) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\n# ---- {section} ----\n");
    for row in schema
        .rows_of(section)
        .filter(|row| written.insert(&row.variable))
    {
        let default = values
            .get(row)
            .as_ref()
            .map(value::text)
            .unwrap_or_default();
        entry(out, &row.variable, &help(row), &default);
    }
}

fn help(row: &Row) -> String {
    let mut help = row.help.clone();
    if row.accepts != row.kind.accepts() {
        let _ = write!(help, "\n# accepts {}", row.accepts);
    }
    if !row.fallbacks.is_empty() {
        let _ = write!(
            help,
            "\n# {} is taken where it is unset",
            row.fallbacks.join(", ")
        );
    }
    help
}

fn entry(out: &mut String, variable: &str, help: &str, default: &str) {
    let _ = write!(out, "\n# {help}\n#{variable}={default}\n");
}
