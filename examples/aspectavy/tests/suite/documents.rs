//! The description, the defaults and the list of modules are what the code says.

use std::collections::BTreeSet;

use aspectavy::{BINARY, COMPILED};
use halobestie_core::{config, openapi};

use crate::world::World;

#[test]
fn every_key_has_a_default() {
    assert_eq!(config::missing_defaults(COMPILED), Vec::<String>::new());
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else_is() {
    let world = World::start().await;
    let document = openapi::merged(&BINARY.title(), COMPILED);
    assert_eq!(document.info.title, "aspectavy");
    let described: BTreeSet<_> = openapi::operations(&document).into_iter().collect();
    let mounted = world.app.mounted();
    let mounted: BTreeSet<_> = mounted
        .public
        .iter()
        .chain(&mounted.internal)
        .cloned()
        .collect();
    let lower = |all: BTreeSet<(String, String)>| -> BTreeSet<(String, String)> {
        let rows = all.into_iter();
        rows.map(|(method, path)| (method.to_lowercase(), path))
            .collect()
    };
    let (described, mounted) = (lower(described), lower(mounted));
    let undescribed: Vec<_> = mounted.difference(&described).collect();
    assert!(
        undescribed
            .iter()
            .all(|(_, path)| !path.starts_with("/api/")),
        "{undescribed:?}"
    );
    let unmounted: Vec<_> = described.difference(&mounted).collect();
    assert!(unmounted.is_empty(), "{unmounted:?}");
}
