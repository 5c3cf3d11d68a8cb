//! What can be done to invoices, refunds and webhooks from outside, by a button or by JSON.

use serde::Deserialize;

use super::Site;
use crate::xendit::{Channel, Outcome, Unable};

/// On an invoice.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OnInvoice {
    Pay {
        #[serde(default)]
        channel: Option<Channel>,
    },
    PayLate {},
    PayTwice {},
    /// Without an amount: a thousand too little.
    PayWrongAmount {
        #[serde(default)]
        amount: Option<i64>,
    },
    /// Without an amount: half.
    Partial {
        #[serde(default)]
        amount: Option<i64>,
    },
    Expire {},
}

/// On a refund.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OnRefund {
    Succeed {},
    Fail {
        #[serde(default)]
        failure_code: String,
    },
}

/// On all webhooks.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OnWebhooks {
    Hold {},
    Release {},
    ReleaseBackwards {},
    Lose {},
    SendTo { url: String },
}

/// On a webhook.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OnWebhook {
    Resend {},
}

/// What somebody pays too little who pays the wrong amount.
const SHORT_BY: i64 = 1_000;

impl Site {
    pub(super) fn on_invoice(&self, id: &str, action: OnInvoice) -> Result<(), Unable> {
        let xendit = &self.xendit;
        let asked = xendit.invoice(id).ok_or(Unable::Unknown)?.amount;
        let usual = Channel::Dana;
        match action {
            OnInvoice::Pay { channel } => {
                xendit.try_pay(id, channel.unwrap_or(usual), None).map(drop)
            }
            OnInvoice::PayTwice {} => {
                xendit.try_pay(id, usual, None)?;
                xendit.try_pay(id, usual, None).map(drop)
            }
            OnInvoice::PayLate {} => {
                // It may have expired by itself.
                let _ = xendit.try_expire(id);
                xendit.try_pay(id, usual, None).map(drop)
            }
            OnInvoice::PayWrongAmount { amount } => {
                let amount = amount.unwrap_or((asked - SHORT_BY).max(1));
                xendit.try_pay(id, usual, Some(amount)).map(drop)
            }
            OnInvoice::Partial { amount } => {
                let amount = amount.unwrap_or((asked / 2).max(1));
                xendit.try_partial(id, amount).map(drop)
            }
            OnInvoice::Expire {} => xendit.try_expire(id),
        }
    }

    pub(super) fn on_refund(&self, id: &str, action: &OnRefund) -> Result<(), Unable> {
        let failure = match action {
            OnRefund::Succeed {} => None,
            OnRefund::Fail { failure_code } => Some(failure_code.as_str()),
        };
        self.xendit.try_end_refund(id, failure)
    }

    pub(super) async fn on_webhooks(&self, action: OnWebhooks) {
        match action {
            OnWebhooks::Hold {} => self.xendit.hold_webhooks(),
            OnWebhooks::Release {} => self.xendit.release_webhooks().await,
            OnWebhooks::ReleaseBackwards {} => self.xendit.release_webhooks_backwards().await,
            OnWebhooks::Lose {} => {
                self.xendit.lose_held_webhooks();
            }
            OnWebhooks::SendTo { url } => self.xendit.set_webhook_url(&url),
        }
    }

    pub(super) async fn on_webhook(
        &self,
        id: &str,
        OnWebhook::Resend {}: OnWebhook,
    ) -> Result<Outcome, Unable> {
        self.xendit.resend(id).await.ok_or(Unable::Unknown)
    }
}
