//! Variables that look like a misspelling of one of ours.
//!
//! The environment is full of variables that are none of our business, so only a name that is very
//! close to a known one is refused, and short names are left alone.

use std::collections::BTreeSet;

use strsim::damerau_levenshtein;

use super::environment::{APP_ENV, CONFIG_DIR, Environment, PORT, file_variable};
use super::schema::{Schema, switch_variable};

const DISTANCE_MAX: usize = 2;
const NAME_CHARS_MIN: usize = 6;
/// Written by a platform, which sets more than we read and does not misspell: it has
/// `CLOUDRON_MAIL_SMTPS_PORT` beside `CLOUDRON_MAIL_SMTP_PORT`.
const PLATFORM: &str = "CLOUDRON_";

/// A line for each variable that is probably meant for us.
pub(super) fn misspelled(environment: &Environment<'_>, schema: &Schema) -> Vec<String> {
    let known = known(schema);
    let strangers = environment.0.keys().filter(|name| {
        name.len() >= NAME_CHARS_MIN
            && !name.starts_with(PLATFORM)
            && !known.contains(*name)
            && environment.get(name).is_some()
    });
    let line = |name: &String| {
        let meant = closest(name, &known)?;
        Some(format!(
            "{name} (environment): unknown variable; did you mean {meant}?"
        ))
    };
    strangers.filter_map(line).collect()
}

fn closest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let long = known.iter().filter(|other| other.len() >= NAME_CHARS_MIN);
    let near = long.map(|other| (damerau_levenshtein(name, other), other.as_str()));
    near.filter(|(distance, _)| *distance <= DISTANCE_MAX)
        .min()
        .map(|(_, other)| other)
}

/// Every variable that means something to this project, in this build or in another.
fn known(schema: &Schema) -> BTreeSet<String> {
    let own = [APP_ENV, PORT].map(str::to_owned);
    let rows = schema.rows.iter().map(|row| row.variable.clone());
    let switches = schema.absent.iter().map(|module| switch_variable(module));
    let variables: Vec<String> = own.into_iter().chain(rows).chain(switches).collect();
    let files = variables
        .iter()
        .map(|name| file_variable(name))
        .collect::<Vec<_>>();
    let fallbacks = schema
        .rows
        .iter()
        .flat_map(|row| row.fallbacks)
        .map(|it| (*it).to_owned());
    let fallbacks = fallbacks.chain([CONFIG_DIR.to_owned()]);
    variables
        .into_iter()
        .chain(files)
        .chain(fallbacks)
        .collect()
}
