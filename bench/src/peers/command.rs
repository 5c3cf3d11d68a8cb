//! Programs of others that measure: run to their end, pinned to where the generator is.

use std::process::Stdio;

use anyhow::{Context as _, Error, ensure};
use tokio::process::Command;

/// What a program says.
pub(super) async fn output(program: &str, arguments: &[String]) -> Result<String, Error> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {program}"))?;
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{program} failed: {complained}");
    Ok(said.into_owned())
}
