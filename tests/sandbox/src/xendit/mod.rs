//! Xendit: invoices, refunds, and the webhooks that tell of them.
//!
//! Base `<url>`, Basic authorization by the secret key with an empty password. The account is for
//! rupiah alone. An invoice is paid on its `invoice_url`, a page of this sandbox, or by
//! [`Xendit::pay`] and its sisters. `external_id` need not be unique: whoever creates twice has two
//! payable links.
//!
//! Webhooks go to [`Xendit::set_webhook_url`] with `x-callback-token` and `webhook-id`, by the vendor's
//! timetable (15 min, 1, 3, 6, 12 and 24 h) divided by [`Delivery::speed`]. One that timed out is not
//! sent again by itself.

mod api;
mod bodies;
mod book;
mod channel;
mod courier;
mod invoice;
mod invoices;
mod post;
mod rate;
mod refund;
mod refunds;
mod till;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

pub use book::Unable;
pub use channel::Channel;
pub use invoice::{Invoice, Payment};
pub use refund::Refund;
pub use webhook::{Attempt, Forged, Outcome, State, Webhook};

pub(crate) use api::Api;
pub(crate) use courier::Courier;
pub(crate) use post::Post;

use crate::knobs::Knobs;
use crate::upstream::{Front, RecordedCall};

/// The error codes that [`Knobs::fail_next`] takes.
pub const CODES: &[&str] = &[
    "API_VALIDATION_ERROR",
    "MINIMAL_TRANSFER_AMOUNT_ERROR",
    "REFUND_AMOUNT_EXCEEDED",
    "REFUND_IN_PROGRESS",
    "INELIGIBLE_TRANSACTION_STATUS",
    "INSUFFICIENT_BALANCE",
    "PARTIAL_REFUND_COUNTS_EXCEEDED",
    "TEMPORARILY_UNAVAILABLE",
    "INVALID_VALUE_ERROR",
    "INVALID_API_KEY",
    "REQUEST_FORBIDDEN_ERROR",
    "UNAUTHORIZED_SENDER_IP",
    "REFUND_NOT_SUPPORTED",
    "PARTIAL_REFUND_NOT_SUPPORTED",
    "INVALID_MERCHANT_SETTINGS",
    "INVOICE_NOT_FOUND_ERROR",
    "DATA_NOT_FOUND",
    "DUPLICATE_ERROR",
    "RATE_LIMIT_EXCEEDED",
    "SERVER_ERROR",
    "CHANNEL_UNAVAILABLE",
];

/// The operations that knobs and recorded calls name; what is none of them is `unknown`.
pub const OPERATIONS: &[&str] = &[
    "invoices.create",
    "invoices.get",
    "invoices.list",
    "invoices.expire",
    "refunds.create",
    "refunds.get",
    "refunds.list",
    "refunds.cancel",
];

const TEST_KEY: &str = "xnd_development_";
const LIVE_KEY: &str = "xnd_production_";

/// What opens Xendit to a caller.
#[derive(Clone, Debug)]
pub struct Account {
    /// The secret key: `xnd_development_…` or `xnd_production_…`.
    pub secret_key: String,
    /// Calls a minute to each endpoint. None: 60 with a test key and 600 with a live one, as theirs.
    pub calls_per_minute: Option<usize>,
    /// How webhooks are delivered.
    pub delivery: Delivery,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            secret_key: format!("{TEST_KEY}sandbox"),
            calls_per_minute: None,
            delivery: Delivery::default(),
        }
    }
}

impl Account {
    fn calls_per_minute(&self) -> usize {
        let usual = if self.secret_key.starts_with(LIVE_KEY) {
            600
        } else {
            60
        };
        self.calls_per_minute.unwrap_or(usual)
    }

    /// Whether its key is of a shape that Xendit gives.
    pub(crate) fn has_key_of_their_shape(&self) -> bool {
        let secret = |prefix| self.secret_key.strip_prefix(prefix);
        let rest = secret(TEST_KEY).or_else(|| secret(LIVE_KEY));
        rest.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_graphic()))
    }
}

/// How webhooks are delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where to; several take turns, as replicas behind a balancer do. None: nothing is sent.
    pub urls: Vec<String>,
    /// `x-callback-token`.
    pub token: String,
    /// Whether a `webhook-id` goes along.
    pub with_id: bool,
    /// How long the receiver may take.
    pub timeout: Duration,
    /// How much faster than in reality a webhook is sent again: at 10 000, 15 minutes are 90 ms.
    pub speed: f64,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            token: "sandbox-callback-token".to_owned(),
            with_id: true,
            timeout: Duration::from_secs(30),
            speed: 10_000.0,
        }
    }
}

/// The Xendit of a sandbox. Clones speak of the same one.
#[derive(Clone)]
pub struct Xendit {
    front: Arc<Front<Api>>,
    /// What can be made to go wrong.
    pub knobs: Knobs,
}

impl Xendit {
    pub(crate) fn new(front: Arc<Front<Api>>) -> Self {
        let knobs = front.knobs.clone();
        Self { front, knobs }
    }

    /// What stands in place of `https://api.xendit.co`.
    pub fn base_url(&self) -> String {
        self.front.origin()
    }

    /// The secret key that it takes.
    pub fn secret_key(&self) -> &str {
        &self.api().account.secret_key
    }

    /// The token that its webhooks carry.
    pub fn webhook_token(&self) -> String {
        self.courier().token()
    }

    /// The environment that points a server here. The other way round is
    /// [`Xendit::set_webhook_url`].
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("XENDIT_ENABLED", "true".to_owned()),
            ("XENDIT_BASE_URL", self.base_url()),
            ("XENDIT_SECRET_KEY", self.secret_key().to_owned()),
            ("XENDIT_WEBHOOK_TOKEN", self.webhook_token()),
        ]
    }

    /// How many calls a minute each endpoint takes from now on.
    pub fn set_rate_limit(&self, calls_per_minute: usize) {
        self.api()
            .with_book(|book, _| book.rate.set(calls_per_minute));
    }

    /// The calls that came in, refused ones included, oldest first.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.front.calls()
    }

    /// Does what happens by itself, until the lifecycle ends: expiries and deliveries.
    pub(crate) async fn live(self) {
        tokio::join!(self.api().watch_expiries(), self.courier().run());
    }

    fn api(&self) -> &Api {
        &self.front.upstream
    }

    fn courier(&self) -> &Courier {
        &self.api().courier
    }
}
