//! What the types of the `[auth]` section cannot say.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use halobestie_core::config::{AppEnv, Checks, Invalid};
use halobestie_core::ports::Capability;
use secrecy::{ExposeSecret, SecretString};

use super::{AuthConfig, DOMAIN};
use crate::otp;
use crate::password;
use crate::phone::Phone;

/// HS256 is as strong as its key: 256 bits at least (RFC 7518 §3.2).
const SECRET_BYTES_MIN: usize = 32;
/// A cookie's signature is worth what it takes to guess its secret.
const SESSION_SECRET_CHARS_MIN: usize = 16;
/// bcrypt's own bounds.
const BCRYPT_COSTS: RangeInclusive<u32> = 4..=20;
/// The lowest cost where real people have passwords.
const BCRYPT_COST_DEPLOYED_MIN: u32 = 10;

impl AuthConfig {
    /// All that is wrong, at once.
    pub(super) fn problems(&self, env: AppEnv) -> Vec<Invalid> {
        let mut problems = self.wrong_secrets();
        problems.extend(self.wrong_cookies());
        problems.extend(self.wrong_lives());
        problems.extend(self.wrong_limits());
        problems.extend(self.wrong_bypass());
        problems.extend(self.wrong_passwords(env));
        problems
    }

    fn wrong_secrets(&self) -> Vec<Invalid> {
        const HOW: &str = "make one with `openssl rand -base64 48`";
        let mut problems = Vec::new();
        match &self.jwt_secret {
            None => problems.push(Invalid::new(
                "jwt_secret",
                format!("must be set, to at least {SECRET_BYTES_MIN} bytes: {HOW}"),
            )),
            Some(secret) if is_short(secret) => problems.push(Invalid::new(
                "jwt_secret",
                format!("must have at least {SECRET_BYTES_MIN} bytes: {HOW}"),
            )),
            Some(_) => {}
        }
        if self.jwt_previous_secrets.iter().any(is_short) {
            let message = format!("each must have at least {SECRET_BYTES_MIN} bytes");
            problems.push(Invalid::new("jwt_previous_secrets", message));
        }
        problems
    }

    fn wrong_cookies(&self) -> Vec<Invalid> {
        let secret = self.session_secret.as_ref();
        let is_long = secret.is_none_or(|secret| {
            secret.expose_secret().chars().count() >= SESSION_SECRET_CHARS_MIN
        });
        let domain = self.session_cookie_domain.as_deref();
        Checks::default()
            .require(
                "session_secret",
                is_long,
                format!(
                    "must have at least {SESSION_SECRET_CHARS_MIN} characters: make one with \
                     `openssl rand -base64 48`"
                ),
            )
            .require(
                "session_cookie_domain",
                domain.is_none_or(is_domain),
                format!("expected {DOMAIN}"),
            )
            .require(
                "session_cookie_domain",
                domain.is_none() || secret.is_some(),
                "must be empty without SESSION_SECRET: there would be no cookie",
            )
            .invalid
    }

    fn wrong_lives(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        if !(1..=86_400).contains(&self.access_seconds) {
            problems.push(Invalid::new("access_seconds", "must be 1 to 86400"));
        }
        if self.refresh_reuse_seconds > 300 {
            problems.push(Invalid::new("refresh_reuse_seconds", "must be at most 300"));
        }
        problems
    }

    fn wrong_limits(&self) -> Vec<Invalid> {
        Checks::default()
            .range("otp_resend_seconds", self.otp_resend_seconds, 0..=3600)
            .range("otp_phone_hourly", self.otp_phone_hourly, 1..=1000)
            .range("otp_address_hourly", self.otp_address_hourly, 1..=1_000_000)
            .range("otp_daily_budget", self.otp_daily_budget, 1..=100_000_000)
            .invalid
    }

    fn wrong_bypass(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        let code = self.otp_bypass_code.expose_secret();
        if !otp::is_code(code) {
            problems.push(Invalid::new("otp_bypass_code", "must be six digits"));
        }
        let wrong_phones = self
            .otp_bypass_phones
            .iter()
            .filter(|it| Phone::parse(it).is_none());
        if wrong_phones.count() > 0 {
            let message = "each must be a mobile number, such as +6281234567890";
            problems.push(Invalid::new("otp_bypass_phones", message));
        }
        problems
    }

    /// What is wrong where nobody carries codes.
    pub(super) fn problems_without_carrier(
        &self,
        env: AppEnv,
        provided: &BTreeSet<Capability>,
    ) -> Vec<Invalid> {
        let has_carrier = provided.contains(&Capability::CodeCarrier);
        let is_open =
            env != AppEnv::Production || !self.otp_bypass_phones.is_empty() || !self.otp_enabled;
        let message = "must name the reviewers' phones in production without Fazpass \
                       (FAZPASS_ENABLED): else nobody could sign in by a code; OTP_ENABLED=false \
                       where nobody is to";
        Checks::default()
            .require("otp_bypass_phones", has_carrier || is_open, message)
            .invalid
    }

    /// A browser drops a cookie for a domain that its host is not in, and says so to nobody.
    pub(super) fn problems_at(&self, public_base_url: &str) -> Vec<Invalid> {
        let host = host_of(public_base_url);
        let domain = self.session_cookie_domain.as_deref();
        Checks::default()
            .require(
                "session_cookie_domain",
                domain.is_none_or(|domain| is_within(&host, domain)),
                format!(
                    "expected a domain that {host}, the host of PUBLIC_BASE_URL, is in: browsers would \
                     not keep the cookie"
                ),
            )
            .invalid
    }

    fn wrong_passwords(&self, env: AppEnv) -> Vec<Invalid> {
        let mut problems = Vec::new();
        if !BCRYPT_COSTS.contains(&self.bcrypt_cost) {
            problems.push(Invalid::new("bcrypt_cost", "must be 4 to 20"));
        } else if env.is_deployed() && self.bcrypt_cost < BCRYPT_COST_DEPLOYED_MIN {
            let message = format!(
                "must be at least {BCRYPT_COST_DEPLOYED_MIN} in {}",
                env.as_str()
            );
            problems.push(Invalid::new("bcrypt_cost", message));
        }
        match (&self.admin_email, &self.admin_password) {
            (Some(_), None) => {
                problems.push(Invalid::new(
                    "admin_password",
                    "must be set along with ADMIN_EMAIL",
                ));
            }
            (None, Some(_)) => {
                problems.push(Invalid::new(
                    "admin_email",
                    "must be set along with ADMIN_PASSWORD",
                ));
            }
            _ => {}
        }
        if self
            .admin_email
            .as_ref()
            .is_some_and(|email| !email.contains('@'))
        {
            problems.push(Invalid::new("admin_email", "must be an email address"));
        }
        let password = self
            .admin_password
            .as_ref()
            .map(ExposeSecret::expose_secret);
        if password.is_some_and(|password| !password::LENGTHS.contains(&password.len())) {
            problems.push(Invalid::new("admin_password", "must have 8 to 71 bytes"));
        }
        problems
    }
}

/// Two labels at least, the last of them no number: browsers set no cookie for `com` or for an address.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        !label.is_empty() && label.bytes().all(is_letter)
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.split('.').all(is_label)
        && last.bytes().any(|it| it.is_ascii_lowercase())
}

/// The host of a URL that has no user, in lower case.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(it, _)| it);
    host.to_ascii_lowercase()
}

fn is_within(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_short(secret: &SecretString) -> bool {
    secret.expose_secret().len() < SECRET_BYTES_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> AuthConfig {
        AuthConfig {
            jwt_secret: Some("0123456789abcdef0123456789abcdef".into()),
            jwt_previous_secrets: Vec::new(),
            access_seconds: 900,
            refresh_reuse_seconds: 10,
            session_secret: None,
            session_cookie_domain: None,
            otp_enabled: true,
            otp_resend_seconds: 30,
            otp_phone_hourly: 5,
            otp_address_hourly: 30,
            otp_daily_budget: 20_000,
            otp_bypass_code: "000000".into(),
            otp_bypass_phones: Vec::new(),
            bcrypt_cost: 12,
            admin_email: None,
            admin_password: None,
        }
    }

    fn wrong_keys(config: &AuthConfig, env: AppEnv) -> Vec<&'static str> {
        config
            .problems(env)
            .into_iter()
            .map(|invalid| invalid.key)
            .collect()
    }

    #[test]
    fn the_defaults_are_fine_outside_production() {
        for env in [AppEnv::Development, AppEnv::Test, AppEnv::Staging] {
            assert_eq!(wrong_keys(&config(), env), [""; 0]);
        }
    }

    #[test]
    fn a_secret_is_required_and_long() {
        let missing = AuthConfig {
            jwt_secret: None,
            ..config()
        };
        assert_eq!(wrong_keys(&missing, AppEnv::Development), ["jwt_secret"]);
        let short = AuthConfig {
            jwt_secret: Some("short".into()),
            jwt_previous_secrets: vec!["short too".into()],
            ..config()
        };
        let wrong = ["jwt_secret", "jwt_previous_secrets"];
        assert_eq!(wrong_keys(&short, AppEnv::Development), wrong);
    }

    #[test]
    fn production_without_fazpass_needs_the_reviewers_phones() {
        let wrong = |config: &AuthConfig, provided: &[Capability]| {
            let provided = provided.iter().copied().collect();
            !config
                .problems_without_carrier(AppEnv::Production, &provided)
                .is_empty()
        };
        assert!(wrong(&config(), &[]));
        assert!(!wrong(&config(), &[Capability::CodeCarrier]));
        let named = AuthConfig {
            otp_bypass_phones: vec!["081200000001".into()],
            ..config()
        };
        assert!(!wrong(&named, &[]));
    }

    #[test]
    fn a_cookies_secret_is_long_and_its_domain_one_that_browsers_take() {
        let wrong = |secret: &str, domain: &str| {
            let config = AuthConfig {
                session_secret: Some(secret.into()),
                session_cookie_domain: Some(domain.into()),
                ..config()
            };
            wrong_keys(&config, AppEnv::Production)
        };
        assert_eq!(wrong("sixteen letters.", "example.org"), [""; 0]);
        assert_eq!(
            wrong("fifteen letters", "a-b.example.org"),
            ["session_secret"]
        );
        let no_secret = AuthConfig {
            session_cookie_domain: Some("example.org".into()),
            ..config()
        };
        let keys = wrong_keys(&no_secret, AppEnv::Production);
        assert_eq!(keys, ["session_cookie_domain"]);
        for domain in [
            "org",
            ".example.org",
            "example.org.",
            "10.0.0.1",
            "Example.org",
            "a;b.org",
        ] {
            let keys = wrong("sixteen letters.", domain);
            assert_eq!(keys, ["session_cookie_domain"], "{domain}");
        }
    }

    #[test]
    fn the_domain_of_a_cookie_is_one_that_we_are_in() {
        let config = AuthConfig {
            session_cookie_domain: Some("example.org".into()),
            ..config()
        };
        for url in [
            "https://example.org",
            "https://API.example.org:8443/v1",
            "http://a.b.example.org/",
        ] {
            assert_eq!(config.problems_at(url), [], "{url}");
        }
        for url in [
            "https://example.com",
            "https://badexample.org",
            "https://example.org.evil.test",
            "http://localhost:3000",
        ] {
            assert_eq!(config.problems_at(url).len(), 1, "{url}");
        }
    }

    #[test]
    fn who_uses_no_codes_needs_no_phones() {
        let config = AuthConfig {
            otp_enabled: false,
            ..config()
        };
        let nothing = BTreeSet::new();
        let problems = config.problems_without_carrier(AppEnv::Production, &nothing);
        assert!(problems.is_empty());
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let wrong = AuthConfig {
            access_seconds: 0,
            otp_phone_hourly: 0,
            otp_daily_budget: 0,
            otp_bypass_code: "12345".into(),
            otp_bypass_phones: vec!["nonsense".into()],
            bcrypt_cost: 3,
            admin_email: Some("nobody".into()),
            ..config()
        };
        let keys = [
            "access_seconds",
            "otp_phone_hourly",
            "otp_daily_budget",
            "otp_bypass_code",
            "otp_bypass_phones",
            "bcrypt_cost",
            "admin_password",
            "admin_email",
        ];
        assert_eq!(wrong_keys(&wrong, AppEnv::Development), keys);
    }

    #[test]
    fn a_cheap_hash_is_for_tests_alone() {
        let cheap = AuthConfig {
            bcrypt_cost: 4,
            ..config()
        };
        assert_eq!(wrong_keys(&cheap, AppEnv::Test), [""; 0]);
        assert_eq!(wrong_keys(&cheap, AppEnv::Staging), ["bcrypt_cost"]);
    }
}
