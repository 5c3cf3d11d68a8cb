//! Where this machine keeps the programs of Postgres and Valkey.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that package managers use, each with a star at most.
const POSTGRES_FOLDERS: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
];

/// The folders that have Postgres's server programs: that of the `PATH` first, then newest first.
pub(super) fn postgres_folders(path: &str) -> Vec<PathBuf> {
    // Debian's PATH may have a link to one program of the folder.
    let of_path = find(path, "initdb").and_then(|initdb| initdb.canonicalize().ok());
    let mut known: Vec<PathBuf> = POSTGRES_FOLDERS.iter().flat_map(|it| expand(it)).collect();
    known.sort_by_key(|folder| std::cmp::Reverse(major_of(folder)));
    let of_path = of_path
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned);
    let mut folders: Vec<PathBuf> = of_path.into_iter().chain(known).collect();
    folders.retain(|folder| {
        ["initdb", "postgres", "pg_ctl"]
            .iter()
            .all(|it| folder.join(it).exists())
    });
    folders
}

/// The major version of the Postgres in a folder.
pub(super) fn major_of(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().nth(2)?;
    version
        .split(|char: char| !char.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// The Valkey server, or Redis's.
pub(super) fn valkey_server(path: &str) -> Option<PathBuf> {
    find(path, "valkey-server").or_else(|| find(path, "redis-server"))
}

fn find(path: &str, program: &str) -> Option<PathBuf> {
    let folders = std::env::split_paths(OsStr::new(path));
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The folders that a pattern with a star stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![pattern.into()];
    };
    let Some((parent, prefix)) = before.rsplit_once('/') else {
        return Vec::new();
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| PathBuf::from(format!("{}{after}", entry.path().display())))
        .collect()
}
