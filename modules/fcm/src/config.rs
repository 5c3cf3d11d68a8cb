//! The `[fcm]` section.

use std::path::Path;
use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use halobestie_core::outbound::Deadlines;
use halobestie_core::outbound::reqwest::Url;
use serde::Deserialize;

use crate::account::{Account, AccountError};

/// How to reach FCM, and what may be said on a locked screen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FcmConfig {
    /// The file that Google gives out for a service account.
    pub service_account_path: Option<String>,
    /// What its calls are below: `https://fcm.googleapis.com`.
    pub base_url: String,
    /// The deadline of a call, in milliseconds.
    pub timeout_ms: u64,
    /// Whether a push shows what a message says, and not only that there is one.
    pub show_text: bool,
}

/// A name, TCP and TLS take a fraction of this, or something is broken.
const CONNECT_MAX: Duration = Duration::from_secs(3);

impl FcmConfig {
    /// Half of the time is for the answer at least.
    pub(crate) fn deadlines(&self) -> Deadlines {
        let total = Duration::from_millis(self.timeout_ms);
        Deadlines {
            connect: CONNECT_MAX.min(total / 2),
            total,
        }
    }

    /// Reads the service account.
    ///
    /// # Errors
    /// When its file is not there, or a field of it is no good.
    pub(crate) fn account(&self) -> Result<Account, AccountError> {
        let path = self.service_account_path.as_deref();
        Account::read(Path::new(path.unwrap_or_default()))
    }

    /// Whether strangers on the way can read along. On this machine there are none.
    pub(crate) fn is_encrypted(&self) -> bool {
        plain(&self.base_url).is_some_and(|url| is_private(&url))
    }
}

/// An address without anything that is not one.
pub(crate) fn plain(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_plain.then_some(url)
}

/// Whether what goes there is encrypted, or does not leave this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

const PATH: &str = "the path of a service account's JSON file";
const BASE_URL: &str = "a URL such as https://fcm.googleapis.com";

impl Section for FcmConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "FIREBASE_SERVICE_ACCOUNT_PATH",
            "service_account_path",
            Kind::Text,
            "the service account's JSON file; required where FCM is on",
        )
        .accepts(PATH),
        Variable::new(
            "FCM_BASE_URL",
            "base_url",
            Kind::Text,
            "what the calls to FCM are below",
        )
        .accepts(BASE_URL),
        Variable::new(
            "FCM_TIMEOUT_MS",
            "timeout_ms",
            Kind::Integer,
            "the deadline of a call to FCM or for its access token, in milliseconds",
        ),
        Variable::new(
            "PUSH_SHOW_TEXT",
            "show_text",
            Kind::Bool,
            "whether a push shows what a message says",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let account = match &self.service_account_path {
            None => Err(format!("required where FCM is on: expected {PATH}")),
            Some(_) => self.account().map(|_| ()).map_err(|error| error.in_full()),
        };
        let base_url = plain(&self.base_url).is_some();
        Checks::default()
            .require(
                "service_account_path",
                account.is_ok(),
                account.err().unwrap_or_default(),
            )
            .require("base_url", base_url, format!("expected {BASE_URL}"))
            // Twice it, and a refresh between, end within an attempt.
            .range("timeout_ms", self.timeout_ms, 100..=15_000)
            .invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> FcmConfig {
        FcmConfig {
            service_account_path: None,
            base_url: "https://fcm.test".into(),
            timeout_ms: 10_000,
            show_text: false,
        }
    }

    fn wrong(config: &FcmConfig) -> Vec<(&'static str, String)> {
        let invalid = config.validate(AppEnv::Production);
        invalid.into_iter().map(|it| (it.key, it.message)).collect()
    }

    #[test]
    fn the_file_is_required_and_looked_at() {
        let none = wrong(&config());
        assert_eq!(none.len(), 1, "{none:?}");
        assert_eq!(none[0].0, "service_account_path");
        let absent = FcmConfig {
            service_account_path: Some("/nowhere/account.json".into()),
            ..config()
        };
        let absent = wrong(&absent);
        assert!(absent[0].1.contains("/nowhere/account.json"), "{absent:?}");
    }

    #[test]
    fn a_base_url_is_one_and_carries_nothing_else() {
        for url in [
            "",
            "fcm.googleapis.com",
            "ftp://fcm.test",
            "https://fcm.test/?a=b",
        ] {
            let config = FcmConfig {
                base_url: url.into(),
                ..config()
            };
            let keys: Vec<_> = wrong(&config).into_iter().map(|it| it.0).collect();
            assert_eq!(keys, ["service_account_path", "base_url"], "{url}");
        }
    }

    #[test]
    fn only_this_machine_may_be_spoken_to_in_the_open() {
        let at = |base_url: &str| FcmConfig {
            base_url: base_url.into(),
            ..config()
        };
        assert!(config().is_encrypted());
        assert!(at("http://127.0.0.1:4000").is_encrypted());
        assert!(!at("http://sandbox:4000").is_encrypted());
    }
}
