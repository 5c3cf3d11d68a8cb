//! The `[analytics]` section: which application of Aptabase counts, and where it is.

use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use halobestie_core::outbound::Deadlines;
use halobestie_core::outbound::reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Keys of `[analytics]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalyticsConfig {
    /// Says which application counts. None: nothing is counted.
    pub app_key: Option<SecretString>,
    /// Where Aptabase is, if not where the key says.
    pub base_url: Option<String>,
    /// The SHA-256 of staging's key, in hex, so that staging and production cannot share one.
    pub staging_key_sha256: Option<String>,
    /// The deadline of a call, in milliseconds.
    pub timeout_ms: u64,
}

/// Where events go, and as whose.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) app_key: SecretString,
    /// Without a slash at the end.
    pub(crate) base_url: String,
}

/// A name, TCP and TLS take a fraction of this, or something is broken.
const CONNECT_MAX: Duration = Duration::from_secs(3);

const KEY: &str = "a key of Aptabase, such as A-EU-0123456789";
const BASE_URL: &str = "a URL such as https://aptabase.example.org";
const SHA256: &str = "64 hexadecimal digits, such as `printf %s \"$KEY\" | sha256sum` prints";

impl AnalyticsConfig {
    /// Where events go; none where there is no key.
    pub(crate) fn place(&self) -> Option<Place> {
        let app_key = self.app_key.clone()?;
        let base_url = self
            .base_url
            .as_deref()
            .or_else(|| region(&app_key)?.host())?;
        let base_url = base_url.trim_end_matches('/').to_owned();
        Some(Place { app_key, base_url })
    }

    /// Half of the time is for the answer at least.
    pub(crate) fn deadlines(&self) -> Deadlines {
        let total = Duration::from_millis(self.timeout_ms);
        let connect = CONNECT_MAX.min(total / 2);
        Deadlines { connect, total }
    }

    /// Whether strangers on the way can read along. On this machine there are none.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.base_url.as_deref().is_none_or(|text| {
            let is_local =
                |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            base(text).is_some_and(|url| url.scheme() == "https" || is_local(&url))
        })
    }

    /// What is wrong with the key in this environment, given the mark of staging's.
    fn mistaken(&self, env: AppEnv) -> Option<&'static str> {
        let (key, mark) = (self.app_key.as_ref()?, self.staging_key_sha256.as_ref()?);
        let is_stagings = sha256_hex(key.expose_secret()).eq_ignore_ascii_case(mark);
        match env {
            AppEnv::Production if is_stagings => Some(
                "this key is marked as staging's by APTABASE_STAGING_KEY_SHA256: expected one of its own \
                 for production",
            ),
            AppEnv::Staging if !is_stagings => Some(
                "expected the key that APTABASE_STAGING_KEY_SHA256 marks as staging's, or another mark",
            ),
            _ => None,
        }
    }
}

/// Who runs the Aptabase of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Region {
    Eu,
    Us,
    /// Somebody else: the key does not say where.
    Own,
}

impl Region {
    const fn host(self) -> Option<&'static str> {
        match self {
            Self::Eu => Some("https://eu.aptabase.com"),
            Self::Us => Some("https://us.aptabase.com"),
            Self::Own => None,
        }
    }
}

/// The region of a key; none for what is no key.
fn region(key: &SecretString) -> Option<Region> {
    let (region, number) = key.expose_secret().strip_prefix("A-")?.split_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit());
    let region = match region {
        "EU" => Region::Eu,
        "US" => Region::Us,
        "SH" | "DEV" => Region::Own,
        _ => return None,
    };
    is_number.then_some(region)
}

fn base(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_plain.then_some(url)
}

fn sha256_hex(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Section for AnalyticsConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "APTABASE_APP_KEY",
            "app_key",
            Kind::Secret,
            "the key of an application of Aptabase; empty = nothing is counted",
        )
        .accepts(KEY),
        Variable::new(
            "APTABASE_BASE_URL",
            "base_url",
            Kind::Text,
            "where Aptabase is; by the key's region where it is empty, so required for A-SH and A-DEV",
        )
        .accepts(BASE_URL),
        Variable::new(
            "APTABASE_STAGING_KEY_SHA256",
            "staging_key_sha256",
            Kind::Text,
            "the SHA-256 of staging's key: refused in production, and required of staging's",
        )
        .accepts(SHA256),
        Variable::new(
            "APTABASE_TIMEOUT_MS",
            "timeout_ms",
            Kind::Integer,
            "the deadline of a call to Aptabase, in milliseconds",
        ),
    ];

    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        let found = self.app_key.as_ref().map(region);
        let is_sha256 =
            |text: &String| text.len() == 64 && text.bytes().all(|it| it.is_ascii_hexdigit());
        let mark = self.staging_key_sha256.as_ref();
        let url = self.base_url.as_deref();
        let mistaken = self.mistaken(env);
        Checks::default()
            .require("app_key", found != Some(None), format!("expected {KEY}"))
            .require("app_key", mistaken.is_none(), mistaken.unwrap_or_default())
            .require(
                "base_url",
                found != Some(Some(Region::Own)) || url.is_some(),
                format!("required for a key of this region: expected {BASE_URL}"),
            )
            .require(
                "base_url",
                url.is_none_or(|url| base(url).is_some()),
                format!("expected {BASE_URL}"),
            )
            .require(
                "staging_key_sha256",
                mark.is_none_or(is_sha256),
                format!("expected {SHA256}"),
            )
            .range("timeout_ms", self.timeout_ms, 100..=60_000)
            .invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "A-EU-0123456789";

    fn config(app_key: &str) -> AnalyticsConfig {
        AnalyticsConfig {
            app_key: Some(app_key.into()),
            base_url: None,
            staging_key_sha256: None,
            timeout_ms: 10_000,
        }
    }

    fn wrong_keys(config: &AnalyticsConfig, env: AppEnv) -> Vec<&'static str> {
        let invalid = config.validate(env);
        invalid.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn the_host_is_in_the_key_unless_it_is_somebody_elses() {
        let host = |key: &str| config(key).place().map(|it| it.base_url);
        assert_eq!(host(KEY).as_deref(), Some("https://eu.aptabase.com"));
        assert_eq!(host("A-US-1").as_deref(), Some("https://us.aptabase.com"));
        for own in ["A-SH-1", "A-DEV-1"] {
            assert_eq!(host(own), None);
            assert_eq!(wrong_keys(&config(own), AppEnv::Test), ["base_url"]);
            let named = AnalyticsConfig {
                base_url: Some("http://127.0.0.1:4000/".into()),
                ..config(own)
            };
            assert_eq!(wrong_keys(&named, AppEnv::Test), [""; 0]);
            assert_eq!(named.place().unwrap().base_url, "http://127.0.0.1:4000");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_without_one_nothing_is_wrong() {
        for wrong in ["", "A-EU-", "A-XX-1", "EU-1", "a-eu-1", "A-EU-12x", "A-EU"] {
            let found = wrong_keys(&config(wrong), AppEnv::Test);
            assert_eq!(found, ["app_key"], "{wrong}");
        }
        let none = AnalyticsConfig {
            app_key: None,
            staging_key_sha256: Some(sha256_hex(KEY)),
            ..config(KEY)
        };
        assert!(none.place().is_none());
        for env in AppEnv::ALL {
            assert_eq!(wrong_keys(&none, env), [""; 0]);
        }
    }

    #[test]
    fn production_refuses_stagings_key_and_staging_any_other() {
        let marked = |key: &str, mark: String| AnalyticsConfig {
            staging_key_sha256: Some(mark),
            ..config(key)
        };
        let stagings = marked(KEY, sha256_hex(KEY).to_uppercase());
        assert_eq!(wrong_keys(&stagings, AppEnv::Production), ["app_key"]);
        assert_eq!(wrong_keys(&stagings, AppEnv::Staging), [""; 0]);
        let another = marked("A-EU-9", sha256_hex(KEY));
        assert_eq!(wrong_keys(&another, AppEnv::Production), [""; 0]);
        assert_eq!(wrong_keys(&another, AppEnv::Staging), ["app_key"]);
        assert_eq!(wrong_keys(&another, AppEnv::Development), [""; 0]);
        let no_mark = marked(KEY, "abc".into());
        assert_eq!(
            wrong_keys(&no_mark, AppEnv::Production),
            ["staging_key_sha256"]
        );
    }
}
