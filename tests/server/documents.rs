//! Generated pages are held equal to the code. `UPDATE_DOCS=1` rewrites them.

use std::path::Path;

use halobestie::modules::COMPILED;
use halobestie_core::Entry;
use halobestie_core::config::{AppEnv, stack_env};

/// What Compose and the scripts read beside the server.
const STACK_VARIABLES: &str = include_str!("../../deploy/compose/variables.env");

#[test]
fn the_error_catalogue_is_current() {
    hold(
        "docs/errors.md",
        &halobestie_core::catalogue::errors_markdown(COMPILED),
    );
}

#[test]
fn the_example_environment_is_current() {
    hold(
        "config/example.env",
        &halobestie_core::config::example_env(COMPILED),
    );
}

#[test]
fn the_environments_of_the_stacks_are_current() {
    let bundled = ["DATABASE_URL", "VALKEY_URL"];
    let local = ["DATABASE_URL", "VALKEY_URL", "AUTH_JWT_SECRET"];
    let examples: [(&str, AppEnv, &[&str]); 3] = [
        (".env.example", AppEnv::Development, &local),
        (".env.staging.example", AppEnv::Staging, &bundled),
        (".env.production.example", AppEnv::Production, &[]),
    ];
    for (path, env, brought) in examples {
        let ours = stack_env(&of_images(), env, brought);
        hold(path, &format!("{ours}{STACK_VARIABLES}"));
    }
}

/// The modules that images have: what is for developers alone is configured nowhere else.
fn of_images() -> Vec<Entry> {
    let manifest: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).unwrap();
    let image = manifest["features"]["image"].as_array().unwrap();
    let has = |entry: &&Entry| image.iter().any(|it| it.as_str() == Some(entry.name));
    COMPILED.iter().filter(has).copied().collect()
}

#[test]
fn every_key_has_a_default() {
    assert_eq!(
        halobestie_core::config::missing_defaults(COMPILED),
        Vec::<String>::new()
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the test, not configuration"
)]
fn hold(path: &str, generated: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&file, generated).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == generated,
        "{path} is out of date: UPDATE_DOCS=1 scripts/test server"
    );
}
