//! The `[email]` section: where mail goes out, who it is from, and how much of it.

use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use lettre::message::Mailbox;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::folder::Folder;
use crate::limits::Limits;
use crate::smtp;

/// Where mail goes out, and how much of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// The server that takes our mail, with user and password.
    pub smtp_url: Option<SecretString>,
    /// Who our mail is from.
    pub smtp_from: Option<String>,
    /// Cloudron's server, where `smtp_url` is unset.
    pub cloudron_server: Option<String>,
    /// Its port without TLS, inside of the platform's own network.
    pub cloudron_port: Option<u16>,
    /// Its user.
    pub cloudron_username: Option<String>,
    /// Its password.
    pub cloudron_password: Option<SecretString>,
    /// Between two links for one email; 0 switches it off.
    pub resend_seconds: u64,
    /// Links for one email in an hour.
    pub recipient_hourly: u32,
    /// Links for one client address in an hour.
    pub address_hourly: u32,
    /// Links in all in 24 hours.
    pub daily_budget: u32,
}

const SMTP_URL: &str = "smtps://user:password@host:465, smtp://host:587?tls=required or, on a \
                        private network, smtp://host:25; special characters percent-encoded; on a \
                        developer's machine file:///a/folder";
const IN_A_FOLDER: &str =
    "a mail server: letters are kept in a folder on a developer's machine alone";
const SMTP_FROM: &str = "an email address, such as halobestie <no-reply@example.org>";

/// Who mail is from on a developer's machine.
const DEV_FROM: &str = "halobestie <no-reply@localhost>";

impl EmailConfig {
    /// The limits as configured.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            resend: Duration::from_secs(self.resend_seconds),
            recipient_hourly: self.recipient_hourly,
            network_hourly: self.address_hourly,
            daily_budget: self.daily_budget,
        }
    }

    /// The folder that stands in for a mail server, where one does.
    pub(crate) fn folder(&self) -> Option<Folder> {
        let url = self.smtp_url.as_ref()?;
        Folder::of_url(url.expose_secret())
    }

    /// Who our mail is from. `None` when that is no address.
    pub(crate) fn from(&self) -> Option<Mailbox> {
        self.smtp_from.as_deref().unwrap_or(DEV_FROM).parse().ok()
    }
}

impl Section for EmailConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "SMTP_URL",
            "smtp_url",
            Kind::Secret,
            "the server that takes our mail; required with EMAIL_ENABLED but on Cloudron",
        )
        .accepts(SMTP_URL),
        Variable::new(
            "SMTP_FROM",
            "smtp_from",
            Kind::Text,
            "who our mail is from; required with EMAIL_ENABLED in staging and production",
        )
        .accepts(SMTP_FROM)
        .or(&["CLOUDRON_MAIL_FROM"]),
        Variable::new(
            "CLOUDRON_MAIL_SMTP_SERVER",
            "cloudron_server",
            Kind::Text,
            "set by Cloudron; taken where SMTP_URL is unset",
        ),
        Variable::new(
            "CLOUDRON_MAIL_SMTP_PORT",
            "cloudron_port",
            Kind::Integer,
            "set by Cloudron: the port without TLS",
        ),
        Variable::new(
            "CLOUDRON_MAIL_SMTP_USERNAME",
            "cloudron_username",
            Kind::Text,
            "set by Cloudron",
        ),
        Variable::new(
            "CLOUDRON_MAIL_SMTP_PASSWORD",
            "cloudron_password",
            Kind::Secret,
            "set by Cloudron",
        ),
        Variable::new(
            "EMAIL_RESEND_SECONDS",
            "resend_seconds",
            Kind::Integer,
            "between two links for one email; 0 = off",
        ),
        Variable::new(
            "EMAIL_RECIPIENT_HOURLY",
            "recipient_hourly",
            Kind::Integer,
            "links for one email in an hour",
        ),
        Variable::new(
            "EMAIL_ADDRESS_HOURLY",
            "address_hourly",
            Kind::Integer,
            "links for one client address (an IPv6 /64) in an hour",
        ),
        Variable::new(
            "EMAIL_DAILY_BUDGET",
            "daily_budget",
            Kind::Integer,
            "links in all in 24 hours; more are refused, and an error is logged",
        ),
    ];

    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        let is_set = self.smtp_url.is_some() || self.cloudron_server.is_some();
        let url = self.smtp_url.as_ref();
        let has_from = self.smtp_from.is_some() || !env.is_deployed();
        Checks::default()
            .require(
                "smtp_url",
                is_set,
                format!("required with EMAIL_ENABLED=true: expected {SMTP_URL}"),
            )
            .require(
                "smtp_url",
                self.folder().is_some() || url.is_none_or(smtp::is_url),
                format!("expected {SMTP_URL}"),
            )
            .require(
                "smtp_url",
                self.folder().is_none() || !env.is_deployed(),
                format!("expected {IN_A_FOLDER}"),
            )
            .require(
                "smtp_from",
                has_from,
                format!("required with EMAIL_ENABLED=true: expected {SMTP_FROM}"),
            )
            .require(
                "smtp_from",
                self.from().is_some(),
                format!("expected {SMTP_FROM}"),
            )
            .range("resend_seconds", self.resend_seconds, 0..=3600)
            .range("recipient_hourly", self.recipient_hourly, 1..=1000)
            .range("address_hourly", self.address_hourly, 1..=100_000)
            .range("daily_budget", self.daily_budget, 1..=1_000_000)
            .invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> EmailConfig {
        EmailConfig {
            smtp_url: Some("smtp://127.0.0.1:2525".into()),
            smtp_from: Some("halobestie <no-reply@halobestie.test>".into()),
            cloudron_server: None,
            cloudron_port: None,
            cloudron_username: None,
            cloudron_password: None,
            resend_seconds: 30,
            recipient_hourly: 5,
            address_hourly: 30,
            daily_budget: 5000,
        }
    }

    fn wrong_keys(config: &EmailConfig) -> Vec<&'static str> {
        let problems = config.validate(AppEnv::Production);
        problems.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn a_server_and_a_sender_are_required() {
        assert_eq!(wrong_keys(&config()), [""; 0]);
        let nothing = EmailConfig {
            smtp_url: None,
            smtp_from: None,
            ..config()
        };
        assert_eq!(wrong_keys(&nothing), ["smtp_url", "smtp_from"]);
        let on_a_laptop = nothing.validate(AppEnv::Development);
        assert_eq!(on_a_laptop.len(), 1, "the server alone: {on_a_laptop:?}");
        let on_cloudron = EmailConfig {
            smtp_url: None,
            cloudron_server: Some("mail".into()),
            ..config()
        };
        assert_eq!(wrong_keys(&on_cloudron), [""; 0]);
    }

    #[test]
    fn a_url_says_how_and_where_and_is_never_quoted() {
        for fine in [
            "smtps://user:secret@mail.example.org",
            "smtp://user:p%40ss@mail.example.org:587?tls=required",
            "smtp://mail:2525",
        ] {
            let config = EmailConfig {
                smtp_url: Some(fine.into()),
                ..config()
            };
            assert_eq!(wrong_keys(&config), [""; 0], "{fine}");
        }
        for wrong in [
            "mail.example.org",
            "https://user:secret@mail",
            "smtp://mail?tls=maybe",
        ] {
            let config = EmailConfig {
                smtp_url: Some(wrong.into()),
                ..config()
            };
            let problems = config.validate(AppEnv::Production);
            assert_eq!(problems.len(), 1, "{wrong}");
            assert!(!problems[0].message.contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn a_folder_takes_letters_on_a_developers_machine_alone() {
        let config = EmailConfig {
            smtp_url: Some("file:///tmp/letters".into()),
            ..config()
        };
        assert!(config.validate(AppEnv::Development).is_empty());
        assert!(config.validate(AppEnv::Test).is_empty());
        assert_eq!(config.validate(AppEnv::Staging).len(), 1);
        assert_eq!(wrong_keys(&config), ["smtp_url"]);
    }

    #[test]
    fn a_sender_is_an_address() {
        for wrong in ["halobestie", "no-reply@", "a@b\r\nBcc: c@d"] {
            let config = EmailConfig {
                smtp_from: Some(wrong.into()),
                ..config()
            };
            assert_eq!(wrong_keys(&config), ["smtp_from"], "{wrong}");
        }
    }
}
