//! The `[xendit]` section.

use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use halobestie_core::outbound::Deadlines;
use halobestie_core::outbound::reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// How to reach Xendit, how it reaches us, and how long a customer may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XenditConfig {
    /// Says who we are: goes with every call.
    pub secret_key: Option<SecretString>,
    /// What Xendit's webhooks prove themselves with.
    pub webhook_token: Option<SecretString>,
    /// What its calls are below: `https://api.xendit.co`.
    pub base_url: String,
    /// Where a browser is sent after paying; our own page where unset.
    pub success_redirect_url: Option<String>,
    /// Where it is sent otherwise; our own page where unset.
    pub failure_redirect_url: Option<String>,
    /// The deadline of a call, in milliseconds.
    pub timeout_ms: u64,
    /// How long a payment can be paid.
    pub payment_timeout_seconds: u64,
    /// How often unsettled payments are compared with Xendit.
    pub payment_reconcile_seconds: u64,
}

/// A name, TCP and TLS take a fraction of this, or something is broken.
const CONNECT_MAX: Duration = Duration::from_secs(3);

impl XenditConfig {
    /// Half of the time is for the answer at least.
    pub(crate) fn deadlines(&self) -> Deadlines {
        let total = Duration::from_millis(self.timeout_ms);
        Deadlines {
            connect: CONNECT_MAX.min(total / 2),
            total,
        }
    }

    /// How long a payment can be paid.
    pub(crate) fn payment_timeout(&self) -> Duration {
        Duration::from_secs(self.payment_timeout_seconds)
    }

    /// Whether strangers on the way can read along. On this machine there are none.
    pub(crate) fn is_encrypted(&self) -> bool {
        url(&self.base_url).is_some_and(|url| {
            url.scheme() == "https"
                || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        })
    }
}

/// A URL of the web without a user in it.
fn url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    is_plain.then_some(url)
}

fn is_base(text: &str) -> bool {
    url(text).is_some_and(|it| it.query().is_none())
}

const BASE_URL: &str = "a URL such as https://api.xendit.co";
const REDIRECT_URL: &str = "a URL of a page, such as https://example.org/paid";
const SECRET: &str = "printable ASCII without spaces";

impl Section for XenditConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "XENDIT_SECRET_KEY",
            "secret_key",
            Kind::Secret,
            "Xendit's secret key (xnd_development_…, xnd_production_…); required where Xendit is on",
        )
        .accepts(SECRET),
        Variable::new(
            "XENDIT_WEBHOOK_TOKEN",
            "webhook_token",
            Kind::Secret,
            "the verification token of Xendit's webhooks; required where Xendit is on",
        )
        .accepts(SECRET),
        Variable::new(
            "XENDIT_BASE_URL",
            "base_url",
            Kind::Text,
            "what the calls to Xendit are below",
        )
        .accepts(BASE_URL),
        Variable::new(
            "XENDIT_SUCCESS_REDIRECT_URL",
            "success_redirect_url",
            Kind::Text,
            "where a browser is sent after paying; our own page where unset",
        )
        .accepts(REDIRECT_URL),
        Variable::new(
            "XENDIT_FAILURE_REDIRECT_URL",
            "failure_redirect_url",
            Kind::Text,
            "where a browser is sent when it was not paid; our own page where unset",
        )
        .accepts(REDIRECT_URL),
        Variable::new(
            "XENDIT_TIMEOUT_MS",
            "timeout_ms",
            Kind::Integer,
            "the deadline of a call to Xendit, in milliseconds",
        ),
        Variable::new(
            "PAYMENT_TIMEOUT_SECONDS",
            "payment_timeout_seconds",
            Kind::Integer,
            "how long a payment can be paid",
        ),
        Variable::new(
            "PAYMENT_RECONCILE_SECONDS",
            "payment_reconcile_seconds",
            Kind::Integer,
            "how often unsettled payments are compared with Xendit",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let mut checks = Checks::default()
            .require(
                "base_url",
                is_base(&self.base_url),
                format!("expected {BASE_URL}"),
            )
            .range("timeout_ms", self.timeout_ms, 100..=20_000)
            .range(
                "payment_timeout_seconds",
                self.payment_timeout_seconds,
                1..=86_400,
            )
            .range(
                "payment_reconcile_seconds",
                self.payment_reconcile_seconds,
                1..=3_600,
            );
        for (key, value) in [
            ("success_redirect_url", &self.success_redirect_url),
            ("failure_redirect_url", &self.failure_redirect_url),
        ] {
            let fits = value.as_deref().is_none_or(|it| url(it).is_some());
            checks = checks.require(key, fits, format!("expected {REDIRECT_URL}"));
        }
        for (key, value) in [
            ("secret_key", &self.secret_key),
            ("webhook_token", &self.webhook_token),
        ] {
            let is_set = value.is_some();
            let required = format!("required where Xendit is on: expected {SECRET}");
            let fits = value.as_ref().is_none_or(is_graphic);
            checks = checks.require(key, is_set, required).require(
                key,
                fits,
                format!("expected {SECRET}"),
            );
        }
        checks.invalid
    }
}

fn is_graphic(secret: &SecretString) -> bool {
    secret
        .expose_secret()
        .bytes()
        .all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> XenditConfig {
        XenditConfig {
            secret_key: Some("xnd_development_key".into()),
            webhook_token: Some("token".into()),
            base_url: "https://xendit.test".into(),
            success_redirect_url: None,
            failure_redirect_url: None,
            timeout_ms: 10_000,
            payment_timeout_seconds: 900,
            payment_reconcile_seconds: 60,
        }
    }

    fn wrong_keys(config: &XenditConfig) -> Vec<&'static str> {
        let invalid = config.validate(AppEnv::Production);
        invalid.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn both_secrets_are_required_and_fit_for_a_header() {
        assert_eq!(wrong_keys(&config()), [""; 0]);
        let none = XenditConfig {
            secret_key: None,
            webhook_token: None,
            ..config()
        };
        assert_eq!(wrong_keys(&none), ["secret_key", "webhook_token"]);
        let spaced = XenditConfig {
            webhook_token: Some("two words".into()),
            ..config()
        };
        assert_eq!(wrong_keys(&spaced), ["webhook_token"]);
    }

    #[test]
    fn urls_are_of_the_web() {
        for wrong in ["", "api.xendit.co", "ftp://x.test", "https://u:p@x.test"] {
            let config = XenditConfig {
                base_url: wrong.into(),
                success_redirect_url: Some(wrong.into()),
                ..config()
            };
            let keys = ["base_url", "success_redirect_url"];
            assert_eq!(wrong_keys(&config), keys, "{wrong}");
        }
    }

    #[test]
    fn only_this_machine_may_be_spoken_to_in_the_open() {
        let at = |base_url: &str| XenditConfig {
            base_url: base_url.into(),
            ..config()
        };
        assert!(config().is_encrypted() && at("http://127.0.0.1:1").is_encrypted());
        assert!(!at("http://sandbox:4000").is_encrypted());
    }
}
