//! The route table, and what its handlers answer from.

use std::sync::Arc;

use bytes::Bytes;
use halobestie_core::BoxError;
use halobestie_core::http::{Access, Routes};
use serde_json::Value;
use utoipa::OpenApi;

use crate::associations::{self, AndroidApp};
use crate::config::MobileConfig;
use crate::handlers::{associations as files, version};
use crate::version::Version;

/// What is answered, ready at the start.
pub(crate) struct State {
    /// `None` where nothing is configured.
    pub(crate) apple: Option<Bytes>,
    /// `None` where nothing is configured.
    pub(crate) android: Option<Bytes>,
    pub(crate) ios: Release,
    pub(crate) android_release: Release,
}

/// What is known of a platform's app.
pub(crate) struct Release {
    pub(crate) minimum: Option<Version>,
    pub(crate) recommended: Option<Version>,
    pub(crate) store_url: Option<String>,
}

impl State {
    fn new(config: &MobileConfig) -> Result<Self, BoxError> {
        let android: Vec<AndroidApp> = config
            .android_app_links
            .iter()
            .filter_map(|it| AndroidApp::parse(it))
            .collect();
        Ok(Self {
            apple: rendered(
                config.apple_app_ids.is_empty(),
                &associations::apple(&config.apple_app_ids),
            )?,
            android: rendered(android.is_empty(), &associations::android(&android))?,
            ios: Release {
                minimum: parse(&config.ios_minimum_version),
                recommended: parse(&config.ios_recommended_version),
                store_url: config.ios_store_url.clone(),
            },
            android_release: Release {
                minimum: parse(&config.android_minimum_version),
                recommended: parse(&config.android_recommended_version),
                store_url: config.android_store_url.clone(),
            },
        })
    }
}

/// The configuration's own check has refused what does not parse.
fn parse(version: &Option<String>) -> Option<Version> {
    version.as_ref().and_then(|text| text.parse().ok())
}

fn rendered(is_empty: bool, file: &Value) -> Result<Option<Bytes>, BoxError> {
    let bytes = serde_json::to_vec(file)?;
    Ok((!is_empty).then(|| bytes.into()))
}

/// Everything that the public listener serves for this module.
pub(crate) fn public(config: &MobileConfig) -> Result<Routes, BoxError> {
    Ok(Routes::with(Arc::new(State::new(config)?))
        .get(
            "/.well-known/apple-app-site-association",
            Access::Anyone,
            files::apple,
        )
        .get(
            "/.well-known/assetlinks.json",
            Access::Anyone,
            files::android,
        )
        .get("/api/app/version", Access::Anyone, version::show)
        .into())
}

/// Every route of the module.
#[derive(OpenApi)]
#[openapi(paths(files::apple, files::android, version::show))]
pub(crate) struct MobileApi;
