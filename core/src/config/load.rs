//! The straight line from sources to a checked configuration.

use std::collections::BTreeSet;

use super::environment::{CONFIG_DIR, Environment};
use super::files::{self, BuiltIn};
use super::origin::Origin;
use super::problems::Problems;
use super::schema::Schema;
use super::section::Scene;
use super::sections::{DATABASE, SERVER};
use super::values::Values;
use super::{AppEnv, Sources, check, spelling, switches, value};
use crate::module::Entry;

/// Everything that was read, right or wrong.
pub(super) struct Loaded {
    pub(super) env: AppEnv,
    pub(super) env_origin: Origin,
    pub(super) schema: Schema,
    pub(super) values: Values,
    pub(super) enabled: BTreeSet<&'static str>,
}

/// Reads and checks everything.
pub(super) fn load(
    built_in: &BuiltIn,
    sources: &Sources,
    entries: &[Entry],
    known: &[&str],
) -> (Loaded, Problems) {
    let mut problems = Problems::default();
    let schema = Schema::new(entries, known);
    let environment = Environment(&sources.env);
    let (env, env_origin) = environment.app_env(&mut problems);
    refuse_absent_folder(sources, &environment, &mut problems);
    let values = lay(built_in, sources, env, &schema, &mut problems);
    let enabled = switches::enabled(entries, &schema, &values);
    let loaded = Loaded {
        env,
        env_origin,
        schema,
        values,
        enabled,
    };
    check_all(&loaded, sources, entries, &mut problems);
    (loaded, problems)
}

fn check_all(loaded: &Loaded, sources: &Sources, entries: &[Entry], problems: &mut Problems) {
    let Loaded {
        env,
        schema,
        values,
        enabled,
        ..
    } = loaded;
    let environment = Environment(&sources.env);
    switches::refuse_absent(&environment, schema, problems);
    switches::refuse_unmet(entries, enabled, schema, values, problems);
    for line in spelling::misspelled(&environment, schema) {
        problems.add(line);
    }
    require_database(sources, schema, values, problems);
    let provided = switches::provided(entries, enabled);
    let public_base_url = schema.row(SERVER, "public_base_url");
    let public_base_url = public_base_url.and_then(|row| values.get(row));
    let public_base_url = public_base_url.as_ref().map(value::text);
    let scene = Scene {
        env: *env,
        provided: &provided,
        public_base_url: public_base_url.as_deref().unwrap_or_default(),
    };
    // A module that is off needs nothing, so its section is not checked.
    let is_off = |name| entries.iter().any(|entry| entry.name == name) && !enabled.contains(name);
    for section in schema
        .sections
        .iter()
        .filter(|section| !is_off(section.name))
    {
        check::section(section, values, schema, scene, problems);
    }
}

/// Lays the files, the environment and `PORT` over each other.
fn lay(
    built_in: &BuiltIn,
    sources: &Sources,
    env: AppEnv,
    schema: &Schema,
    problems: &mut Problems,
) -> Values {
    let environment = Environment(&sources.env);
    let folder = sources.config_dir.as_deref();
    let mut values = Values::default();
    for layer in files::layers(built_in, folder, env, schema, problems) {
        values.lay(layer);
    }
    for row in &schema.rows {
        environment
            .layer(row, problems)
            .into_iter()
            .for_each(|layer| values.lay(layer));
    }
    if let Some(row) = schema.row(SERVER, "public_addr") {
        let address = values
            .get(row)
            .as_ref()
            .map(value::text)
            .unwrap_or_default();
        environment
            .port(row, &address, problems)
            .into_iter()
            .for_each(|layer| values.lay(layer));
    }
    values
}

/// A folder that is not there is skipped, unless somebody named it.
fn refuse_absent_folder(sources: &Sources, environment: &Environment<'_>, problems: &mut Problems) {
    let named = environment
        .get(CONFIG_DIR)
        .and(sources.config_dir.as_deref());
    if let Some(folder) = named.filter(|folder| !folder.is_dir()) {
        let folder = folder.display();
        problems.add(format!(
            "{CONFIG_DIR} (environment): expected a folder, got {folder}"
        ));
    }
}

fn require_database(sources: &Sources, schema: &Schema, values: &Values, problems: &mut Problems) {
    let Some(row) = schema.row(DATABASE, "url") else {
        return;
    };
    if !sources.database_optional && values.get(row).is_none() && !problems.has(row) {
        problems.about(
            row,
            format!("{}: required: expected {}", values.place(row), row.accepts),
        );
    }
}
