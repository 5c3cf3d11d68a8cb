//! What the server says of itself.

use community_rule::MODULES;
use halobestie_core::openapi::{self, Title};

use crate::world::start_with;

#[tokio::test]
async fn every_route_is_described_and_every_description_a_route_whether_drafts_are_kept_or_not() {
    let described = openapi::operations(&openapi::merged(&Title::default(), MODULES));
    for sync in ["true", "false"] {
        let world = start_with(&[("ENABLE_BACKEND_SYNC", sync)]).await;
        let mounted = world.app.mounted();
        let mut all: Vec<_> = mounted
            .public
            .iter()
            .chain(&mounted.internal)
            .cloned()
            .collect();
        all.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
        all.dedup();
        let mut described = described.clone();
        described.dedup();
        assert_eq!(all, described, "ENABLE_BACKEND_SYNC={sync}");
    }
}

#[test]
fn a_draft_takes_a_token_or_a_cookie() {
    let document = serde_json::to_value(openapi::merged(&Title::default(), MODULES)).unwrap();
    let security = &document["paths"]["/api/drafts/{key}"]["put"]["security"];
    assert_eq!(
        *security,
        serde_json::json!([{"bearer": []}, {"cookie": []}])
    );
    let admin = &document["paths"]["/api/admin/auth/logout"]["post"]["security"];
    assert_eq!(*admin, serde_json::json!([{"bearer": []}]));
    let cookie = &document["components"]["securitySchemes"]["cookie"];
    assert_eq!(
        (&cookie["type"], &cookie["in"]),
        (&"apiKey".into(), &"cookie".into())
    );
}

#[test]
fn every_key_has_its_default() {
    assert_eq!(
        halobestie_core::config::missing_defaults(MODULES),
        Vec::<String>::new()
    );
}
