//! `chat_extensions`: more time for a session, waiting for its payment or applied.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use super::{name, package, package_json};
use crate::extending::ExtensionStatus;
use crate::packages::Package;

/// Writes an extension.
pub(crate) async fn insert(
    tx: &Tx<'_>,
    id: Uuid,
    session_id: Uuid,
    package: &Package,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_extensions (id, session_id, package, status, created_at)
        VALUES ($1, $2, $3, 'pending_payment', $4)";
    let package = package_json(package)?;
    tx.execute(SQL, &[&id, &session_id, &package, &now]).await?;
    Ok(())
}

/// The session that an extension is of; that never changes, so it needs no lock.
pub(crate) async fn session_of(query: &impl Query, id: Uuid) -> Result<Option<Uuid>, DbError> {
    const SQL: &str = "SELECT session_id FROM chat_extensions WHERE id = $1";
    Ok(query.row_opt(SQL, &[&id]).await?.map(|row| row.get(0)))
}

/// An extension whose session the caller has locked.
pub(crate) async fn find(
    tx: &Tx<'_>,
    id: Uuid,
) -> Result<Option<(ExtensionStatus, Package)>, DbError> {
    const SQL: &str = "SELECT status, package FROM chat_extensions WHERE id = $1";
    let row = tx.row_opt(SQL, &[&id]).await?;
    row.as_ref()
        .map(|row| Ok((name(row, "status", ExtensionStatus::parse)?, package(row)?)))
        .transpose()
}

/// Says what became of an extension; one that was applied stays so.
pub(crate) async fn close(
    tx: &Tx<'_>,
    id: Uuid,
    status: ExtensionStatus,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_extensions SET status = $2, closed_at = $3
        WHERE id = $1 AND status <> 'applied'";
    tx.execute(SQL, &[&id, &status.as_str(), &now]).await?;
    Ok(())
}
