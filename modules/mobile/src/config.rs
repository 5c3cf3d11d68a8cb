//! The `[mobile]` section.

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use serde::Deserialize;

use crate::associations::{AndroidApp, is_apple_app_id};
use crate::version::Version;

/// Which apps belong to the site, and which of their versions are still good.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileConfig {
    /// `<prefix>.<bundle id>` of each app for iOS.
    pub apple_app_ids: Vec<String>,
    /// `package=fingerprint;fingerprint` of each app for Android.
    pub android_app_links: Vec<String>,
    /// An older app for iOS must be updated.
    pub ios_minimum_version: Option<String>,
    /// An older app for iOS should be updated.
    pub ios_recommended_version: Option<String>,
    /// Where the app for iOS is.
    pub ios_store_url: Option<String>,
    /// An older app for Android must be updated.
    pub android_minimum_version: Option<String>,
    /// An older app for Android should be updated.
    pub android_recommended_version: Option<String>,
    /// Where the app for Android is.
    pub android_store_url: Option<String>,
}

const A_VERSION: &str = "expected a version such as 2.10.1";
const A_URL: &str = "expected an address that starts with https://";

impl Section for MobileConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "APPLE_APP_SITE_ASSOCIATION_APP_IDS",
            "apple_app_ids",
            Kind::List,
            "apps for iOS that open the site's links: <prefix>.<bundle id>",
        ),
        Variable::new(
            "ANDROID_APP_LINKS",
            "android_app_links",
            Kind::List,
            "apps for Android that open the site's links: package=SHA-256;SHA-256",
        ),
        Variable::new(
            "IOS_MINIMUM_SUPPORTED_VERSION",
            "ios_minimum_version",
            Kind::Text,
            "an older app for iOS must be updated",
        ),
        Variable::new(
            "IOS_RECOMMENDED_VERSION",
            "ios_recommended_version",
            Kind::Text,
            "an older app for iOS should be updated",
        ),
        Variable::new(
            "IOS_APP_STORE_URL",
            "ios_store_url",
            Kind::Text,
            "where the app for iOS is",
        ),
        Variable::new(
            "ANDROID_MINIMUM_SUPPORTED_VERSION",
            "android_minimum_version",
            Kind::Text,
            "an older app for Android must be updated",
        ),
        Variable::new(
            "ANDROID_RECOMMENDED_VERSION",
            "android_recommended_version",
            Kind::Text,
            "an older app for Android should be updated",
        ),
        Variable::new(
            "ANDROID_APP_STORE_URL",
            "android_store_url",
            Kind::Text,
            "where the app for Android is",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let version =
            |it: &Option<String>| it.as_ref().is_none_or(|it| it.parse::<Version>().is_ok());
        let url = |it: &Option<String>| it.as_ref().is_none_or(|it| it.starts_with("https://"));
        Checks::default()
            .require(
                "apple_app_ids",
                self.apple_app_ids.iter().all(|it| is_apple_app_id(it)),
                "expected app ids such as ABCDE12345.com.halobestie.app",
            )
            .require(
                "android_app_links",
                self.android_app_links
                    .iter()
                    .all(|it| AndroidApp::parse(it).is_some()),
                "expected package=fingerprint;fingerprint, each fingerprint the 32 bytes of a SHA-256 \
                 in hex with colons",
            )
            .require("ios_minimum_version", version(&self.ios_minimum_version), A_VERSION)
            .require("ios_recommended_version", version(&self.ios_recommended_version), A_VERSION)
            .require("ios_store_url", url(&self.ios_store_url), A_URL)
            .require("android_minimum_version", version(&self.android_minimum_version), A_VERSION)
            .require(
                "android_recommended_version",
                version(&self.android_recommended_version),
                A_VERSION,
            )
            .require("android_store_url", url(&self.android_store_url), A_URL)
            .invalid
    }
}
