//! The server that takes our mail: one connection a letter, each step with a deadline. On a developer's
//! machine a folder may stand in for it.
//!
//! What a server says about a letter often names its recipient, so only the number of its answer is
//! told on.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::doctor::{Examination, Finding};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error as SmtpError};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use crate::config::EmailConfig;
use crate::folder::Folder;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Of each step of the conversation.
const STEP_DEADLINE: Duration = Duration::from_secs(10);
/// Of the whole.
const DEADLINE: Duration = Duration::from_secs(30);
/// Where plain SMTP is spoken inside of a Cloudron.
const CLOUDRON_PORT: u16 = 2525;

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The server says no, and would again.
    #[error("the mail server refuses the letter with {0}")]
    Refused(u16),
    /// The server says not now.
    #[error("the mail server takes no letter now, it says {0}")]
    NotNow(u16),
    /// No answer in time.
    #[error("the mail server does not answer in time")]
    Deadline,
    /// It could not be written.
    #[error("cannot write the letter")]
    NoLetter(#[source] lettre::error::Error),
    /// Nor kept as a file.
    #[error("cannot keep the letter in its folder")]
    NotKept(#[from] std::io::Error),
    /// No conversation: no connection, no TLS, a wrong password, or nonsense.
    #[error("cannot speak with the mail server")]
    Broken(#[source] SmtpError),
}

impl NotTaken {
    /// Whether the same letter might be taken later.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::NoLetter(_))
    }
}

impl From<SmtpError> for NotTaken {
    fn from(error: SmtpError) -> Self {
        match error.status().map(u16::from) {
            Some(code) if error.is_permanent() => Self::Refused(code),
            Some(code) => Self::NotNow(code),
            None if error.is_timeout() => Self::Deadline,
            None => Self::Broken(error),
        }
    }
}

/// The way out.
enum Outlet {
    Server(Transport),
    /// A developer's machine has no mail server.
    Folder(Folder),
}

/// What letters are written by, and where they go.
pub(crate) struct Smtp {
    outlet: Outlet,
    /// What the server is called.
    pub(crate) product: &'static str,
    pub(crate) from: Mailbox,
    /// Our own name: what links lead to.
    pub(crate) public_base_url: String,
}

/// Whether a text is a URL that we know what to do with.
pub(crate) fn is_url(url: &SecretString) -> bool {
    Transport::from_url(url.expose_secret()).is_ok()
}

impl Smtp {
    /// Connects nowhere yet.
    ///
    /// # Errors
    /// When the configuration is not complete, which its own check has refused.
    pub(crate) fn new(
        config: &EmailConfig,
        public_base_url: &str,
        product: &'static str,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            outlet: outlet(config, public_base_url)?,
            product,
            from: config.from().ok_or("SMTP_FROM is no address")?,
            public_base_url: public_base_url.to_owned(),
        })
    }

    /// Hands the letter of this id over. Once the deadline has passed nobody knows whether it was taken.
    ///
    /// # Errors
    /// Why it was not taken.
    pub(crate) async fn send(&self, message: Message, id: Uuid) -> Result<(), NotTaken> {
        match &self.outlet {
            Outlet::Folder(folder) => Ok(folder.keep(&message, id).await?),
            Outlet::Server(transport) => {
                let sent = timeout(DEADLINE, transport.send(message));
                sent.await.map_err(|_| NotTaken::Deadline)??;
                Ok(())
            }
        }
    }

    async fn examine(&self) -> Finding {
        const ADVICE: &str = "check host, port, TLS, user and password in SMTP_URL; until then nobody can \
                              sign in by email";
        let transport = match &self.outlet {
            Outlet::Folder(_) => {
                return Finding::ok("letters are kept as files, and sent to nobody");
            }
            Outlet::Server(transport) => transport,
        };
        match greet(transport).await {
            Ok(true) => Finding::ok("takes our mail (greeted and signed in; nothing was sent)"),
            Ok(false) => Finding::problem("broke off after signing in", ADVICE),
            Err(error) => Finding::problem(halobestie_core::doctor::with_causes(&error), ADVICE),
        }
    }
}

async fn greet(transport: &Transport) -> Result<bool, NotTaken> {
    let greeted = timeout(STEP_DEADLINE, transport.test_connection());
    Ok(greeted.await.map_err(|_| NotTaken::Deadline)??)
}

fn outlet(config: &EmailConfig, public_base_url: &str) -> Result<Outlet, BoxError> {
    if let Some(folder) = config.folder() {
        return Ok(Outlet::Folder(folder));
    }
    let builder = builder(config)?.timeout(Some(STEP_DEADLINE));
    let builder = match domain_of(public_base_url) {
        Some(domain) if !names_us(config) => {
            builder.hello_name(ClientId::Domain(domain.to_owned()))
        }
        _ => builder,
    };
    Ok(Outlet::Server(builder.build()))
}

/// What the doctor looks at: greets and signs in, and sends nothing.
pub(crate) fn examination(smtp: Arc<Smtp>) -> Examination {
    let look = move || {
        let smtp = smtp.clone();
        async move { smtp.examine().await }
    };
    Examination::new("smtp", "the server that takes our mail", look)
        .within(STEP_DEADLINE + Duration::from_secs(1))
}

fn builder(config: &EmailConfig) -> Result<AsyncSmtpTransportBuilder, BoxError> {
    if let Some(url) = &config.smtp_url {
        return Ok(Transport::from_url(url.expose_secret())?);
    }
    let server = config.cloudron_server.as_deref();
    let server = server.ok_or("SMTP_URL is not set")?;
    // Its TLS port has a certificate of its own making under another name; the plain one is meant for
    // apps, and does not leave the platform's network.
    let port = config.cloudron_port.unwrap_or(CLOUDRON_PORT);
    let builder = Transport::builder_dangerous(server).port(port);
    let (user, password) = (&config.cloudron_username, &config.cloudron_password);
    Ok(match user.clone().zip(password.as_ref()) {
        Some((user, password)) => {
            let password = password.expose_secret().to_owned();
            builder.credentials(Credentials::new(user, password))
        }
        None => builder,
    })
}

/// Whether the URL has a name for us in its path.
fn names_us(config: &EmailConfig) -> bool {
    let url = config.smtp_url.as_ref().map(ExposeSecret::expose_secret);
    let rest = url
        .and_then(|url| url.split_once("://"))
        .map(|(_, rest)| rest);
    let path = rest.and_then(|rest| rest.split_once('/'));
    path.is_some_and(|(_, path)| !path.trim_matches('/').is_empty())
}

/// Warns of a password that goes over a network in the open.
pub(crate) fn warn_of_plain_text(config: &EmailConfig) {
    let url = config.smtp_url.as_ref().map(ExposeSecret::expose_secret);
    if url
        .is_some_and(|url| url.starts_with("smtp://") && url.contains('@') && !url.contains("tls="))
    {
        warn!("SMTP_URL sends its password without TLS: use smtps:// or ?tls=required");
    }
}

/// The host's name in a URL; an address is no name.
pub(crate) fn domain_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':', '?']).next()?;
    let is_name = host.contains(|it: char| it.is_ascii_alphabetic()) && !host.starts_with('[');
    is_name.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_name_is_that_of_the_public_address() {
        assert_eq!(
            domain_of("https://halobestie.test"),
            Some("halobestie.test")
        );
        assert_eq!(domain_of("http://localhost:3000"), Some("localhost"));
        assert_eq!(domain_of("http://127.0.0.1:3000"), None);
        assert_eq!(domain_of("http://[::1]:3000"), None);
    }
}
