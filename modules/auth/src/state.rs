//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::config::{AppEnv, ServerConfig};
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::Db;
use halobestie_core::{BoxError, Context};

use crate::access_token::AccessTokens;
use crate::carrier::Carrier;
use crate::config::AuthConfig;
use crate::keys::Keys;
use crate::otp;
use crate::password::Passwords;
use crate::revocations::Revocations;

/// Handles, keys and limits.
pub(crate) struct State {
    pub(crate) env: AppEnv,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) keys: Keys,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) revocations: Revocations,
    pub(crate) carrier: Carrier,
    pub(crate) passwords: Passwords,
    pub(crate) otp_limits: otp::Limits,
    pub(crate) refresh_reuse: Duration,
}

impl State {
    /// Puts the parts together; touches nothing outside.
    ///
    /// # Errors
    /// Without a secret, which the configuration's own check has refused.
    pub(crate) fn new(config: &AuthConfig, cx: &Context) -> Result<Arc<Self>, BoxError> {
        let keys = Keys::new(config.secrets()).ok_or("AUTH_JWT_SECRET is not set")?;
        Ok(Arc::new(Self {
            env: cx.env,
            server: cx.server.clone(),
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            access_tokens: AccessTokens::new(&keys, config.access_life()),
            revocations: Revocations::new(cx.bus.clone(), cx.clock.clone(), config.access_life()),
            carrier: Carrier::new(config, cx.env),
            passwords: Passwords::new(config.bcrypt_cost),
            otp_limits: otp::Limits {
                resend: Duration::from_secs(config.otp_resend_seconds),
                hourly: usize::try_from(config.otp_phone_hourly).unwrap_or(usize::MAX),
            },
            refresh_reuse: Duration::from_secs(config.refresh_reuse_seconds),
            keys,
        }))
    }
}
