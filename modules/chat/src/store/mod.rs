//! All SQL of the module, a file a noun. One function a statement; transactions are opened by the
//! callers, and `now` is always a parameter.

pub(crate) mod blocks;
pub(crate) mod events;
pub(crate) mod extensions;
pub(crate) mod groups;
pub(crate) mod idleness;
pub(crate) mod messages;
pub(crate) mod offers;
pub(crate) mod overseen_reports;
pub(crate) mod overseen_requests;
pub(crate) mod overseen_sessions;
pub(crate) mod ratings;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod retention;
pub(crate) mod sessions;
pub(crate) mod sides;
pub(crate) mod sight;
pub(crate) mod time;
pub(crate) mod timers;
pub(crate) mod transitions;
pub(crate) mod unread;
pub(crate) mod waiting;
pub(crate) mod waves;
pub(crate) mod withdrawals;

use std::time::Duration;

use halobestie_core::pg::{DbError, Row};
use serde_json::Value;

use crate::packages::Package;

/// Reads a text column that holds one of our names.
fn name<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, DbError> {
    parse(row.get(column)).ok_or(DbError::Content("an unknown name in a status column"))
}

/// Reads the package that was bought.
fn package(row: &Row) -> Result<Package, DbError> {
    let stored: Value = row.get("package");
    serde_json::from_value(stored).map_err(|_| DbError::Content("a package that cannot be read"))
}

/// A package as it is stored.
fn package_json(package: &Package) -> Result<Value, DbError> {
    serde_json::to_value(package).map_err(|_| DbError::Content("a package that cannot be written"))
}

/// A length of time as it is stored.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a length of time.
fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// The ids in the first column of every row.
fn ids(rows: &[Row]) -> Vec<uuid::Uuid> {
    rows.iter().map(|row| row.get(0)).collect()
}
