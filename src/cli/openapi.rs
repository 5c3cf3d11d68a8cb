//! `openapi`: the description of the API, without a running server.

use clap::Args;

use super::{Failure, output};
use crate::modules::COMPILED;

/// Print the OpenAPI 3.1 description of every compiled module as JSON.
#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {}

pub(super) fn run(_: OpenapiArgs) -> Result<(), Failure> {
    output::line(halobestie_core::openapi::merged(COMPILED).to_pretty_json()?)?;
    Ok(())
}
