//! The `[auth]` section: secrets, lives, limits and the bypass of one-time codes.

mod checks;

use std::collections::BTreeSet;
use std::time::Duration;

use halobestie_core::config::{AppEnv, Invalid, Kind, Section, Variable};
use halobestie_core::ports::Capability;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::limits::Limits;

/// How people sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Signs access tokens; other keys are derived from it.
    pub jwt_secret: Option<SecretString>,
    /// Secrets of before, that still verify.
    pub jwt_previous_secrets: Vec<SecretString>,
    /// How long an access token lives.
    pub access_seconds: u64,
    /// How long a replaced refresh token is good once more.
    pub refresh_reuse_seconds: u64,
    /// Signs the cookies of browsers; without it there are none.
    pub session_secret: Option<SecretString>,
    /// The domain whose hosts all get the cookie; without it this very host.
    pub session_cookie_domain: Option<String>,
    /// Whether people sign in by one-time codes.
    pub otp_enabled: bool,
    /// Between two codes for one phone; 0 switches it off.
    pub otp_resend_seconds: u64,
    /// Codes for one phone in an hour.
    pub otp_phone_hourly: u32,
    /// Codes for one client address in an hour.
    pub otp_address_hourly: u32,
    /// Codes in all, in a day.
    pub otp_daily_budget: u32,
    /// The code that opens everything while no carrier is there.
    pub otp_bypass_code: SecretString,
    /// In production, and wherever a carrier is there, the only phones that the bypass code serves;
    /// elsewhere it serves every phone.
    pub otp_bypass_phones: Vec<String>,
    /// The cost of new password hashes.
    pub bcrypt_cost: u32,
    /// The first admin; read by `seed` alone.
    pub admin_email: Option<String>,
    /// Its password.
    pub admin_password: Option<SecretString>,
}

impl AuthConfig {
    /// How long an access token lives.
    pub(crate) fn access_life(&self) -> Duration {
        Duration::from_secs(self.access_seconds)
    }

    /// How often codes may be asked for.
    pub(crate) fn limits(&self) -> Limits {
        let count = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
        Limits {
            resend: Duration::from_secs(self.otp_resend_seconds),
            phone_hourly: count(self.otp_phone_hourly),
            network_hourly: count(self.otp_address_hourly),
            daily_budget: i32::try_from(self.otp_daily_budget).unwrap_or(i32::MAX),
        }
    }

    /// The secrets that verify, the one that signs first.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.jwt_secret.iter().chain(&self.jwt_previous_secrets);
        all.map(|secret| secret.expose_secret().as_bytes())
    }
}

const DOMAIN: &str = "a domain in lower case, such as example.org, no dot before it";

impl Section for AuthConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "AUTH_JWT_SECRET",
            "jwt_secret",
            Kind::Secret,
            "signs access tokens; at least 32 bytes",
        ),
        Variable::new(
            "AUTH_JWT_PREVIOUS_SECRETS",
            "jwt_previous_secrets",
            Kind::SecretList,
            "secrets of before that still verify",
        ),
        Variable::new(
            "AUTH_ACCESS_SECONDS",
            "access_seconds",
            Kind::Integer,
            "how long an access token lives",
        ),
        Variable::new(
            "AUTH_REFRESH_REUSE_SECONDS",
            "refresh_reuse_seconds",
            Kind::Integer,
            "how long a replaced refresh token is good once more",
        ),
        Variable::new(
            "AUTH_BCRYPT_COST",
            "bcrypt_cost",
            Kind::Integer,
            "cost of new password hashes",
        ),
        Variable::new(
            "SESSION_SECRET",
            "session_secret",
            Kind::Secret,
            "signs the cookies of browsers, at least 16 characters; rotating it signs every browser out; \
             empty = no cookies",
        ),
        Variable::new(
            "SESSION_COOKIE_DOMAIN",
            "session_cookie_domain",
            Kind::Text,
            "the domain whose hosts all get that cookie; empty = the host of the API alone",
        )
        .accepts(DOMAIN),
        Variable::new(
            "OTP_ENABLED",
            "otp_enabled",
            Kind::Bool,
            "whether people sign in by one-time codes",
        ),
        Variable::new(
            "OTP_RESEND_SECONDS",
            "otp_resend_seconds",
            Kind::Integer,
            "between two codes for one phone; 0 = off",
        ),
        Variable::new(
            "OTP_PHONE_HOURLY",
            "otp_phone_hourly",
            Kind::Integer,
            "codes for one phone in an hour",
        ),
        Variable::new(
            "OTP_ADDRESS_HOURLY",
            "otp_address_hourly",
            Kind::Integer,
            "codes for one client address (an IPv6 /64) in an hour",
        ),
        Variable::new(
            "OTP_DAILY_BUDGET",
            "otp_daily_budget",
            Kind::Integer,
            "codes in all, in a day of UTC",
        ),
        Variable::new(
            "OTP_BYPASS_CODE",
            "otp_bypass_code",
            Kind::Secret,
            "the code while FAZPASS_ENABLED=false",
        ),
        Variable::new(
            "OTP_BYPASS_PHONES",
            "otp_bypass_phones",
            Kind::List,
            "in production and with Fazpass the only phones that the bypass code serves",
        ),
        Variable::new(
            "ADMIN_EMAIL",
            "admin_email",
            Kind::Text,
            "the first admin, made by `seed`",
        ),
        Variable::new(
            "ADMIN_PASSWORD",
            "admin_password",
            Kind::Secret,
            "the first admin's password",
        ),
    ];

    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        self.problems(env)
    }

    fn validate_with(&self, env: AppEnv, provided: &BTreeSet<Capability>) -> Vec<Invalid> {
        self.problems_without_carrier(env, provided)
    }

    fn validate_at(&self, public_base_url: &str) -> Vec<Invalid> {
        self.problems_at(public_base_url)
    }
}
