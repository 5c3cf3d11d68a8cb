//! halobestie: a modular server for paid companion chat.
//!
//! The binary is thin: [`modules::COMPILED`] says which modules it was built with, `cli` has a file
//! for each command, and everything else is in `halobestie-core` and in the modules.

pub mod cli;
pub mod modules;

use halobestie_core::config::{Config, ConfigErrors, Examined, Sources};

/// What `--version` says: the crate's version, and in an image the commit that it was made of.
pub const VERSION: &str = match option_env!("HALOBESTIE_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// Loads this process's configuration for the compiled modules.
///
/// # Errors
/// Every problem at once.
pub fn load_config(sources: &Sources) -> Result<Config, ConfigErrors> {
    let known = modules::known();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Config::load(sources, modules::COMPILED, &known)
}

/// Reads this process's configuration for people: what was found, problems or not.
pub fn examine_config(sources: &Sources) -> Examined {
    let known = modules::known();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Config::examine(sources, modules::COMPILED, &known)
}
