//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::config::{AppEnv, ServerConfig};
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::Db;
use halobestie_core::ports::Erasures;
use halobestie_core::{BoxError, Context};

use crate::access_token::AccessTokens;
use crate::carrier::Ways;
use crate::config::AuthConfig;
use crate::issuing::Door;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::meters::Meters;
use crate::password::Passwords;
use crate::refusals::Refusals;
use crate::revocations::Revocations;
use crate::rotator::Rotator;
use crate::session_cookie::SessionCookies;

/// Handles, keys and limits.
pub(crate) struct State {
    pub(crate) env: AppEnv,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) keys: Keys,
    pub(crate) access_tokens: AccessTokens,
    /// Of browsers; `None` where there is no secret for them.
    pub(crate) cookies: Option<SessionCookies>,
    pub(crate) revocations: Revocations,
    pub(crate) rotator: Rotator,
    pub(crate) ways: Ways,
    pub(crate) passwords: Passwords,
    pub(crate) otp_enabled: bool,
    pub(crate) otp_door: Door,
    pub(crate) otp_limits: Limits,
    pub(crate) refusals: Refusals,
    pub(crate) meters: Meters,
    pub(crate) refresh_reuse: Duration,
    pub(crate) erasures: Erasures,
}

impl State {
    /// Puts the parts together; touches nothing outside, but sets the groups of refreshes going.
    ///
    /// # Errors
    /// Without a secret, which the configuration's own check has refused.
    pub(crate) fn new(config: &AuthConfig, cx: &Context) -> Result<Arc<Self>, BoxError> {
        let keys = Keys::new(config.secrets()).ok_or("AUTH_JWT_SECRET is not set")?;
        let meters = Meters::new(&cx.metrics);
        Ok(Arc::new(Self {
            env: cx.env,
            server: cx.server.clone(),
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            access_tokens: AccessTokens::new(&keys, config.access_life()),
            cookies: cookies(config, cx),
            revocations: Revocations::new(cx.bus.clone(), cx.clock.clone(), config.access_life()),
            ways: Ways::new(config, cx.env, cx.ports.code_carrier.clone()),
            passwords: Passwords::new(config.bcrypt_cost),
            otp_enabled: config.otp_enabled,
            otp_door: Door::default(),
            otp_limits: config.limits(),
            refusals: Refusals::new(cx.valkey.clone()),
            rotator: Rotator::start(
                &cx.lifecycle,
                cx.db.clone(),
                cx.clock.clone(),
                meters.refreshes_waiting.clone(),
            ),
            meters,
            refresh_reuse: Duration::from_secs(config.refresh_reuse_seconds),
            erasures: cx.ports.erasures.clone(),
            keys,
        }))
    }
}

fn cookies(config: &AuthConfig, cx: &Context) -> Option<SessionCookies> {
    let secret = config.session_secret.clone()?;
    let domain = config.session_cookie_domain.clone();
    let scene = (cx.env, cx.server.public_base_url.as_str());
    let life = config.access_life();
    Some(SessionCookies::new(secret, domain, scene, life))
}
