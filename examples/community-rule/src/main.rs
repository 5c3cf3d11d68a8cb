//! The `community-rule` command: core's commands over this list of modules.

use std::process::ExitCode;

use community_rule::MODULES;
use halobestie_core::cli::{self, Binary};

const ABOUT: &str = "Rules of communities: drafted on any device, published for everybody.";

static BINARY: Binary = Binary::new(
    env!("CARGO_PKG_NAME"),
    ABOUT,
    env!("CARGO_PKG_VERSION"),
    MODULES,
);

fn main() -> ExitCode {
    cli::main(&BINARY)
}
