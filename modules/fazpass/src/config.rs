//! The `[fazpass]` section.

use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use halobestie_core::outbound::Deadlines;
use halobestie_core::outbound::reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// How to reach Fazpass.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FazpassConfig {
    /// Says who we are: goes with every call.
    pub merchant_key: Option<SecretString>,
    /// Says by which channel and provider a message goes out.
    pub gateway_key: Option<SecretString>,
    /// What its calls are below: `https://api.fazpass.com/v1/otp`.
    pub base_url: String,
    /// The deadline of a call, in milliseconds.
    pub timeout_ms: u64,
}

/// A name, TCP and TLS take a fraction of this, or something is broken.
const CONNECT_MAX: Duration = Duration::from_secs(2);

impl FazpassConfig {
    /// Half of the time is for the answer at least.
    pub(crate) fn deadlines(&self) -> Deadlines {
        let total = Duration::from_millis(self.timeout_ms);
        Deadlines {
            connect: CONNECT_MAX.min(total / 2),
            total,
        }
    }

    /// Whether strangers on the way can read along. On this machine there are none.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.base().is_some_and(|url| {
            url.scheme() == "https"
                || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        })
    }

    fn base(&self) -> Option<Url> {
        let url = Url::parse(&self.base_url).ok()?;
        let is_plain = matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        is_plain.then_some(url)
    }
}

const BASE_URL: &str = "a URL such as https://api.fazpass.com/v1/otp";
const KEY: &str = "printable ASCII without spaces";

impl Section for FazpassConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "FAZPASS_MERCHANT_KEY",
            "merchant_key",
            Kind::Secret,
            "Fazpass merchant key; required where Fazpass is on",
        )
        .accepts(KEY),
        Variable::new(
            "FAZPASS_GATEWAY_KEY",
            "gateway_key",
            Kind::Secret,
            "Fazpass gateway key, which chooses the channel; required where Fazpass is on",
        )
        .accepts(KEY),
        Variable::new(
            "FAZPASS_BASE_URL",
            "base_url",
            Kind::Text,
            "what the calls to Fazpass are below",
        )
        .accepts(BASE_URL),
        Variable::new(
            "FAZPASS_TIMEOUT_MS",
            "timeout_ms",
            Kind::Integer,
            "the deadline of a call to Fazpass, in milliseconds",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let mut checks = Checks::default()
            .require(
                "base_url",
                self.base().is_some(),
                format!("expected {BASE_URL}"),
            )
            // With a second attempt to connect it still ends before the request that waits for it.
            .range("timeout_ms", self.timeout_ms, 100..=15_000);
        for (key, value) in [
            ("merchant_key", &self.merchant_key),
            ("gateway_key", &self.gateway_key),
        ] {
            let is_set = value.is_some();
            let required = format!("required where Fazpass is on: expected {KEY}");
            checks = checks.require(key, is_set, required).require(
                key,
                value.as_ref().is_none_or(is_key),
                format!("expected {KEY}"),
            );
        }
        checks.invalid
    }
}

fn is_key(key: &SecretString) -> bool {
    key.expose_secret()
        .bytes()
        .all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> FazpassConfig {
        FazpassConfig {
            merchant_key: Some("merchant".into()),
            gateway_key: Some("gateway".into()),
            base_url: "https://fazpass.test/v1/otp".into(),
            timeout_ms: 8_000,
        }
    }

    fn wrong_keys(config: &FazpassConfig) -> Vec<&'static str> {
        let invalid = config.validate(AppEnv::Production);
        invalid.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn both_keys_are_required_and_fit_for_a_header() {
        assert_eq!(wrong_keys(&config()), [""; 0]);
        let none = FazpassConfig {
            merchant_key: None,
            gateway_key: None,
            ..config()
        };
        assert_eq!(wrong_keys(&none), ["merchant_key", "gateway_key"]);
        let spaced = FazpassConfig {
            merchant_key: Some("two words".into()),
            ..config()
        };
        assert_eq!(wrong_keys(&spaced), ["merchant_key"]);
    }

    #[test]
    fn a_base_url_is_one_and_carries_nothing_else() {
        for wrong in [
            "",
            "api.fazpass.com",
            "ftp://fazpass.test",
            "https://user:key@fazpass.test",
            "https://fazpass.test/?a=b",
        ] {
            let config = FazpassConfig {
                base_url: wrong.into(),
                ..config()
            };
            assert_eq!(wrong_keys(&config), ["base_url"], "{wrong}");
        }
    }

    #[test]
    fn only_this_machine_may_be_spoken_to_in_the_open() {
        let at = |base_url: &str| FazpassConfig {
            base_url: base_url.into(),
            ..config()
        };
        assert!(config().is_encrypted());
        assert!(at("http://127.0.0.1:4000/v1/otp").is_encrypted());
        assert!(!at("http://sandbox:4000/v1/otp").is_encrypted());
    }

    #[test]
    fn half_of_the_time_is_left_for_the_answer() {
        let short = FazpassConfig {
            timeout_ms: 300,
            ..config()
        };
        assert_eq!(short.deadlines().connect, Duration::from_millis(150));
        assert_eq!(config().deadlines().connect, CONNECT_MAX);
    }
}
