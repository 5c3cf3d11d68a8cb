//! The way of one message: through the gate, over the wire, and what is known afterwards.
//!
//! A second try is made only when no connection could be made at all: then not a byte of the first
//! went out. Fazpass takes no reference by which it could tell a repeated message, so after the first
//! byte there is no second try, whatever happens.

use std::time::Duration;

use async_trait::async_trait;
use halobestie_core::http::exchange::RequestId;
use halobestie_core::http::layers::request_id::X_REQUEST_ID;
use halobestie_core::outbound::reqwest::header::RETRY_AFTER;
use halobestie_core::outbound::{self, reqwest};
use halobestie_core::ports::{CodeCarrier, CodeMessage, NotCarried};
use halobestie_core::{BoxError, Context};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::config::FazpassConfig;
use crate::gate::Gate;
use crate::meters::Meters;
use crate::wire::{self, Answer, Meaning, Send};

/// An answer of Fazpass is a few hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// When to try again after nobody was there.
const AWAY_RETRY: Duration = Duration::from_secs(5);

/// Carries codes through Fazpass.
pub(crate) struct Carrier {
    client: reqwest::Client,
    base_url: String,
    merchant_key: SecretString,
    gateway_key: SecretString,
    gate: Gate,
    meters: Meters,
}

impl Carrier {
    /// A carrier; touches nothing outside.
    ///
    /// # Errors
    /// Without its keys, which the configuration's own check has refused.
    pub(crate) fn new(config: &FazpassConfig, cx: &Context) -> Result<Self, BoxError> {
        let merchant_key = config.merchant_key.clone();
        let gateway_key = config.gateway_key.clone();
        Ok(Self {
            client: outbound::client(config.deadlines())?,
            base_url: config.base_url.trim_end_matches('/').to_owned(),
            merchant_key: merchant_key.ok_or("FAZPASS_MERCHANT_KEY is not set")?,
            gateway_key: gateway_key.ok_or("FAZPASS_GATEWAY_KEY is not set")?,
            gate: Gate::new(cx.clock.clone()),
            meters: Meters::new(&cx.metrics),
        })
    }

    /// Whether calls are being made.
    pub(crate) fn is_open(&self) -> bool {
        self.gate.is_open()
    }

    /// Where Fazpass is, for people.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Makes one call and reads its answer in full.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub(crate) async fn call<B: Serialize>(
        &self,
        path: &str,
        body: &B,
        request_id: Option<&RequestId>,
    ) -> Result<Answer, CallFailed> {
        let _timer = self.meters.start();
        let body = serde_json::to_vec(body).map_err(CallFailed::unsent)?;
        let mut request = self
            .client
            .post(format!("{}{path}", self.base_url))
            .bearer_auth(self.merchant_key.expose_secret())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .header(reqwest::header::ACCEPT, "application/json")
            .body(body);
        if let Some(id) = request_id {
            request = request.header(X_REQUEST_ID, id.header());
        }
        let response = request.send().await.map_err(CallFailed::from)?;
        read(response).await
    }

    async fn send(&self, message: CodeMessage<'_>) -> Result<Answer, CallFailed> {
        let body = Send {
            phone: wire::phone(message.phone),
            otp: message.code.expose_secret(),
            gateway_key: self.gateway_key.expose_secret(),
        };
        let first = self.call("/send", &body, message.request_id).await;
        if !matches!(first, Err(CallFailed::Unsent(_))) {
            return first;
        }
        let second = self.call("/send", &body, message.request_id).await;
        let connected = !matches!(second, Err(CallFailed::Unsent(_)));
        self.meters.count_reconnect(connected);
        second
    }

    async fn carry_counted(&self, message: CodeMessage<'_>) -> Result<(), NotCarried> {
        let pass = self
            .gate
            .enter()
            .map_err(|closed| NotCarried::Unavailable {
                retry_after: closed.retry_after(),
                source: closed.into(),
            })?;
        match self.send(message).await {
            Ok(answer) => {
                let meaning = answer.meaning();
                match meaning {
                    Meaning::Unclear(_) => pass.failed(),
                    _ => pass.answered(),
                }
                of_meaning(meaning)
            }
            Err(CallFailed::Unsent(source)) => {
                pass.failed();
                let retry_after = AWAY_RETRY;
                Err(NotCarried::Unavailable {
                    retry_after,
                    source,
                })
            }
            Err(CallFailed::Lost(source)) => {
                pass.failed();
                Err(NotCarried::Unknown(source))
            }
        }
    }
}

#[async_trait]
impl CodeCarrier for Carrier {
    fn channel(&self) -> &'static str {
        "fazpass"
    }

    async fn carry(&self, message: CodeMessage<'_>) -> Result<(), NotCarried> {
        let outcome = self.carry_counted(message).await;
        self.meters.count(&outcome);
        outcome
    }
}

/// A call without a complete answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallFailed {
    /// No connection: not a byte went out.
    #[error("cannot connect to Fazpass")]
    Unsent(#[source] BoxError),
    /// The call may have arrived.
    #[error("no complete answer from Fazpass")]
    Lost(#[source] BoxError),
}

impl CallFailed {
    fn unsent(error: impl Into<BoxError>) -> Self {
        Self::Unsent(error.into())
    }
}

impl From<reqwest::Error> for CallFailed {
    fn from(error: reqwest::Error) -> Self {
        // A request that could not even be built went nowhere either.
        let is_unsent = error.is_connect() || error.is_builder();
        // The address is configuration, and no line needs it twice.
        let error = error.without_url();
        if is_unsent {
            Self::Unsent(error.into())
        } else {
            Self::Lost(error.into())
        }
    }
}

async fn read(mut response: reqwest::Response) -> Result<Answer, CallFailed> {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    // What is longer than an answer of Fazpass is cut off, and will not be understood.
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_BYTES_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break;
        }
    }
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

fn of_meaning(meaning: Meaning) -> Result<(), NotCarried> {
    match meaning {
        Meaning::Sent => Ok(()),
        Meaning::Refused(words) => Err(NotCarried::Refused(said(&words))),
        Meaning::Busy(retry_after) => Err(NotCarried::Unavailable {
            retry_after,
            source: said("too many calls"),
        }),
        Meaning::Unclear(words) => Err(NotCarried::Unknown(said(&words))),
    }
}

fn said(words: &str) -> BoxError {
    format!("Fazpass answered {words}").into()
}
