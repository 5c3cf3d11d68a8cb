//! Example environments: every variable with its help, its default, and what is accepted.
//!
//! `config/example.env` has all of them as comments. Those of a stack ([`stack_env`]) are copied and filled
//! in: what must be set there is an empty line to fill, found by loading an environment without it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::environment::{APP_ENV, CONFIG_DIR, PORT};
use super::files::{BUILT_IN, BuiltIn};
use super::load::{self, Loaded};
use super::problems::Problems;
use super::schema::Row;
use super::{AppEnv, Sources, value};
use crate::module::Entry;

const HEAD: &str = "\
# halobestie: every environment variable, with its default. Generated from the code.
#
# Uncomment what you change. NAME_FILE names a file that holds the value of NAME, for secrets that are
# mounted as files. An empty value means \"not set\". Values are taken as they stand: no quotes.
# `halobestie config check` says what is wrong, `halobestie config show` where each value came from.
";

const STACK_HEAD: &str = "\
# Every environment variable, with its default. Generated from the code.
#
# What must be set stands open; uncomment what else you change. NAME_FILE names a file that holds the
# value of NAME. An empty value means \"not set\". Compose reads this file as well: put a value with a
# dollar sign or a hash into single quotes.
";

/// What is right on the machine of a developer alone.
const NOT_FOR_STRANGERS: &str = "PUBLIC_BASE_URL";

/// The text of `config/example.env` for core and these modules.
pub fn example_env(entries: &[Entry]) -> String {
    text(&BUILT_IN, entries)
}

/// The text of an `.env` file for a stack of containers, whose compose files set what is `brought`.
pub fn stack_env(entries: &[Entry], env: AppEnv, brought: &[&str]) -> String {
    let (loaded, problems) = loaded(&BUILT_IN, entries, env);
    let is_open = |row: &Row| {
        let is_missing =
            problems.has(row) || (env.is_deployed() && row.variable == NOT_FOR_STRANGERS);
        is_missing && !brought.contains(&row.variable.as_str())
    };
    let mut out = STACK_HEAD.to_owned();
    general(&mut out, env);
    out.push_str(&sections(&loaded, &is_open));
    out
}

pub(super) fn text(built_in: &BuiltIn, entries: &[Entry]) -> String {
    // Production lays nothing over the defaults; whether the result could start does not matter here.
    let (loaded, _) = loaded(built_in, entries, AppEnv::Production);
    let mut out = HEAD.to_owned();
    general(&mut out, AppEnv::default());
    out.push_str(&sections(&loaded, &|_| false));
    out
}

/// What an environment is where nothing is set but its name.
fn loaded(built_in: &BuiltIn, entries: &[Entry], env: AppEnv) -> (Loaded, Problems) {
    let sources = Sources {
        env: [(APP_ENV.to_owned(), env.to_string())].into(),
        ..Sources::default()
    };
    load::load(built_in, &sources, entries, &[])
}

fn general(out: &mut String, env: AppEnv) {
    let envs = AppEnv::ALL.map(AppEnv::as_str).join(", ");
    let help = format!("which environment this is: {envs}");
    entry(out, APP_ENV, &help, env.as_str());
    let help = "the folder with default.toml and <APP_ENV>.toml";
    entry(out, CONFIG_DIR, help, "config");
    let help = "the port of the public listener, where a platform sets it";
    entry(out, PORT, help, "");
}

/// All sections; what is open is not a comment.
fn sections(loaded: &Loaded, is_open: &dyn Fn(&Row) -> bool) -> String {
    let mut out = String::new();
    let mut written = BTreeSet::new();
    for section in &loaded.schema.sections {
        block(&mut out, section.name, loaded, &mut written, is_open);
    }
    out
}

/// A section's variables; one that sets keys of several sections is written once.
fn block<'a>(
    out: &mut String,
    section: &'a str,
    loaded: &'a Loaded,
    written: &mut BTreeSet<&'a str>,
    is_open: &dyn Fn(&Row) -> bool,
) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\n# ---- {section} ----\n");
    let rows = loaded.schema.rows_of(section);
    for row in rows.filter(|row| written.insert(&row.variable)) {
        let default = loaded.values.get(row).as_ref().map(value::text);
        let (variable, default) = (&row.variable, default.unwrap_or_default());
        if is_open(row) {
            let _ = write!(out, "\n# {}\n{variable}=\n", help(row));
        } else {
            entry(out, variable, &help(row), &default);
        }
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
