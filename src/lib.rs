//! halobestie: a modular server for paid companion chat.
//!
//! The binary is thin: [`modules::COMPILED`] says which modules it was built with, `cli` has the commands
//! that are its own, and everything else is in `halobestie-core` and in the modules.

pub mod cli;
pub mod modules;

use halobestie_core::cli::Binary;
use halobestie_core::config::{Config, ConfigErrors, Sources};

/// What we are, for the commands that every binary on this core has.
pub static BINARY: Binary = Binary {
    known: modules::known,
    ..Binary::new(
        "halobestie",
        "Paid companion chat.",
        env!("CARGO_PKG_VERSION"),
        modules::COMPILED,
    )
};

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
    BINARY.load_config(sources)
}
