//! Switches, needs, and sections of modules.

use super::fakes::{BUILT_IN, ENTRIES, KNOWN, config, problems, shown, sources};
use crate::config::{Config, example};

#[test]
fn modules_are_switched_by_variables_made_of_their_names() {
    let all = config(&[]);
    assert!(all.is_enabled("tea") && all.is_enabled("kettle"));
    assert!(!all.is_enabled("samovar"), "not compiled in");
    let none = config(&[("TEA_ENABLED", "false"), ("KETTLE_ENABLED", "false")]);
    assert!(!none.is_enabled("tea") && !none.is_enabled("kettle"));
    assert_eq!(
        shown(&none, "tea.enabled").variable.as_deref(),
        Some("TEA_ENABLED")
    );
}

#[test]
fn a_module_without_a_section_is_on() {
    let config = Config::load(&sources(&[]), &ENTRIES[..1], &KNOWN).unwrap();
    assert!(config.is_enabled("kettle"));
}

#[test]
fn a_module_that_is_off_is_not_checked() {
    assert!(problems(&[("TEA_ENABLED", "false"), ("TEA_CUPS", "99")]).is_empty());
    assert_eq!(problems(&[("TEA_CUPS", "99")]).len(), 1);
}

#[test]
fn an_absent_module_cannot_be_switched_on() {
    assert_eq!(
        problems(&[("SAMOVAR_ENABLED", "true")]),
        [
            "SAMOVAR_ENABLED (environment): the module samovar is not compiled into this build; build it \
          with the cargo feature samovar, or set SAMOVAR_ENABLED=false"
        ]
    );
    assert_eq!(
        problems(&[("SAMOVAR_ENABLED", "on")]),
        [r#"SAMOVAR_ENABLED (environment): expected true or false, got "on""#]
    );
    assert!(problems(&[("SAMOVAR_ENABLED", "false")]).is_empty());
}

#[test]
fn a_need_that_nobody_meets_is_told() {
    assert_eq!(
        problems(&[("KETTLE_ENABLED", "false")]),
        [
            "TEA_ENABLED (built in): the module tea needs directory, which the module kettle provides, \
          and that is off; set KETTLE_ENABLED=true or TEA_ENABLED=false"
        ]
    );
    let Err(errors) = Config::load_over(&BUILT_IN, &sources(&[]), &ENTRIES[1..], &KNOWN) else {
        panic!("tea without a kettle");
    };
    assert_eq!(
        errors.0,
        [
            "TEA_ENABLED (built in): the module tea needs directory, which no module of this build \
          provides; set TEA_ENABLED=false"
        ]
    );
}

#[test]
fn a_sections_own_check_is_told_with_variable_and_origin() {
    let set = [
        ("APP_ENV", "production"),
        ("VALKEY_URL", "redis://x"),
        ("TEA_LEAF", "dust"),
    ];
    assert_eq!(
        problems(&set),
        ["TEA_LEAF (environment): expected something better in production"]
    );
}

#[test]
fn the_example_names_every_variable_with_its_default() {
    let text = example::text(&BUILT_IN, &ENTRIES);
    for line in [
        "#APP_ENV=development",
        "#DATABASE_URL=",
        "# CLOUDRON_POSTGRESQL_URL is taken where it is unset",
        "#LOG_FORMAT=json",
        "# accepts json or pretty",
        "#TEA_ENABLED=true",
        "#TEA_CUPS=2",
        "#TEA_OLD_RECIPES=",
    ] {
        assert!(
            text.lines().any(|it| it == line),
            "{line} is not in:\n{text}"
        );
    }
}
