//! Who brings a one-time code to its phone.
//!
//! The code is made, kept and checked by whoever signs people in; a carrier only brings it. What it
//! says about a message that was not brought decides who pays: "surely not sent" costs the phone
//! nothing, "nobody knows" counts as sent, so that lost answers never add up to a flood.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::http::exchange::RequestId;
use crate::problem::BoxError;

/// A one-time code on its way. Neither the phone nor the code may be logged.
#[derive(Clone, Copy)]
pub struct CodeMessage<'a> {
    /// The phone, E.164.
    pub phone: &'a str,
    /// What the person will type.
    pub code: &'a SecretString,
    /// The request that asked for it, to be sent on.
    pub request_id: Option<&'a RequestId>,
}

/// Why a code was not brought. No text in it names the phone or the code.
#[derive(Debug, thiserror::Error)]
pub enum NotCarried {
    /// The carrier says no to this message: surely nothing was sent.
    #[error("the carrier refuses the message")]
    Refused(#[source] BoxError),
    /// The carrier takes no message now: surely nothing was sent.
    #[error("the carrier takes no message now")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The answer was lost: it may have been sent.
    #[error("nobody knows whether the carrier has sent the message")]
    Unknown(#[source] BoxError),
}

/// Brings one-time codes to phones.
#[async_trait]
pub trait CodeCarrier: Send + Sync {
    /// How its codes travel, as clients are told: `fazpass`.
    fn channel(&self) -> &'static str;

    /// Brings a code, within a deadline of the carrier's own. Sends at most one message, whatever
    /// happens.
    ///
    /// # Errors
    /// What is known of the message.
    async fn carry(&self, message: CodeMessage<'_>) -> Result<(), NotCarried>;
}
