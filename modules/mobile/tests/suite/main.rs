//! What phones ask the site, through real servers.

use halobestie_core::Entry;
use halobestie_mobile::Mobile;
use halobestie_testkit::{Plan, TestApp};
use serde_json::{Value, json};

static ENTRIES: &[Entry] = &[Entry::of::<Mobile>()];
const APPLE: &str = "/.well-known/apple-app-site-association";
const ANDROID: &str = "/.well-known/assetlinks.json";

fn plan() -> Plan {
    TestApp::with(ENTRIES)
}

async fn advice(app: &TestApp, query: &str) -> Value {
    let path = format!("/api/app/version?{query}");
    app.get(&path).send().await.expect(200).json()
}

#[tokio::test]
async fn apple_finds_the_apps_that_open_links() {
    let ids = "ABCDE12345.com.halobestie.app,ABCDE12345.com.halobestie.mitra";
    let plan = plan().env("APPLE_APP_SITE_ASSOCIATION_APP_IDS", ids);
    let app = plan.start().await;
    let answer = app.get(APPLE).send().await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let ids: Vec<&str> = ids.split(',').collect();
    let file = answer.json();
    assert_eq!(file["applinks"]["details"][0]["appIDs"], json!(ids));
    assert_eq!(
        file["applinks"]["details"][0]["components"],
        json!([{"/": "*"}])
    );
    assert_eq!(file["webcredentials"]["apps"], json!(ids));
}

#[tokio::test]
async fn google_finds_the_apps_that_open_links() {
    let (upload, play) = (["a1"; 32].join(":"), ["B2"; 32].join(":"));
    let links = format!("com.halobestie.app={upload};{play}");
    let app = plan().env("ANDROID_APP_LINKS", &links).start().await;
    let answer = app.get(ANDROID).send().await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let statement = json!([{
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": "com.halobestie.app",
            "sha256_cert_fingerprints": [upload.to_uppercase(), play],
        },
    }]);
    assert_eq!(answer.json(), statement);
}

#[tokio::test]
async fn without_apps_there_are_no_files_and_no_advice() {
    let app = plan().start().await;
    app.get(APPLE).send().await.expect(404);
    app.get(ANDROID).send().await.expect(404);
    let nothing =
        json!({"action": "none", "minimum": null, "recommended": null, "store_url": null});
    assert_eq!(advice(&app, "platform=ios&version=0.1").await, nothing);
}

#[tokio::test]
async fn an_old_app_is_told_to_update_by_platform() {
    let app = plan()
        .env("IOS_MINIMUM_SUPPORTED_VERSION", "2.0.0")
        .env("IOS_RECOMMENDED_VERSION", "2.10.0")
        .env(
            "IOS_APP_STORE_URL",
            "https://apps.apple.com/id/app/halobestie/id1",
        )
        .env("ANDROID_MINIMUM_SUPPORTED_VERSION", "3")
        .start()
        .await;
    let action = async |query: &str| advice(&app, query).await["action"].clone();
    assert_eq!(action("platform=ios&version=1.9.9").await, "require");
    assert_eq!(action("platform=ios&version=2.9.0%2B77").await, "recommend");
    assert_eq!(action("platform=ios&version=2.10.0").await, "none");
    assert_eq!(action("platform=android&version=2.99").await, "require");
    assert_eq!(action("platform=android&version=3.0").await, "none");
    let ios = advice(&app, "platform=ios&version=2").await;
    let store = "https://apps.apple.com/id/app/halobestie/id1";
    let said = json!({"action": "recommend", "minimum": "2.0.0", "recommended": "2.10.0", "store_url": store});
    assert_eq!(ios, said);
}

#[tokio::test]
async fn an_unknown_platform_and_what_is_no_version_are_refused() {
    let app = plan().start().await;
    for (query, field) in [
        ("platform=web&version=1", "platform"),
        ("version=1", "platform"),
        ("platform=ios", "version"),
        ("platform=ios&version=newest", "version"),
    ] {
        let path = format!("/api/app/version?{query}");
        let problem = app.get(&path).send().await.expect(422).json();
        assert_eq!(problem["errors"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_wrong_configuration_names_its_variables() {
    let problem = plan()
        .env("ANDROID_APP_LINKS", "com.halobestie.app=AB:CD")
        .env("APPLE_APP_SITE_ASSOCIATION_APP_IDS", "halobestie")
        .env("IOS_RECOMMENDED_VERSION", "newest")
        .env("ANDROID_APP_STORE_URL", "play store")
        .try_start()
        .await
        .err()
        .unwrap();
    for variable in [
        "ANDROID_APP_LINKS",
        "APPLE_APP_SITE_ASSOCIATION_APP_IDS",
        "IOS_RECOMMENDED_VERSION",
        "ANDROID_APP_STORE_URL",
    ] {
        assert!(problem.contains(variable), "{variable} in {problem}");
    }
}
