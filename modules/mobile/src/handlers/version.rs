//! `GET /api/app/version`

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::routes::{Release, State};
use crate::version::Version;

#[derive(Deserialize, IntoParams)]
pub(crate) struct Installed {
    /// `ios` or `android`.
    platform: Option<String>,
    /// The app's own version, such as `2.10.1`.
    version: Option<String>,
}

/// What an app should do about its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Offer an update.
    Recommend,
    /// Refuse to go on without one.
    Require,
}

#[derive(Serialize, ToSchema)]
#[schema(as = mobile::VersionAdvice)]
struct Advice {
    action: Action,
    /// Older ones must be updated.
    minimum: Option<String>,
    /// Older ones should be updated.
    recommended: Option<String>,
    /// Where the update is.
    store_url: Option<String>,
}

/// Whether an app is too old
#[utoipa::path(
    get, path = "/api/app/version", tag = "mobile", params(Installed),
    responses(
        (status = 200, description = "What to do about it.", body = Advice),
        (status = 422, description = "`validation_failed`: an unknown platform, or not a version."),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let installed: Installed = req.query()?;
    let release = match installed.platform.as_deref() {
        Some("ios") => &state.ios,
        Some("android") => &state.android_release,
        _ => return Err(Problem::invalid("platform", "must be ios or android")),
    };
    let version = installed.version.and_then(|text| text.parse().ok());
    let version: Version =
        version.ok_or_else(|| Problem::invalid("version", "must be a version such as 2.10.1"))?;
    reply::ok(&Advice {
        action: release.advise(&version),
        minimum: release.minimum.as_ref().map(ToString::to_string),
        recommended: release.recommended.as_ref().map(ToString::to_string),
        store_url: release.store_url.clone(),
    })
}

impl Release {
    fn advise(&self, version: &Version) -> Action {
        let is_older = |than: &Option<Version>| than.as_ref().is_some_and(|than| version < than);
        if is_older(&self.minimum) {
            Action::Require
        } else if is_older(&self.recommended) {
            Action::Recommend
        } else {
            Action::None
        }
    }
}
