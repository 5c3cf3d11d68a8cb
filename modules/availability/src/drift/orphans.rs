//! Names and keys that belong to no mitra of Postgres.

use std::collections::HashSet;

use halobestie_core::BoxError;
use halobestie_core::pg::{Db, DbError};
use uuid::Uuid;

use super::PAGE;
use super::shown::Shown;
use crate::store;

/// The keys of single mitras that belong to nobody, without the prefix. `known` spares asking.
pub(super) async fn find(
    db: &Db,
    shown: &Shown,
    known: &HashSet<Uuid>,
) -> Result<Vec<String>, BoxError> {
    let owned = shown.owners().await?;
    let owners: HashSet<String> = owned.iter().map(|it| it.owner.clone()).collect();
    let nobody: HashSet<String> = unknown(db, owners, known).await?.into_iter().collect();
    let orphans = owned.into_iter().filter(|it| nobody.contains(&it.owner));
    // A search may meet a key twice.
    let mut keys: Vec<String> = orphans.map(|it| it.key).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Those of these names that no mitra has. Postgres is asked after they were seen: whoever was added
/// meanwhile is found there.
pub(super) async fn unknown(
    db: &Db,
    names: impl IntoIterator<Item = String>,
    known: &HashSet<Uuid>,
) -> Result<Vec<String>, DbError> {
    let is_known = |name: &String| name.parse().is_ok_and(|id: Uuid| known.contains(&id));
    let mut strange: Vec<String> = names.into_iter().filter(|name| !is_known(name)).collect();
    let ids: Vec<Uuid> = strange
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    let mut found = HashSet::new();
    for some in ids.chunks(PAGE) {
        let mitras = store::by_ids(db, some).await?;
        found.extend(mitras.iter().map(|mitra| mitra.id.to_string()));
    }
    strange.retain(|name| !found.contains(name));
    strange.sort_unstable();
    Ok(strange)
}
