//! The sandbox beside the server: Fazpass and the other outside services, on this machine.
//!
//! It is a program of its own that the server does not depend on, so it is only there where it was
//! built beside this one. A module that somebody has configured is left to them: nothing of the
//! sandbox may reach a server that is meant to talk to the real thing.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use halobestie_core::Entry;
use halobestie_core::config::{Config, Sources};
use rustix::process::Signal;
use tokio::process::Command;

use super::child::Child;
use super::home::Home;
use crate::modules::COMPILED;

const PROGRAM: &str = "halobestie-sandbox";
/// The modules that it serves, and how their variables begin.
const SERVED: &[(&str, &[&str])] = &[
    ("fazpass", &["FAZPASS_"]),
    ("xendit", &["XENDIT_"]),
    ("fcm", &["FCM_", "FIREBASE_"]),
];
/// How far its ports are from the server's: 3900 beside 3000.
const PORTS_AWAY: u16 = 900;
/// The pages and the three services, each at a port.
const PORTS: u16 = 4;
/// The file of the home that says where the pages are, for `demo`.
const ADDRESS_FILE: &str = "sandbox";
/// What it prints before the address of its pages, and after everything.
const PAGES: &str = "# pages: ";
const READY: &str = "ready";

/// The running sandbox.
pub(super) struct Sandbox {
    child: Child,
    address_file: PathBuf,
    /// Where its pages are.
    pub(super) pages: String,
    /// What points a server at it: only of modules that are left to it.
    pub(super) variables: Vec<(String, String)>,
}

impl Sandbox {
    /// Starts it, where the program is there and a module can use it.
    ///
    /// # Errors
    /// When it does not start; its log says why.
    pub(super) async fn start(
        home: &Home,
        sources: &Sources,
        config: &Config,
    ) -> anyhow::Result<Option<Self>> {
        let prefixes = prefixes(sources, config);
        let (false, Some(program)) = (prefixes.is_empty(), program()) else {
            return Ok(None);
        };
        let log = home.path().join("sandbox.log");
        // Only what this start prints may be read.
        File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let command = command(&program, home, config.server.public_addr.port());
        let mut child = Child::spawn("the sandbox", command, &log)?;
        child.ready(async || is_ready(&log)).await?;
        let (pages, mut variables) = printed(&fs::read_to_string(&log)?);
        variables.retain(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        home.write_private(ADDRESS_FILE, &pages)?;
        let address_file = home.path().join(ADDRESS_FILE);
        Ok(Some(Self {
            child,
            address_file,
            pages,
            variables,
        }))
    }

    /// Stops it; it keeps nothing.
    pub(super) async fn stop(self) {
        // A file that stays is only a wrong hint, and the next start writes it anew.
        let _ = fs::remove_file(&self.address_file);
        self.child.stop(Signal::TERM).await;
    }
}

/// Where the pages of the sandbox are that a `dev` with this home has started.
pub(crate) fn address_in(home: &Path) -> Option<String> {
    let text = fs::read_to_string(home.join(ADDRESS_FILE)).ok()?;
    Some(text.trim().to_owned()).filter(|address| !address.is_empty())
}

/// How the variables begin that are left to the sandbox.
fn prefixes(sources: &Sources, config: &Config) -> Vec<&'static str> {
    let is_set = |prefix: &&str| {
        let mut set = sources.env.iter().filter(|(_, value)| !value.is_empty());
        set.any(|(name, _)| name.starts_with(prefix))
    };
    let is_left = |module: &str, prefixes: &[&str]| {
        let entry = COMPILED.iter().find(|entry| entry.name == module);
        entry.is_some_and(|entry| has_its_needs(entry, config))
            && !config.is_enabled(module)
            && !prefixes.iter().any(is_set)
    };
    let left = SERVED.iter().filter(|(module, own)| is_left(module, own));
    left.flat_map(|(_, prefixes)| *prefixes).copied().collect()
}

/// Whether everything that a module cannot do without is switched on.
fn has_its_needs(entry: &Entry, config: &Config) -> bool {
    let enabled = COMPILED.iter().filter(|it| config.is_enabled(it.name));
    let provided: Vec<_> = enabled.flat_map(|it| it.provides).collect();
    entry.needs.iter().all(|need| provided.contains(&need))
}

/// The program beside this one.
fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name(PROGRAM);
    program.is_file().then_some(program)
}

fn command(program: &Path, home: &Home, public_port: u16) -> Command {
    let mut command = Command::new(program);
    let port = public_port
        .checked_add(PORTS_AWAY)
        .filter(|it| are_free(*it));
    command.args(["--addr", &format!("127.0.0.1:{}", port.unwrap_or(0))]);
    let webhooks = format!("http://127.0.0.1:{public_port}/api/webhooks/xendit");
    command.args(["--webhook-url", &webhooks]);
    let service_account = home.path().join("service-account.json");
    command.arg("--service-account").arg(service_account);
    command
}

/// Whether the sandbox finds its ports from here on; somebody may still be quicker.
fn are_free(first: u16) -> bool {
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    first
        .checked_add(PORTS)
        .is_some_and(|end| (first..end).all(is_free))
}

fn is_ready(log: &Path) -> bool {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().any(|line| line == READY)
}

/// The address of the pages, and the variables.
fn printed(text: &str) -> (String, Vec<(String, String)>) {
    let pages = text.lines().find_map(|line| line.strip_prefix(PAGES));
    let pages = pages.unwrap_or_default().trim_end_matches('/').to_owned();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let variables = lines.filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (pages, variables.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_sandbox_prints() {
        let text = "# pages: http://127.0.0.1:3900/\nFAZPASS_ENABLED=true\nXENDIT_KEY=a=b\nready\n";
        let (pages, variables) = printed(text);
        assert_eq!(pages, "http://127.0.0.1:3900");
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            variables,
            [
                variable("FAZPASS_ENABLED", "true"),
                variable("XENDIT_KEY", "a=b")
            ]
        );
    }

    #[test]
    fn what_somebody_has_configured_is_left_to_them() {
        let prefixes_with = |name: &str, value: &str| {
            let mut sources = Sources {
                database_optional: true,
                ..Sources::default()
            };
            let secret = "a secret that only the tests of this project know";
            sources.env.insert("AUTH_JWT_SECRET".into(), secret.into());
            sources.env.insert(name.into(), value.into());
            let config = crate::load_config(&sources).unwrap();
            prefixes(&sources, &config)
        };
        assert!(prefixes_with("APP_ENV", "development").contains(&"FAZPASS_"));
        assert!(prefixes_with("FAZPASS_ENABLED", "").contains(&"FAZPASS_"));
        assert!(!prefixes_with("FAZPASS_ENABLED", "false").contains(&"FAZPASS_"));
        let own = prefixes_with("FAZPASS_MERCHANT_KEY", "a key of their own");
        assert!(!own.contains(&"FAZPASS_"));
    }
}
