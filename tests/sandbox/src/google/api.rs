//! Where a call to Google goes, and what is remembered between calls.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::timestamp::Timestamp;
use http::Method;

use super::device::Push;
use super::errors::{not_found, send_error, token_error};
use super::grant::USUAL_LIFE;
use super::{SEND_CODES, TOKEN_CODES};
use crate::ring::{Kept, Ring};
use crate::upstream::{Answer, Call, Upstream};

/// Access tokens that are remembered.
const ACCESS_TOKENS_MAX: usize = 1_000;
/// Devices that may misbehave at once.
const MISBEHAVING_MAX: usize = 20_000;

/// The upstream.
pub(crate) struct Api {
    pub(super) project_id: String,
    pub(super) token_uri: String,
    pub(super) clock: Clock,
    entropy: Entropy,
    state: Mutex<State>,
}

struct State {
    access_tokens: Ring<AccessToken>,
    access_token_life: Duration,
    key_exists: bool,
    pushes: Ring<Push>,
    validated: u64,
    misbehaving: HashMap<String, Misbehaviour>,
}

/// A code of sending, and how long it asks to wait.
pub(super) type Misbehaviour = (String, Option<Duration>);

pub(super) struct AccessToken {
    pub(super) value: String,
    pub(super) expires: Timestamp,
}

impl Kept for AccessToken {
    fn id(&self) -> &str {
        &self.value
    }
}

impl Api {
    /// `origin`: where it will listen.
    pub(crate) fn new(
        project_id: &str,
        origin: &str,
        (clock, entropy): (Clock, Entropy),
        keep: usize,
    ) -> Self {
        Self {
            project_id: project_id.to_owned(),
            token_uri: format!("{origin}/token"),
            clock,
            entropy,
            state: Mutex::new(State {
                access_tokens: Ring::new(ACCESS_TOKENS_MAX),
                access_token_life: USUAL_LIFE,
                key_exists: true,
                pushes: Ring::new(keep),
                validated: 0,
                misbehaving: HashMap::new(),
            }),
        }
    }

    /// Whether an access token is one of ours and still lives.
    pub(super) fn opens(&self, token: &str) -> bool {
        let now = self.clock.now();
        let state = self.state();
        let known = state.access_tokens.get(token);
        known.is_some_and(|it| now < it.expires)
    }

    pub(super) fn give_out(&self, token: AccessToken) -> String {
        let value = token.value.clone();
        self.state().access_tokens.push(token);
        value
    }

    pub(super) fn forget_access_tokens(&self) {
        self.state().access_tokens = Ring::new(ACCESS_TOKENS_MAX);
    }

    pub(super) fn access_token_life(&self) -> Duration {
        self.state().access_token_life
    }

    pub(super) fn set_access_token_life(&self, life: Duration) {
        self.state().access_token_life = life;
    }

    pub(super) fn key_exists(&self) -> bool {
        self.state().key_exists
    }

    pub(super) fn set_key_exists(&self, exists: bool) {
        self.state().key_exists = exists;
    }

    pub(super) fn keep(&self, push: Push) {
        self.state().pushes.push(push);
    }

    pub(super) fn pushes(&self) -> Vec<Push> {
        self.state().pushes.iter().cloned().collect()
    }

    pub(super) fn accepted(&self) -> u64 {
        self.state().pushes.total()
    }

    pub(super) fn count_validated(&self) {
        self.state().validated += 1;
    }

    pub(super) fn validated(&self) -> u64 {
        self.state().validated
    }

    pub(super) fn misbehaviour(&self, token: &str) -> Option<Misbehaviour> {
        self.state().misbehaving.get(token).cloned()
    }

    pub(super) fn misbehave(&self, token: &str, how: Option<(&str, Option<Duration>)>) {
        let mut state = self.state();
        match how {
            None => {
                state.misbehaving.remove(token);
            }
            Some((code, wait)) if state.misbehaving.len() < MISBEHAVING_MAX => {
                let how = (code.to_owned(), wait);
                state.misbehaving.insert(token.to_owned(), how);
            }
            Some(_) => {}
        }
    }

    pub(super) fn random_text(&self) -> String {
        let bytes: [u8; 16] = self.entropy.bytes();
        bytes.iter().map(|it| format!("{it:02x}")).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream for Api {
    fn operation(&self, call: &Call) -> &'static str {
        let post = call.method == Method::POST;
        match call.segments().as_slice() {
            ["token"] if post => "token",
            ["v1", "projects", _, "messages:send"] if post => "send",
            _ => "unknown",
        }
    }

    async fn answer(&self, operation: &'static str, call: &Call) -> Answer {
        let outcome = match operation {
            "token" => self.grant(call),
            "send" => self.send(call),
            _ => Err(not_found()),
        };
        outcome.unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, code: &str, retry_after: Option<Duration>) -> Answer {
        if SEND_CODES.contains(&code) {
            send_error(code, retry_after)
        } else {
            token_error(code, "as the sandbox was told")
        }
    }

    fn can_end(operation: &str, code: &str) -> bool {
        match operation {
            "token" => TOKEN_CODES.contains(&code),
            "send" => SEND_CODES.contains(&code),
            _ => false,
        }
    }
}
