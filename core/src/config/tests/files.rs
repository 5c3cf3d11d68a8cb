//! Files on disk: what they override, and what is said of wrong ones.

use super::fakes::{DEFAULT, ENTRIES, Folder, KettleConfig, load_sources, problems_of, shown, tea};
use crate::config::{AppEnv, Config, Sources, missing_defaults};

#[test]
fn the_compiled_file_has_every_key_of_core() {
    assert_eq!(missing_defaults(&[]), Vec::<String>::new());
    let missing = missing_defaults(&ENTRIES);
    assert!(
        missing.contains(&"tea.leaf".to_owned()),
        "a gap would be seen"
    );
}

#[test]
fn the_compiled_files_are_right_in_every_environment() {
    for env in AppEnv::ALL {
        let mut sources = super::fakes::sources(&[("VALKEY_URL", "redis://localhost")]);
        sources.env.insert("APP_ENV".into(), env.to_string());
        let config = Config::load(&sources, &[], &[]).unwrap();
        assert_eq!(config.env, env);
    }
}

#[test]
fn later_layers_win() {
    let folder = Folder::new("later-layers");
    let default = folder.write(
        "default.toml",
        "[tea]\nleaf = \"disk\"\ncups = 3\nsugar = true\n",
    );
    let test = folder.write("test.toml", "[tea]\ncups = 4\nguests = [\"owl\"]\n");
    let config = load_sources(&folder.sources(&[("APP_ENV", "test"), ("TEA_SUGAR", "false")]));
    let tea = tea(&config);
    // The compiled test.toml lies over the default.toml on disk.
    assert_eq!(
        (tea.leaf.as_str(), tea.cups, tea.sugar),
        ("rooibos", 4, false)
    );
    assert_eq!(tea.guests, ["owl"]);
    let origin = |key| shown(&config, key).origin;
    assert_eq!(origin("tea.leaf"), "built in");
    assert_eq!(origin("tea.cups"), test);
    assert_eq!(origin("tea.sugar"), "environment");
    let config = load_sources(&folder.sources(&[]));
    assert_eq!(shown(&config, "tea.cups").origin, default);
}

#[test]
fn an_empty_text_in_a_file_unsets() {
    let folder = Folder::new("empty-text");
    folder.write("default.toml", "[tea]\nnote = \"hot\"\nminutes = 3\n");
    folder.write("development.toml", "[tea]\nnote = \"\"\nminutes = \"\"\n");
    let tea = tea(&load_sources(&folder.sources(&[])));
    assert_eq!((tea.note, tea.minutes), (None, None));
}

#[test]
fn a_required_key_that_is_unset_is_told_with_everything_else() {
    let folder = Folder::new("required");
    folder.write(
        "default.toml",
        "[tea]\nrecipe = \"\"\nleaf = \"\"\ncups = 0\n",
    );
    let lines = problems_of(&folder.sources(&[]));
    assert_eq!(lines.len(), 3, "{lines:?}");
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(
        has("TEA_RECIPE (not set): required: expected a text"),
        "{lines:?}"
    );
    assert!(
        has("TEA_LEAF (not set): required: expected a text"),
        "{lines:?}"
    );
    assert!(has("TEA_CUPS (tea.cups in "), "{lines:?}");
}

#[test]
fn a_copy_of_the_compiled_file_says_nothing_new() {
    let folder = Folder::new("copy");
    folder.write("default.toml", DEFAULT);
    let config = load_sources(&folder.sources(&[]));
    assert_eq!(shown(&config, "tea.leaf").origin, "built in");
}

#[test]
fn a_section_of_an_absent_module_is_refused_where_somebody_wrote_it() {
    let folder = Folder::new("absent-module");
    let path = folder.write("development.toml", "[samovar]\nenabled = false\n");
    assert_eq!(
        problems_of(&folder.sources(&[])),
        [format!(
            "{path}: section [samovar]: the module samovar is not compiled into this build; build it \
             with the cargo feature samovar, or remove the section"
        )]
    );
}

#[test]
fn what_is_unknown_or_of_a_wrong_type_is_named_with_its_file() {
    let folder = Folder::new("unknown");
    let text = "stray = 1\n[taes]\n[kettle]\nx = 1\n[tea]\nleef = 1\ncups = \"3\"\nsugar = 1\n\
                guests = \"owl\"\nrecipe = 7\nminutes = -1\n";
    let path = folder.write("development.toml", text);
    let lines = problems_of(&folder.sources(&[]));
    for expected in [
        format!("{path}: stray stands outside of any section"),
        format!(
            "{path}: unknown section [taes]; the sections are: server, database, valkey, log, "
        ),
        format!("{path}: unknown key kettle.x; its keys are: enabled"),
        format!("{path}: unknown key tea.leef; its keys are: enabled, leaf, cups, "),
        format!("TEA_CUPS (tea.cups in {path}): expected a whole number, zero or more, got string"),
        format!("TEA_SUGAR (tea.sugar in {path}): expected true or false, got "),
        format!("TEA_GUESTS (tea.guests in {path}): expected a list of texts, got string"),
        format!("TEA_RECIPE (tea.recipe in {path}): expected a text"),
        format!("TEA_MINUTES (tea.minutes in {path}): expected a whole number, zero or more, got "),
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(&expected)),
            "{expected}: {lines:#?}"
        );
    }
    assert_eq!(lines.len(), 9, "{lines:#?}");
}

#[test]
fn a_file_that_is_not_toml_is_one_line_without_its_content() {
    let folder = Folder::new("not-toml");
    let path = folder.write("development.toml", "[tea]\nrecipe = hunny\n");
    let lines = problems_of(&folder.sources(&[]));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with(&format!("{path}: line 2 is not valid TOML: ")),
        "{lines:?}"
    );
    assert!(
        !lines[0].contains("hunny") && !lines[0].contains('\n'),
        "{lines:?}"
    );
}

#[test]
fn an_absent_folder_is_skipped_unless_it_was_named() {
    let config_dir = Some(Folder::new("gone").path().to_owned());
    let sources = Sources {
        config_dir,
        ..super::fakes::sources(&[])
    };
    assert!(problems_of(&sources).is_empty());
    let mut named = sources;
    named.env.insert("CONFIG_DIR".into(), "gone".into());
    let lines = problems_of(&named);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("CONFIG_DIR (environment): expected a folder, got "),
        "{lines:?}"
    );
}

#[test]
fn a_section_brings_its_own_defaults_and_every_file_is_laid_over_them() {
    let folder = Folder::new("own-defaults");
    let kettle = |sources: &Sources| {
        let section = load_sources(sources).section::<KettleConfig>("kettle");
        section.map(|it| (it.litres, it.lid)).unwrap()
    };
    assert_eq!(kettle(&folder.sources(&[])), (2, true));
    assert_eq!(
        shown(&load_sources(&folder.sources(&[])), "kettle.lid").origin,
        "built in"
    );
    folder.write("default.toml", "[kettle]\nlitres = 3\n");
    assert_eq!(kettle(&folder.sources(&[])), (3, true));
    assert_eq!(
        kettle(&folder.sources(&[("KETTLE_LID", "false")])),
        (3, false)
    );
}
