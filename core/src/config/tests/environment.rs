//! Variables: by kind, from files, from platforms, and what is said of wrong ones.

use secrecy::ExposeSecret;

use super::fakes::{Folder, config, load_sources, problems, shown, sources, tea};
use crate::config::{AppEnv, Config, Sources};

#[test]
fn defaults_stand_where_nothing_is_set() {
    let config = config(&[]);
    assert_eq!(config.env, AppEnv::Development);
    assert_eq!(config.server.public_addr.to_string(), "0.0.0.0:3000");
    assert_eq!(config.valkey.timeout_ms, 500);
    assert_eq!(config.valkey.key_prefix, "");
    assert!(config.valkey.url.is_none());
    let tea = tea(&config);
    assert_eq!(
        (tea.leaf.as_str(), tea.cups, tea.sugar),
        ("assam", 2, false)
    );
    assert_eq!((tea.note, tea.minutes), (None, None));
}

#[test]
fn the_kind_decides_what_a_text_is() {
    let config = config(&[
        ("TEA_LEAF", "true"),
        ("TEA_CUPS", "7"),
        ("TEA_SUGAR", "true"),
        ("TEA_GUESTS", " pooh, ,piglet,"),
        ("TEA_RECIPE", "12345678"),
        ("TEA_OLD_RECIPES", "1,[2]"),
        ("TEA_NOTE", "\"quoted\" = yes"),
        ("TEA_MINUTES", "4"),
    ]);
    let tea = tea(&config);
    assert_eq!((tea.leaf.as_str(), tea.cups, tea.sugar), ("true", 7, true));
    assert_eq!(tea.guests, ["pooh", "piglet"]);
    assert_eq!(tea.recipe.expose_secret(), "12345678");
    assert_eq!(tea.old_recipes[1].expose_secret(), "[2]");
    assert_eq!(tea.note.as_deref(), Some("\"quoted\" = yes"));
    assert_eq!(tea.minutes, Some(4));
    assert_eq!(shown(&config, "tea.cups").origin, "environment");
    assert_eq!(shown(&config, "tea.guests").value, "pooh,piglet");
}

#[test]
fn an_empty_variable_is_unset() {
    let config = config(&[
        ("TEA_LEAF", ""),
        ("TEA_CUPS", ""),
        ("APP_ENV", ""),
        ("PORT", ""),
    ]);
    assert_eq!(tea(&config).leaf, "assam");
    assert_eq!(shown(&config, "tea.leaf").origin, "built in");
}

#[test]
fn a_file_variable_names_the_file_with_the_value() {
    let folder = Folder::new("file-variable");
    let recipe = folder.write("recipe", "s3cret\r\n");
    let cups = folder.write("cups", "5\n");
    let config = config(&[("TEA_RECIPE_FILE", &recipe), ("TEA_CUPS_FILE", &cups)]);
    assert_eq!(tea(&config).recipe.expose_secret(), "s3cret");
    assert_eq!(tea(&config).cups, 5);
    assert_eq!(
        shown(&config, "tea.cups").origin,
        "environment (TEA_CUPS_FILE)"
    );
}

#[test]
fn a_file_variable_that_cannot_be_read_is_one_line() {
    let lines = problems(&[
        ("DATABASE_URL", ""),
        ("DATABASE_URL_FILE", "/nowhere/hunny"),
    ]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("DATABASE_URL (environment (DATABASE_URL_FILE)): "),
        "{lines:?}"
    );
    assert!(!lines[0].contains("hunny"), "{lines:?}");
}

#[test]
fn a_variable_and_its_file_are_not_both_set() {
    let lines = problems(&[("TEA_LEAF", "x"), ("TEA_LEAF_FILE", "/etc/hostname")]);
    assert_eq!(
        lines,
        ["TEA_LEAF (environment): TEA_LEAF_FILE is set too: set one of them"]
    );
}

#[test]
fn a_variable_that_was_not_utf8_is_refused() {
    // What `of_process` makes of a byte that is no text.
    let lines = problems(&[("TEA_RECIPE", "se\u{fffd}cret")]);
    assert_eq!(lines, ["TEA_RECIPE (environment): expected UTF-8"]);
}

#[test]
fn platforms_have_names_of_their_own() {
    let url = "postgres://cloud:pw@db/app";
    let set = [
        ("DATABASE_URL", ""),
        ("CLOUDRON_POSTGRESQL_URL", url),
        ("CLOUDRON_REDIS_URL", "redis://:pw@cache:6379"),
        ("CLOUDRON_APP_ORIGIN", "https://app.example.org/"),
    ];
    let config = config(&set);
    assert_eq!(config.database.url.as_ref().unwrap().expose_secret(), url);
    assert!(config.valkey.url.is_some());
    assert_eq!(config.server.public_base_url, "https://app.example.org");
    assert_eq!(
        shown(&config, "database.url").origin,
        "environment (CLOUDRON_POSTGRESQL_URL)"
    );
}

#[test]
fn a_variable_goes_before_its_fallback() {
    let config = config(&[("TEA_NOTE", "ours"), ("HOST_NOTE", "theirs")]);
    assert_eq!(tea(&config).note.as_deref(), Some("ours"));
}

#[test]
fn port_changes_the_public_port_alone() {
    let both = config(&[("PORT", "8080"), ("PUBLIC_ADDR", "[::1]:9")]);
    assert_eq!(both.server.public_addr.to_string(), "[::1]:8080");
    assert_eq!(both.server.internal_addr.to_string(), "127.0.0.1:3001");
    assert_eq!(
        shown(&both, "server.public_addr").origin,
        "environment (PORT)"
    );
    let alone = config(&[("PORT", "8080")]);
    assert_eq!(alone.server.public_addr.to_string(), "0.0.0.0:8080");
    assert_eq!(
        problems(&[("PORT", "70000")]),
        [r#"PORT (environment): expected 0 to 65535, got "70000""#]
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let lines = problems(&[
        ("APP_ENV", "prod"),
        ("TEA_CUPS", "many"),
        ("TEA_SUGAR", "yes"),
        ("TEA_MINUTES", "-1"),
        ("PUBLIC_ADDR", "localhost:3000"),
        ("INTERNAL_ADDR", "nowhere"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_POOL_SIZE", "0"),
    ]);
    for start in [
        r#"APP_ENV (environment): expected development, test, staging or production, got "prod""#,
        r#"TEA_CUPS (environment): expected a whole number, zero or more, got "many""#,
        r#"TEA_SUGAR (environment): expected true or false, got "yes""#,
        r#"TEA_MINUTES (environment): expected a whole number, zero or more, got "-1""#,
        "PUBLIC_ADDR (environment): expected an IP address and a port, such as 0.0.0.0:3000, got",
        "INTERNAL_ADDR (environment): expected an IP address and a port",
        r#"LOG_FORMAT (environment): expected json or pretty, got "xml""#,
        "DATABASE_POOL_SIZE (environment): expected 2 to 1000, got 0",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(start)),
            "no {start} in {lines:#?}"
        );
    }
    assert_eq!(lines.len(), 8, "{lines:#?}");
}

#[test]
fn a_number_that_is_too_large_for_its_type_is_refused() {
    let lines = problems(&[("TEA_CUPS", "256")]);
    let line = r#"TEA_CUPS (environment): expected a whole number, zero or more, got "256""#;
    assert_eq!(lines, [line]);
}

#[test]
fn a_misspelled_variable_is_refused_and_a_stranger_is_not() {
    let lines = problems(&[
        ("DATABSE_POOL_SIZE", "9"),
        ("TEA_SUGER_FILE", "x"),
        ("PATHS", "x"),
    ]);
    assert_eq!(
        lines,
        [
            "DATABSE_POOL_SIZE (environment): unknown variable; did you mean DATABASE_POOL_SIZE?",
            "TEA_SUGER_FILE (environment): unknown variable; did you mean TEA_SUGAR_FILE?",
        ]
    );
    let strangers = [
        ("EXPORT", "1"),
        ("TEA_COSY", "blue"),
        ("SAMOVAR_ENABLED", "false"),
    ];
    assert!(problems(&strangers).is_empty());
    assert!(
        problems(&[("DATABSE_URL", "")]).is_empty(),
        "an empty variable is none"
    );
}

#[test]
fn the_database_may_be_optional() {
    let without = Sources::default();
    let lines = super::fakes::problems_of(&without);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("DATABASE_URL (not set): required: expected a URL"),
        "{lines:?}"
    );
    let optional = Sources {
        database_optional: true,
        ..without
    };
    assert!(load_sources(&optional).database.url.is_none());
}

#[test]
fn a_configuration_can_be_looked_at_though_it_is_wrong() {
    let examined = Config::examine(&sources(&[("DATABASE_POOL_SIZE", "x")]), &[], &[]);
    assert_eq!(examined.problems.len(), 1);
    let pool = examined
        .shown
        .iter()
        .find(|shown| shown.key == "database.pool_size")
        .unwrap();
    assert_eq!(
        (pool.value.as_str(), pool.origin.as_str()),
        ("16", "built in")
    );
}
