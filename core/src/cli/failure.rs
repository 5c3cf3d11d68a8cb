//! Why a command did not do what it should, and the exit code that says so.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigErrors;

/// Why a command did not do what it should.
pub enum Failure {
    /// The configuration is wrong: a line each.
    Config(ConfigErrors),
    /// Anything else, with its causes.
    Other(anyhow::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(errors) => errors.fmt(out),
            Self::Other(error) => {
                write!(out, "error: {error}")?;
                let causes = error.chain().skip(1);
                causes
                    .into_iter()
                    .try_for_each(|cause| write!(out, "\n  because: {cause}"))
            }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast::<ConfigErrors>() {
            Ok(errors) => Self::Config(errors),
            Err(error) => Self::Other(error),
        }
    }
}

/// Tells a failure to the person at the terminal; the exit code: 0 fine, 1 failed, 2 configuration (as
/// is usage, which clap says by itself).
pub fn conclude(outcome: Result<(), Failure>) -> ExitCode {
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{failure}");
    match failure {
        Failure::Config(_) => ExitCode::from(2),
        Failure::Other(_) => ExitCode::FAILURE,
    }
}
