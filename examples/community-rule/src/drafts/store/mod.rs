//! All SQL of this module, a file a table. Functions take whatever can run a statement; whoever calls
//! them opens the transaction and says what time it is.

pub(crate) mod conflicts;
pub(crate) mod drafts;
pub(crate) mod pictures;
pub(crate) mod publications;
pub(crate) mod versions;

use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

/// Makes what is written for one person follow each other until `tx` ends, on all replicas: so bounds
/// hold, and a draft does not change between the look and the write.
pub(crate) async fn lock(tx: &Tx<'_>, user_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT pg_advisory_xact_lock(hashtextextended('drafts:' || $1::uuid, 0))";
    tx.rows(SQL, &[&user_id]).await.map(|_| ())
}
