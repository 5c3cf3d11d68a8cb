//! What a binary says of itself: everything else about it is in its modules.

use crate::app::AppOptions;
use crate::config::{Config, ConfigErrors, Examined, Sources};
use crate::module::Entry;
use crate::openapi::Title;

/// A binary on this core: its name, and the modules that it was built with.
#[derive(Clone, Copy)]
pub struct Binary {
    /// What it is called, on the command line and in the description of its API.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// What `--version` says.
    pub version: &'static str,
    /// The modules compiled in.
    pub entries: &'static [Entry],
    /// The names of the modules that it could be built with, compiled in or not: switching on one that
    /// is not gets a line of its own. None where all are always compiled in.
    pub known: fn() -> Vec<String>,
}

impl Binary {
    /// A binary that always has all of its modules.
    pub const fn new(
        name: &'static str,
        about: &'static str,
        version: &'static str,
        entries: &'static [Entry],
    ) -> Self {
        Self {
            name,
            about,
            version,
            entries,
            known: Vec::new,
        }
    }

    /// How its API is called.
    pub const fn title(&self) -> Title {
        Title {
            name: self.name,
            about: self.about,
            version: self.version,
        }
    }

    /// What a server of it is made of: the real clock, real chance, every role.
    pub fn options(&self) -> AppOptions {
        AppOptions {
            title: self.title(),
            ..AppOptions::new(self.entries)
        }
    }

    /// Loads this process's configuration for the compiled modules.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn load_config(&self, sources: &Sources) -> Result<Config, ConfigErrors> {
        let known = (self.known)();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Config::load(sources, self.entries, &known)
    }

    /// Reads this process's configuration for people: what was found, problems or not.
    pub fn examine_config(&self, sources: &Sources) -> Examined {
        let known = (self.known)();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Config::examine(sources, self.entries, &known)
    }
}
