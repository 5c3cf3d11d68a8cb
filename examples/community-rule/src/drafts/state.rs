//! What the handlers share.

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Attachments, Late};
use halobestie_core::{Context, Timestamp};
use uuid::Uuid;

use super::config::DraftsConfig;
use super::content::Content;

/// Handles and bounds.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) user_drafts: i64,
    pub(crate) user_publications: i64,
    attachments: Late<dyn Attachments>,
}

impl State {
    /// Puts the parts together.
    pub(crate) fn new(config: &DraftsConfig, cx: &Context) -> Self {
        Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            user_drafts: config.user_drafts.into(),
            user_publications: config.user_publications.into(),
            attachments: cx.ports.attachments.clone(),
        }
    }

    /// A UUIDv7 of now.
    pub(crate) fn fresh_id(&self) -> Uuid {
        self.entropy.uuid(&self.clock)
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
