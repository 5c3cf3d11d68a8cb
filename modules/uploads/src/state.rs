//! What the handlers, the port and the sweeps share.

use halobestie_core::Context;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::Db;
use halobestie_core::ports::{Conversations, Late};

use crate::config::UploadsConfig;
use crate::error::UploadError;
use crate::files::Files;
use crate::slots::Slots;

/// The shared state.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) slots: Slots,
    pub(crate) user_daily_bytes: u64,
    files: Option<Files>,
    conversations: Late<dyn Conversations>,
}

impl State {
    pub(crate) fn new(config: &UploadsConfig, cx: &Context) -> Self {
        Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            slots: Slots::default(),
            user_daily_bytes: config.user_daily_bytes,
            files: config.root.as_ref().map(Files::new),
            conversations: cx.ports.conversations.clone(),
        }
    }

    /// Where files are.
    ///
    /// # Errors
    /// Where nobody has said so.
    pub(crate) fn files(&self) -> Result<&Files, UploadError> {
        self.files.as_ref().ok_or(UploadError::NoRoot)
    }

    /// Who knows who talks to whom, where anybody does.
    pub(crate) fn conversations(&self) -> Option<&dyn Conversations> {
        self.conversations
            .get()
            .map(|conversations| &**conversations)
    }
}
