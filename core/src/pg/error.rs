//! Why Postgres did not do what it was asked, and which of the reasons mean that it is away.

use std::error::Error as _;

use std::sync::Arc;

use tokio_postgres::error::SqlState;

use crate::problem::{BoxError, Coded, ErrorCode, codes};

/// Why Postgres did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had: Postgres is away, or the pool was empty for too long.
    #[error("cannot get a database connection")]
    Unavailable(#[source] BoxError),
    /// The statement did not answer in time.
    #[error("a database statement ran into its deadline")]
    Deadline,
    /// Postgres refused the statement, or the connection broke under it.
    #[error("a database statement failed")]
    Statement(#[from] tokio_postgres::Error),
    /// A statement that must return a row returned none, or a stored value is not what it must be.
    #[error("unexpected database content: {0}")]
    Content(&'static str),
}

impl DbError {
    /// Whether Postgres is away, as against a statement that is wrong.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Deadline => true,
            Self::Content(_) => false,
            Self::Statement(error) => match error.code() {
                // Class 57: the server is shutting down or starting; 53: out of resources;
                // 25006: a standby that was promoted away under us.
                Some(state) => {
                    state.code().starts_with("57")
                        || state.code().starts_with("53")
                        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
                }
                None => error.is_closed() || is_io(error),
            },
        }
    }

    /// The name of the unique constraint that a statement ran into, if it did.
    pub fn unique_violation(&self) -> Option<&str> {
        let Self::Statement(error) = self else {
            return None;
        };
        let refusal = error.as_db_error()?;
        (*refusal.code() == SqlState::UNIQUE_VIOLATION)
            .then(|| refusal.constraint().unwrap_or_default())
    }

    /// Whether Postgres chose this statement to end a deadlock: the same again may well work.
    pub fn is_deadlock(&self) -> bool {
        match self {
            Self::Statement(error) => error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED),
            _ => false,
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error
        .source()
        .is_some_and(|cause| cause.is::<std::io::Error>())
}

/// Shared by all whose work was one statement.
impl Coded for Arc<DbError> {
    fn code(&self) -> &'static ErrorCode {
        DbError::code(self)
    }
}

impl Coded for DbError {
    fn code(&self) -> &'static ErrorCode {
        if self.is_unavailable() {
            &codes::DEPENDENCY_UNAVAILABLE
        } else {
            &codes::INTERNAL
        }
    }
}
