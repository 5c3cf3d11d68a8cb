//! What handlers and the sweep share.

use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::Db;
use halobestie_core::ports::SignInSessions;

use crate::meters::Meters;

/// The shared state.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) sign_in_sessions: Arc<dyn SignInSessions>,
    pub(crate) meters: Arc<Meters>,
}
