//! `APP_ENV`: which environment this is.

use std::fmt;
use std::str::FromStr;

use crate::problem::BoxError;

/// Which environment this is: `APP_ENV`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppEnv {
    /// A developer's machine.
    #[default]
    Development,
    /// Automatic tests.
    Test,
    /// As production, with test accounts.
    Staging,
    /// The real thing.
    Production,
}

impl AppEnv {
    /// Every environment, in the order of the help text.
    pub const ALL: [AppEnv; 4] = [
        Self::Development,
        Self::Test,
        Self::Staging,
        Self::Production,
    ];

    /// The name in `APP_ENV` and of its file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// Whether real users may be on it: staging and production.
    pub const fn is_deployed(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }
}

impl fmt::Display for AppEnv {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for AppEnv {
    type Err = BoxError;
    fn from_str(text: &str) -> Result<Self, BoxError> {
        let known = Self::ALL.into_iter().find(|env| env.as_str() == text);
        known.ok_or_else(|| "expected development, test, staging or production".into())
    }
}
