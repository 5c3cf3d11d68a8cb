//! What the handlers share.

use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::config::ServerConfig;
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::Db;
use halobestie_core::ports::SignIn;
use halobestie_core::{BoxError, Context};

use crate::config::EmailConfig;
use crate::limits::Limits;
use crate::postbox::Postbox;

/// Handles and limits.
pub(crate) struct State {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) sign_in: Arc<dyn SignIn>,
    pub(crate) postbox: Postbox,
    pub(crate) limits: Limits,
    /// What the server is called.
    pub(crate) product: &'static str,
}

impl State {
    /// Puts the parts together; touches nothing outside.
    ///
    /// # Errors
    /// When nobody opens sessions, which assembly has refused.
    pub(crate) fn new(
        config: &EmailConfig,
        postbox: Postbox,
        cx: &Context,
    ) -> Result<Arc<Self>, BoxError> {
        let sign_in = cx.ports.sign_in.get().ok_or("nobody opens sessions")?;
        Ok(Arc::new(Self {
            server: cx.server.clone(),
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            sign_in: sign_in.clone(),
            postbox,
            limits: config.limits(),
            product: cx.title.name,
        }))
    }
}
