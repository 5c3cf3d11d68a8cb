//! What the handlers share.

use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::{Db, DbError, Tx};
use halobestie_core::ports::{Accounts, Attachments, Late, Principal};
use halobestie_core::{BoxError, Context, Timestamp};
use uuid::Uuid;

use super::config::DraftsConfig;
use super::content::Content;
use super::error::DraftError;
use super::store;

/// Handles and bounds.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) user_drafts: i64,
    pub(crate) user_publications: i64,
    accounts: Arc<dyn Accounts>,
    attachments: Late<dyn Attachments>,
}

impl State {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When a port is missing, which assembly rules out.
    pub(crate) fn new(config: &DraftsConfig, cx: &Context) -> Result<Self, BoxError> {
        let accounts = cx.ports.accounts.get().cloned();
        Ok(Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            user_drafts: config.user_drafts.into(),
            user_publications: config.user_publications.into(),
            accounts: accounts.ok_or("nobody keeps accounts")?,
            attachments: cx.ports.attachments.clone(),
        })
    }

    /// A UUIDv7 of now.
    pub(crate) fn fresh_id(&self) -> Uuid {
        self.entropy.uuid(&self.clock)
    }

    /// Makes what is written for the caller follow each other until `tx` ends, and makes sure that there
    /// still is an account to write for: one that is being closed is locked in the same order.
    ///
    /// # Errors
    /// When the account is closed, or Postgres does not answer.
    pub(crate) async fn lock(&self, tx: &Tx<'_>, caller: &Principal) -> Result<(), DraftError> {
        store::lock(tx, caller.user_id).await?;
        let account = self.accounts.hold(tx, caller.role, caller.user_id).await?;
        account.map(|_| ()).ok_or(DraftError::AccountClosed)
    }

    /// Those of the pictures in a draft that are its owner's, kept for them from now on. An upload goes to
    /// a person's drafts as a whole: what is a session to others is the person here.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn pictures(
        &self,
        content: &Content,
        user_id: Uuid,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, DbError> {
        let Some(attachments) = self.attachments.get() else {
            return Ok(Vec::new());
        };
        let mut pictures = Vec::new();
        for id in content.pictures() {
            let attached = attachments.attach(id, user_id, user_id, now).await?;
            pictures.extend(attached.map(|it| it.id));
        }
        Ok(pictures)
    }
}
