//! What `deploy/` names is there: metrics, and variables of ours and of the stacks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const STACK_VARIABLES: &str = include_str!("../../deploy/compose/variables.env");
const OUR_VARIABLES: &str = include_str!("../../config/example.env");

#[test]
fn every_metric_that_is_watched_exists() {
    let mut exist = BTreeSet::new();
    for file in ["core/src", "modules"]
        .into_iter()
        .flat_map(|it| files_below(it, ".rs"))
    {
        exist.extend(names(&read(&file), is_in_quotes));
    }
    assert!(
        exist.len() > 50,
        "metrics are found at all: {}",
        exist.len()
    );
    for watched in ["alerts.yml", "dashboard.json"] {
        let text = read(&root().join("deploy/observability").join(watched));
        let used = names(&text, |_, _| true);
        assert!(used.len() > 5, "{watched} watches something");
        for name in used {
            // What Prometheus makes of a histogram.
            let plain = ["_bucket", "_sum", "_count"]
                .into_iter()
                .find_map(|end| name.strip_suffix(end))
                .filter(|it| exist.contains(*it))
                .unwrap_or(&name);
            assert!(
                exist.contains(plain),
                "{watched}: there is no metric {name}"
            );
        }
    }
}

#[test]
fn every_variable_of_a_compose_file_is_explained() {
    let mut composed = files_below("deploy/compose", ".yml");
    composed.extend(["docker-compose.yml", "docker-compose.staging.yml"].map(|it| root().join(it)));
    let explained: BTreeSet<&str> = [STACK_VARIABLES, OUR_VARIABLES]
        .into_iter()
        .flat_map(variables)
        .collect();
    for file in composed {
        for text in read(&file).split("${").skip(1) {
            let name: String = text.chars().take_while(|it| is_of_variable(*it)).collect();
            assert!(
                explained.contains(name.as_str()),
                "{}: {name} is explained nowhere (deploy/compose/variables.env)",
                file.display()
            );
        }
    }
}

#[test]
fn every_variable_that_kubernetes_and_cloudron_set_is_ours() {
    let ours: BTreeSet<&str> = variables(OUR_VARIABLES).collect();
    let mut set = Vec::new();
    for file in files_below("deploy/kubernetes", ".yaml") {
        let text = read(&file);
        let words = text.split(|it: char| it.is_whitespace() || "[],{}".contains(it));
        let literals = words.filter_map(|word| Some(word.split_once('=')?.0.to_owned()));
        let files = text
            .split("name: ")
            .filter_map(|it| it.split(',').next()?.strip_suffix("_FILE"));
        set.extend(files.map(str::to_owned).chain(literals));
    }
    let cloudron = read(&root().join("deploy/cloudron/env.example"));
    set.extend(variables(&cloudron).map(str::to_owned));
    set.retain(|name| !name.is_empty() && name.chars().all(is_of_variable));
    assert!(set.len() > 10, "{set:?}");
    for name in set {
        assert!(
            ours.contains(name.as_str()),
            "{name} is no variable of ours"
        );
    }
}

#[test]
fn every_package_is_let_into_the_images_build() {
    let manifest = read(&root().join("Cargo.toml"));
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = ["));
    let members: Vec<&str> = members.unwrap().split('"').skip(1).step_by(2).collect();
    assert!(members.len() > 3, "{members:?}");
    let ignore = read(&root().join(".dockerignore"));
    for member in members {
        let folder = member.split('/').next().unwrap();
        let line = format!("!{folder}");
        assert!(
            ignore.lines().any(|it| it == line),
            ".dockerignore keeps {member} out: cargo refuses a workspace without it ({line})"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

fn files_below(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                files.push(path);
            }
        }
    }
    files
}

/// The metrics' names in a text, as far as what stands around them is right.
fn names(text: &str, is_right: fn(before: &str, after: &str) -> bool) -> BTreeSet<String> {
    const PREFIX: &str = "halobestie_";
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(PREFIX) {
        let rest = &text[at..];
        let end =
            rest.find(|it: char| !(it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if is_right(&text[..at], after) {
            names.insert(name.to_owned());
        }
    }
    names
}

fn is_in_quotes(before: &str, after: &str) -> bool {
    before.ends_with('"') && after.starts_with('"')
}

/// The variables of an environment file, those in comments included.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let names = text
        .lines()
        .filter_map(|line| Some(line.trim_start_matches('#').split_once('=')?.0));
    names.filter(|name| !name.is_empty() && name.chars().all(is_of_variable))
}

fn is_of_variable(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}
