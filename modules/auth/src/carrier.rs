//! By which way a one-time code reaches its phone.
//!
//! Where a module carries codes, each request gets a code of its own, but for the phones of reviewers,
//! who get the bypass code and no message. Where none does, the code is the bypass code: for every
//! phone, in production for the reviewers' alone. The answer to a request never tells which phones
//! those are: it names the way of the server, not of the phone.

use std::collections::HashSet;
use std::sync::Arc;

use halobestie_core::config::AppEnv;
use halobestie_core::ports::{CodeCarrier, Late};
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use crate::config::AuthConfig;
use crate::phone::Phone;

/// The channel of codes that nobody carries.
const BYPASS: &str = "bypass";
/// The default bypass code, which everybody knows.
const CODE_OF_DEVELOPERS: &str = "000000";

/// What is needed to choose the way.
pub(crate) struct Ways {
    env: AppEnv,
    bypass_code: SecretString,
    bypass_phones: HashSet<Phone>,
    carrier: Late<dyn CodeCarrier>,
}

/// The way of one code.
pub(crate) enum Way<'a> {
    /// None: the code is fixed, and known to who may use it.
    Fixed(&'a SecretString),
    /// None, and no code will be right. Nobody is told.
    Nowhere,
    /// A message.
    Carried(&'a Arc<dyn CodeCarrier>),
}

impl Way<'_> {
    /// What is written down of it.
    pub(crate) fn channel(&self) -> &'static str {
        match self {
            Self::Fixed(_) | Self::Nowhere => BYPASS,
            Self::Carried(carrier) => carrier.channel(),
        }
    }
}

impl Ways {
    /// The ways that the configuration and the enabled modules leave.
    pub(crate) fn new(config: &AuthConfig, env: AppEnv, carrier: Late<dyn CodeCarrier>) -> Self {
        let phones = config.otp_bypass_phones.iter();
        let bypass_phones: HashSet<Phone> = phones.filter_map(|it| Phone::parse(it)).collect();
        let is_guessed_first = config.otp_bypass_code.expose_secret() == CODE_OF_DEVELOPERS;
        if env == AppEnv::Production && is_guessed_first && !bypass_phones.is_empty() {
            warn!(
                "OTP_BYPASS_CODE is {CODE_OF_DEVELOPERS}: whoever knows a phone of OTP_BYPASS_PHONES can \
                 sign in as its owner"
            );
        }
        Self {
            env,
            bypass_code: config.otp_bypass_code.clone(),
            bypass_phones,
            carrier,
        }
    }

    /// How this server's codes travel, as everybody is told.
    pub(crate) fn channel(&self) -> &'static str {
        self.carrier.get().map_or(BYPASS, |it| it.channel())
    }

    /// The way to a phone.
    pub(crate) fn to(&self, phone: &Phone) -> Way<'_> {
        let is_named = self.bypass_phones.contains(phone);
        match self.carrier.get() {
            _ if is_named => Way::Fixed(&self.bypass_code),
            Some(carrier) => Way::Carried(carrier),
            None if self.env == AppEnv::Production => Way::Nowhere,
            None => Way::Fixed(&self.bypass_code),
        }
    }
}
