//! The `[uploads]` section: where files are kept, and how much one person may add in a day.

use std::path::Path;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use serde::Deserialize;

/// Keys of `[uploads]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadsConfig {
    /// The folder of the files, shared by all replicas. Without one, uploads are answered 503.
    pub root: Option<String>,
    /// What one person may upload in 24 hours, in bytes.
    pub user_daily_bytes: u64,
}

impl Section for UploadsConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "UPLOAD_ROOT",
            "root",
            Kind::Text,
            "the folder of uploaded files, shared by all replicas; empty = no uploads",
        ),
        Variable::new(
            "UPLOAD_USER_DAILY_BYTES",
            "user_daily_bytes",
            Kind::Integer,
            "bytes that one person may upload in 24 hours",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let is_absolute = self
            .root
            .as_ref()
            .is_none_or(|root| Path::new(root).is_absolute());
        Checks::default()
            .require("root", is_absolute, "expected an absolute path")
            .range("user_daily_bytes", self.user_daily_bytes, 1..=1 << 40)
            .invalid
    }
}
