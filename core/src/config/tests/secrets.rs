//! A secret's value is never shown, wherever it came from and however wrong it is.

use super::fakes::{Folder, load_sources, problems, problems_of, shown, sources, tea};

const SECRET: &str = "hunny-pot";

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let url = format!("postgres://bear:{SECRET}@localhost/forest");
    let set = [
        ("DATABASE_URL", url.as_str()),
        ("VALKEY_URL", "redis://:hunny-pot@localhost"),
        ("TEA_RECIPE", SECRET),
        ("TEA_OLD_RECIPES", "hunny-pot,2"),
    ];
    let sources = sources(&set);
    let config = load_sources(&sources);
    let printed = format!(
        "{sources:?} {config:?} {:?} {:?} {:?} {}",
        config.database,
        config.valkey,
        tea(&config),
        serde_json::to_string(&config.shown()).unwrap(),
    );
    assert!(!printed.contains(SECRET), "{printed}");
    assert_eq!(shown(&config, "tea.recipe").value, "[redacted]");
    assert_eq!(shown(&config, "tea.old_recipes").value, "[redacted]");
    assert_eq!(shown(&config, "database.url").value, "[redacted]");
}

#[test]
fn a_secret_that_is_unset_is_shown_as_empty() {
    let config = load_sources(&sources(&[]));
    assert_eq!(shown(&config, "valkey.url").value, "");
    assert_eq!(shown(&config, "tea.old_recipes").value, "");
}

#[test]
fn problems_do_not_quote_a_secret() {
    let set = [
        ("DATABASE_URL", SECRET),
        ("VALKEY_URL", SECRET),
        ("TEA_RECIPE_FILE", SECRET),
    ];
    let lines = problems(&set);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(!lines.join("\n").contains(SECRET), "{lines:?}");
    let folder = Folder::new("secret-of-a-wrong-type");
    folder.write(
        "default.toml",
        "[tea]\nrecipe = 31337\nold_recipes = \"hunny-pot\"\n",
    );
    let lines = problems_of(&folder.sources(&[]));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        !lines.join("\n").contains("31337") && !lines.join("\n").contains(SECRET),
        "{lines:?}"
    );
}
