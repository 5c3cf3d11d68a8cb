//! Sign-in: one-time codes, access and refresh tokens, sessions, the caller's own account.
//!
//! What this is not: it knows nothing of what people do once they are signed in. The invariant: an
//! access token is judged from memory alone, and a revocation that has been committed is never
//! forgotten while a token of its session could still be good.

mod access_token;
mod accounts;
mod admin_login;
mod admins;
mod browsers;
mod carrier;
mod config;
mod error;
mod handlers;
mod issuing;
mod keys;
mod limits;
mod login_throttle;
mod meters;
mod otp;
mod page_sessions;
mod password;
mod phone;
mod ports;
mod refresh_token;
mod refusals;
mod revocations;
mod rotation;
mod rotator;
mod routes;
mod seeds;
mod session_cookie;
mod sign_in;
mod state;
mod store;
mod sweeps;
#[cfg(feature = "testing")]
pub mod testing;
mod tokens;

use std::sync::Arc;

use halobestie_core::bus::Subscription;
use halobestie_core::migrate::Migration;
use halobestie_core::module::{BeforeBind, Phase, RunsOn, Service};
use halobestie_core::openapi::COOKIE;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::openapi::Components;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::state::State;

pub use crate::config::AuthConfig;
pub use crate::seeds::{DEV_ADMIN_EMAIL, DEV_ADMIN_PASSWORD, SAMPLE_MITRAS, SampleMitra};

/// The module.
pub struct Auth;

/// The description of the routes.
#[derive(OpenApi)]
#[openapi(modifiers(&Cookie), paths(
    handlers::otp::request,
    handlers::otp::verify,
    handlers::refresh::refresh,
    handlers::cookie::create,
    handlers::sessions::logout,
    handlers::sessions::list,
    handlers::sessions::end,
    handlers::me::show,
    handlers::me::update,
    handlers::me::close,
    handlers::admin::login,
    handlers::admin::refresh,
    handlers::admin::logout,
))]
struct Described;

/// How a browser signs in.
struct Cookie;

impl Modify for Cookie {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let cookie = ApiKeyValue::with_description(
            session_cookie::OF_HOST,
            "The session of a browser, from `POST /api/auth/cookie`. Its name begins with `__Secure-` \
             where `SESSION_COOKIE_DOMAIN` is set, and with neither on a developer's machine. Whatever \
             changes something must come from a page of ours: see there.",
        );
        let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        let components = document.components.get_or_insert_with(Components::default);
        components
            .security_schemes
            .insert(COOKIE.to_owned(), scheme.into());
    }
}

impl Module for Auth {
    const NAME: &'static str = "auth";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[
        Capability::Authenticator,
        Capability::CookieSessions,
        Capability::Directory,
        Capability::SignIn,
        Capability::Accounts,
        Capability::AdminAccounts,
        Capability::SignInSessions,
        Capability::AdminSessions,
    ];
    const SWEEPS: &'static [&'static str] = &[sweeps::CLEANUP];
    type Config = AuthConfig;

    fn migrations() -> &'static [Migration] {
        &[
            Migration {
                name: "0001_sign_in",
                sql: include_str!("../../../migrations/auth/0001_sign_in.sql"),
            },
            Migration {
                name: "0002_admins",
                sql: include_str!("../../../migrations/auth/0002_admins.sql"),
            },
            Migration {
                name: "0003_code_limits",
                sql: include_str!("../../../migrations/auth/0003_code_limits.sql"),
            },
        ]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        Described::openapi()
    }

    async fn build(config: AuthConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let state = State::new(&config, cx)?;
        cx.ports
            .authenticator
            .fill(Arc::new(ports::Tokens(state.clone())));
        cx.ports
            .cookie_sessions
            .fill(Arc::new(browsers::Browsers(state.clone())));
        cx.ports
            .directory
            .fill(Arc::new(ports::People(state.clone())));
        cx.ports
            .sign_in_sessions
            .fill(Arc::new(ports::SessionBook(state.clone())));
        cx.ports
            .sign_in
            .fill(Arc::new(sign_in::ByEmail(state.clone())));
        cx.ports
            .accounts
            .fill(Arc::new(accounts::Registry(state.clone())));
        cx.ports
            .admin_sessions
            .fill(Arc::new(page_sessions::SignedAdmins(state.clone())));
        cx.ports
            .admin_accounts
            .fill(Arc::new(admins::Admins(state.clone())));
        cx.lifecycle
            .spawn("numbering-plans", load_numbering_plans());
        // From now on, so that nothing is missed between the first reading and the service's start.
        let revoked = cx.bus.subscribe(revocations::TOPIC);
        Ok(Contribution {
            public: routes::public(state.clone()),
            internal: routes::internal(state.clone()),
            sweeps: vec![sweeps::cleanup(state.clone())],
            services: vec![follow_revocations(state.clone(), revoked, cx)],
            before_bind: vec![restore_revocations(state.clone())],
            seeds: seeds::seeds(&state, &config),
            ..Contribution::default()
        })
    }
}

/// Beside the start, so that neither it nor the first sign-in waits.
async fn load_numbering_plans() {
    // Fails only where the runtime is going away.
    let _ = tokio::task::spawn_blocking(phone::load_plans).await;
}

fn restore_revocations(state: Arc<State>) -> BeforeBind {
    BeforeBind::new("read the revoked sessions", Phase::Restore, async move {
        Ok(state.revocations.reload(&state.db).await?)
    })
}

fn follow_revocations(state: Arc<State>, revoked: Subscription, cx: &Context) -> Service {
    let lifecycle = cx.lifecycle.clone();
    Service::new("auth-revocations", RunsOn::Every, async move {
        state
            .revocations
            .follow(revoked, &state.db, &lifecycle)
            .await
    })
}
