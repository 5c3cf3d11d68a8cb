//! Who brings a one-time code to its phone.
//!
//! Today the bypass alone: a fixed code that needs no message. A carrier that sends one is a further
//! variant, with a code of its own for each request.

use std::collections::HashSet;

use halobestie_core::config::AppEnv;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::AuthConfig;
use crate::phone::Phone;

/// How a code travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = auth::Channel)]
pub(crate) enum Channel {
    /// A message through Fazpass.
    #[expect(
        dead_code,
        reason = "part of the published answer; the carrier follows"
    )]
    Fazpass,
    /// Not at all: the code is fixed.
    Bypass,
}

impl Channel {
    /// The name in Postgres.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fazpass => "fazpass",
            Self::Bypass => "bypass",
        }
    }
}

/// A way for codes to reach phones.
pub(crate) enum Carrier {
    /// A fixed code.
    Bypass {
        /// The code.
        code: SecretString,
        /// The phones that it serves; `None` means every phone.
        phones: Option<HashSet<Phone>>,
    },
}

impl Carrier {
    /// The carrier that the configuration asks for.
    pub(crate) fn new(config: &AuthConfig, env: AppEnv) -> Self {
        let named = config
            .otp_bypass_phones
            .iter()
            .filter_map(|text| Phone::parse(text));
        Self::Bypass {
            code: config.otp_bypass_code.clone(),
            phones: (env == AppEnv::Production).then(|| named.collect()),
        }
    }

    /// How its codes travel.
    pub(crate) fn channel(&self) -> Channel {
        match self {
            Self::Bypass { .. } => Channel::Bypass,
        }
    }

    /// The code that will open a sign-in of this phone. `None`: none will, and nobody is told.
    pub(crate) fn code_for(&self, phone: &Phone) -> Option<&str> {
        match self {
            Self::Bypass { code, phones } => {
                let serves = phones.as_ref().is_none_or(|phones| phones.contains(phone));
                serves.then(|| code.expose_secret())
            }
        }
    }
}
