//! Google: the token endpoint of OAuth, and FCM's HTTP v1.
//!
//! A service account of the sandbox's own signs assertions (RS256) for `<url>/token`, whose tokens open
//! `<url>/v1/projects/{project}/messages:send`. JSON is read as Google reads it: `collapse_key` and
//! `collapseKey` are one, null is absent, and what is not in the schema is refused.
//!
//! Any well-formed registration token is a device that works, until [`Google::device_fails`] says
//! otherwise.

mod account;
mod api;
mod device;
mod errors;
mod grant;
mod message;
mod rules;
mod send;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use device::Push;

pub(crate) use api::Api;

use crate::knobs::{Fault, Knobs};
use crate::upstream::{Front, RecordedCall};

/// The error codes of sending that [`Knobs::fail_next`] takes, after the codes of FCM. `INVALID_TOKEN`
/// is `INVALID_ARGUMENT` with the words that are about the registration token; `UNAUTHENTICATED` and
/// `PERMISSION_DENIED` are about the caller and carry no code of FCM.
pub const SEND_CODES: &[&str] = &[
    "UNREGISTERED",
    "INVALID_ARGUMENT",
    "INVALID_TOKEN",
    "SENDER_ID_MISMATCH",
    "THIRD_PARTY_AUTH_ERROR",
    "QUOTA_EXCEEDED",
    "UNAVAILABLE",
    "INTERNAL",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
];

/// The error codes of the token endpoint that [`Knobs::fail_next`] takes.
pub const TOKEN_CODES: &[&str] = &[
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "unauthorized_client",
    "internal_failure",
    "temporarily_unavailable",
];

/// All of them. A code strikes the calls that can end so, and lets the others pass.
pub const CODES: &[&str] = &[
    "UNREGISTERED",
    "INVALID_ARGUMENT",
    "INVALID_TOKEN",
    "SENDER_ID_MISMATCH",
    "THIRD_PARTY_AUTH_ERROR",
    "QUOTA_EXCEEDED",
    "UNAVAILABLE",
    "INTERNAL",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "unauthorized_client",
    "internal_failure",
    "temporarily_unavailable",
];

/// The operations that knobs and recorded calls name; what is none of them is `unknown`.
pub const OPERATIONS: &[&str] = &["token", "send"];

/// The Google of a sandbox. Clones speak of the same one.
#[derive(Clone)]
pub struct Google {
    front: Arc<Front<Api>>,
    /// What can be made to go wrong.
    pub knobs: Knobs,
}

impl Google {
    pub(crate) fn new(front: Arc<Front<Api>>) -> Self {
        let knobs = front.knobs.clone();
        Self { front, knobs }
    }

    /// What stands in place of `https://fcm.googleapis.com`.
    pub fn base_url(&self) -> String {
        self.front.origin()
    }

    /// What stands in place of `https://oauth2.googleapis.com/token`; the service account names it.
    pub fn token_uri(&self) -> String {
        self.api().token_uri.clone()
    }

    /// The Firebase project.
    pub fn project_id(&self) -> &str {
        &self.api().project_id
    }

    /// The service account's file, as Google gives it out. The first call in a process makes the key,
    /// which takes a moment.
    pub fn service_account(&self) -> String {
        account::file(self.project_id(), &self.token_uri())
    }

    /// Writes the service account's file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_service_account(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, self.service_account())
    }

    /// The environment that points a server here, given where the service account's file was written.
    pub fn variables(&self, service_account: &Path) -> Vec<(&'static str, String)> {
        let path = service_account.display().to_string();
        vec![
            ("FCM_ENABLED", "true".to_owned()),
            ("FCM_BASE_URL", self.base_url()),
            ("FIREBASE_SERVICE_ACCOUNT_PATH", path),
        ]
    }

    /// A well-formed registration token for a device of this name, always the same.
    pub fn device(&self, name: &str) -> String {
        device::registration_token(name)
    }

    /// From now on sending to this token ends with this code of [`SEND_CODES`].
    ///
    /// # Panics
    /// When there is no such code.
    #[track_caller]
    pub fn device_fails(&self, token: &str, code: &str) {
        self.device_fails_for(token, code, None);
    }

    /// The same, with a `Retry-After`.
    ///
    /// # Panics
    /// When there is no such code.
    #[track_caller]
    pub fn device_fails_for(&self, token: &str, code: &str, retry_after: Option<Duration>) {
        assert!(SEND_CODES.contains(&code), "FCM never says {code}");
        self.api().misbehave(token, Some((code, retry_after)));
    }

    /// From now on the token works.
    pub fn device_works(&self, token: &str) {
        self.api().misbehave(token, None);
    }

    /// The next `times` sends fail with this code, whatever their token.
    #[track_caller]
    pub fn fail_sends(&self, times: u32, code: &str, retry_after: Option<Duration>) {
        let fault = match retry_after {
            Some(wait) => Fault::error_for(code, wait),
            None => Fault::error(code),
        };
        self.knobs.strike(Some("send"), times, fault);
    }

    /// All that was accepted for devices, oldest first. `validate_only` leaves nothing.
    pub fn pushes(&self) -> Vec<Push> {
        self.api().pushes()
    }

    /// What one device got, oldest first.
    pub fn pushes_to(&self, token: &str) -> Vec<Push> {
        let mut pushes = self.pushes();
        pushes.retain(|it| it.target == token);
        pushes
    }

    /// How many were accepted since the start, those included that are no longer kept.
    pub fn accepted(&self) -> u64 {
        self.api().accepted()
    }

    /// How many sends were seen with `validate_only` and found good.
    pub fn validated(&self) -> u64 {
        self.api().validated()
    }

    /// Access tokens of no use from now on: the next send with one is a 401.
    pub fn forget_access_tokens(&self) {
        self.api().forget_access_tokens();
    }

    /// How long access tokens given out from now on live.
    pub fn set_access_token_life(&self, life: Duration) {
        self.api().set_access_token_life(life);
    }

    /// Whether the service account's key exists: somebody may delete it in the console.
    pub fn set_key_exists(&self, exists: bool) {
        self.api().set_key_exists(exists);
    }

    /// The calls that came in, refused ones included, oldest first.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.front.calls()
    }

    fn api(&self) -> &Api {
        &self.front.upstream
    }
}
