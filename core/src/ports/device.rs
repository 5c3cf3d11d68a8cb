//! The device that somebody signs in on, as it describes itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::FieldError;

const NAME_CHARS_MAX: usize = 100;
const APP_VERSION_CHARS_MAX: usize = 50;

/// What kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = auth::Platform)]
pub enum Platform {
    /// The Android app.
    Android,
    /// The iOS app.
    Ios,
    /// A browser.
    Web,
}

impl Platform {
    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::Ios => "ios",
            Self::Web => "web",
        }
    }
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = auth::Device)]
pub struct Device {
    /// What kind.
    pub platform: Platform,
    /// Its name, at most 100 characters.
    pub name: Option<String>,
    /// The app's version, at most 50 characters.
    pub app_version: Option<String>,
}

impl Device {
    /// What is wrong with it.
    pub fn problems(&self) -> Vec<FieldError> {
        let name = too_long("device.name", self.name.as_deref(), NAME_CHARS_MAX);
        let version = too_long(
            "device.app_version",
            self.app_version.as_deref(),
            APP_VERSION_CHARS_MAX,
        );
        name.into_iter().chain(version).collect()
    }
}

fn too_long(field: &str, text: Option<&str>, chars_max: usize) -> Option<FieldError> {
    let text = text?;
    // Postgres has no text with a NUL in it.
    let fits = text.chars().count() <= chars_max && !text.contains('\0');
    (!fits).then(|| FieldError {
        field: field.to_owned(),
        message: format!("must be text of at most {chars_max} characters"),
    })
}
