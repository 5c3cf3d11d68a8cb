//! What handlers, jobs and sweeps share.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::config::ServerConfig;
use halobestie_core::entropy::Entropy;
use halobestie_core::jobs::Jobs;
use halobestie_core::pg::{Db, DbError, Tx};
use halobestie_core::ports::{Late, News, Notice, Notifier, Purchases};
use halobestie_core::{AfterCommit, BoxError, Context, Timestamp};
use secrecy::SecretString;

use crate::config::XenditConfig;
use crate::gateway::Gateway;
use crate::meters::Meters;
use crate::return_link::LinkKey;
use crate::store::payments::PaymentRow;

/// Handles and limits.
pub(crate) struct State {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) jobs: Jobs,
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) purchases: Arc<dyn Purchases>,
    notifier: Late<dyn Notifier>,
    pub(crate) meters: Meters,
    /// What Xendit's webhooks prove themselves with.
    pub(crate) webhook_token: SecretString,
    /// What signs the links back from paying.
    pub(crate) link_key: LinkKey,
    /// How long a payment can be paid.
    pub(crate) payment_timeout: Duration,
    /// Where browsers are sent in place of our own pages.
    pub(crate) success_url: Option<String>,
    /// The same, when it was not paid.
    pub(crate) failure_url: Option<String>,
}

impl State {
    /// Puts the parts together; touches nothing outside.
    ///
    /// # Errors
    /// When nobody sells anything, or the token is missing: both were refused before.
    pub(crate) fn new(
        config: &XenditConfig,
        gateway: Arc<dyn Gateway>,
        meters: Meters,
        cx: &Context,
    ) -> Result<Arc<Self>, BoxError> {
        let purchases = cx.ports.purchases.get().ok_or("nobody sells anything")?;
        let webhook_token = config.webhook_token.clone();
        let secret_key = config.secret_key.as_ref();
        Ok(Arc::new(Self {
            server: cx.server.clone(),
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            jobs: cx.jobs.clone(),
            gateway,
            purchases: purchases.clone(),
            notifier: cx.ports.notifier.clone(),
            meters,
            link_key: LinkKey::of(secret_key.ok_or("XENDIT_SECRET_KEY is not set")?),
            webhook_token: webhook_token.ok_or("XENDIT_WEBHOOK_TOKEN is not set")?,
            payment_timeout: config.payment_timeout(),
            success_url: config.success_redirect_url.clone(),
            failure_url: config.failure_redirect_url.clone(),
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl State {
    /// Shows the customer's live connections where a payment is now.
    pub(crate) fn show(&self, row: &PaymentRow) {
        self.purchases.show(row.customer_id, &row.view());
    }

    /// Writes in `tx` that the customer is to hear where a payment is now, although their app may sleep;
    /// nothing where nobody tells.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn notice(
        &self,
        tx: &Tx<'_>,
        row: &PaymentRow,
    ) -> Result<AfterCommit<'static>, DbError> {
        let Some(notifier) = self.notifier.get() else {
            return Ok(AfterCommit::new(async {}));
        };
        let news = News::PaymentUpdated {
            payment_id: row.id,
            session_id: row.session_id,
            purpose: row.purpose,
            status: row.status,
            expires_at: None,
        };
        let notices = Notice::to_all(&[row.customer_id], &news);
        notifier.notify(tx, &notices).await
    }
}
