//! The way to FCM: one HTTP/2 connection for the process, a bounded number of streams on it, one access
//! token for all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::outbound::reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use halobestie_core::outbound::{self, reqwest};
use halobestie_core::{BoxError, Context};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::access::{Access, NoAccess, Tokens};
use crate::account::Account;
use crate::body;
use crate::brake::Brake;
use crate::config::FcmConfig;
use crate::meters::Meters;
use crate::wire::{self, Answer, Meaning};

/// More streams at once, and Google says GOAWAY.
const STREAMS_MAX: usize = 100;

/// Why FCM has not taken a push.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsent {
    /// No call was made: FCM turns all of them away.
    #[error("calls to FCM are held back for {} ms", .0.as_millis())]
    Held(Duration),
    /// No call was made: we have no access token.
    #[error(transparent)]
    NoAccess(#[from] NoAccess),
    /// No answer: it may have arrived.
    #[error("no complete answer of FCM")]
    NoAnswer(#[source] BoxError),
    /// An answer that is not a yes.
    #[error("FCM answers {}", .0.words)]
    Refused(Answer),
}

/// The way to FCM.
pub(crate) struct Gateway {
    client: reqwest::Client,
    send_url: String,
    project_id: String,
    tokens: Tokens,
    streams: Semaphore,
    brake: Mutex<Brake>,
    clock: Clock,
    meters: Arc<Meters>,
}

impl Gateway {
    /// Touches nothing outside.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(
        config: &FcmConfig,
        account: Account,
        meters: Arc<Meters>,
        cx: &Context,
    ) -> Result<Self, BoxError> {
        let project_id = account.project_id.clone();
        let base_url = config.base_url.trim_end_matches('/');
        // Google's token endpoint is another host, called once an hour.
        let for_tokens = outbound::client(config.deadlines())?;
        let (account, clock) = (Arc::new(account), cx.clock.clone());
        Ok(Self {
            client: outbound::client_http2(config.deadlines())?,
            send_url: format!("{base_url}/v1/projects/{project_id}/messages:send"),
            project_id,
            tokens: Tokens::new(for_tokens, account, clock.clone(), meters.clone()),
            streams: Semaphore::new(STREAMS_MAX),
            brake: Mutex::default(),
            clock,
            meters,
        })
    }

    /// The Firebase project.
    pub(crate) fn project_id(&self) -> &str {
        &self.project_id
    }

    /// Whether FCM has turned away one call after another, and none has succeeded since.
    pub(crate) fn is_turned_away(&self) -> bool {
        self.brake().is_pulled()
    }

    /// Asks Google for an access token, though there may be one.
    ///
    /// # Errors
    /// When Google gives none.
    pub(crate) async fn try_access(&self) -> Result<(), NoAccess> {
        self.tokens.exchange().await.map(|_| ())
    }

    /// Sends a message. An access token that is not taken is replaced once.
    ///
    /// # Errors
    /// See [`Unsent`].
    pub(crate) async fn send(&self, message: &Value) -> Result<(), Unsent> {
        // Never closed, so there is always one to be had.
        let _stream = self.streams.acquire().await;
        if let Some(wait) = self.brake().holds(self.clock.now()) {
            return Err(Unsent::Held(wait));
        }
        let body = message.to_string();
        let access = self.access().await?;
        let mut answer = self.call(&access, &body).await;
        if matches!(&answer, Ok(it) if it.meaning == Meaning::AccessRefused) {
            let access = self.tokens.replace(&access).await;
            let access = access.inspect_err(|_| self.meters.count_failed("NO_ACCESS"))?;
            answer = self.call(&access, &body).await;
        }
        self.judge(answer)
    }

    async fn access(&self) -> Result<Access, NoAccess> {
        let access = self.tokens.get().await;
        access.inspect_err(|_| self.meters.count_failed("NO_ACCESS"))
    }

    async fn call(&self, access: &Access, body: &str) -> Result<Answer, BoxError> {
        let _timer = self.meters.start();
        let answer = self.answer(access, body).await;
        match &answer {
            Ok(answer) if answer.meaning == Meaning::Sent => {}
            Ok(answer) => self.meters.count_failed(answer.code),
            Err(_) => self.meters.count_failed("NO_ANSWER"),
        }
        // The address is configuration, and no line needs it twice.
        answer.map_err(|error| error.without_url().into())
    }

    async fn answer(&self, access: &Access, body: &str) -> Result<Answer, reqwest::Error> {
        let request = self
            .client
            .post(&self.send_url)
            .bearer_auth(access.token())
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        let mut response = request.send().await?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).cloned();
        let retry_after = retry_after.as_ref().and_then(|it| it.to_str().ok());
        let body = body::read(&mut response).await?;
        Ok(wire::read(status, retry_after, &body))
    }

    fn judge(&self, answer: Result<Answer, BoxError>) -> Result<(), Unsent> {
        let wait = match &answer {
            Ok(answer) => match &answer.meaning {
                Meaning::Busy(wait) => *wait,
                // Whatever it says, it answers.
                _ => {
                    self.brake().release();
                    return match answer.meaning {
                        Meaning::Sent => Ok(()),
                        _ => Err(Unsent::Refused(answer.clone())),
                    };
                }
            },
            Err(_) => None,
        };
        if self.brake().refuse(wait, self.clock.now()) {
            self.meters.count_held();
        }
        Err(match answer {
            Ok(answer) => Unsent::Refused(answer),
            Err(error) => Unsent::NoAnswer(error),
        })
    }

    fn brake(&self) -> MutexGuard<'_, Brake> {
        self.brake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
