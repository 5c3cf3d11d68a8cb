//! `openapi`: the description of the API, without a running server.

use clap::Args;

use super::{Binary, Failure, output};

/// Print the OpenAPI 3.1 description of every compiled module as JSON.
#[derive(Debug, Args)]
pub struct OpenapiArgs {}

pub(super) fn run(binary: &Binary, _: OpenapiArgs) -> Result<(), Failure> {
    let document = crate::openapi::merged(&binary.title(), binary.entries);
    output::line(document.to_pretty_json()?)?;
    Ok(())
}
