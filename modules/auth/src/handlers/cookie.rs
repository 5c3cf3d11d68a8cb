//! From a bearer token to a browser's cookie.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply, same_origin};
use halobestie_core::ports::CookieSessions;
use halobestie_core::problem::{Problem, codes};
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use crate::access_token::Subject;
use crate::browsers::Browsers;
use crate::error::AuthError;
use crate::session_cookie;
use crate::state::State;
use crate::store::sessions::{self, CarryByCookie};
use crate::tokens::UserView;

/// Signed in by the cookie that came with this.
#[derive(Serialize, ToSchema)]
#[schema(as = auth::BrowserSession)]
pub(crate) struct BrowserSession {
    /// Seconds until the session ends when nobody uses it.
    expires_in: u64,
    user: UserView,
}

/// Carry this sign-in by a cookie
///
/// For browsers, right after any sign-in. From here on the cookie (`HttpOnly`, `SameSite=Lax`, `Secure` but
/// on a developer's machine) serves wherever `Authorization: Bearer` does on this API; forget both tokens.
/// The refresh token ends now, the access token within its minutes. There is nothing to refresh: once in
/// 15 minutes the answer to some call brings a new cookie by itself, and a session that is used ends
/// never, one that is not after 30 days. Signing out, here or from another device, and a closed or
/// disabled account end it at once, as they end tokens.
///
/// A call that a cookie signs in and that changes something must come from a page of this host or of
/// `APP_ALLOWED_ORIGINS`, by its `Sec-Fetch-Site` and `Origin`: else it is `cross_site`. Pages of another
/// origin fetch with `credentials: "include"`. A request with an `Authorization` header is judged by
/// that alone. A page of ours opens a WebSocket by the cookie as well; it lives for as long as the session.
///
/// The sign-in must be no older than an access token lives, so that a token that somebody else got hold
/// of does not become a session without an end. Asking again within that time gives the cookie again.
#[utoipa::path(
    operation_id = "auth_cookie",
    post, path = "/api/auth/cookie", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 200, description = "The cookie is set.", body = BrowserSession,
            headers(("Set-Cookie" = String, description = "The session."))),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`sign_in_too_old`: sign in again first; `cross_site`: from a page \
            of a strange origin; `forbidden`: an admin."),
        (status = 404, description = "`cookie_sessions_off`: this server has no `SESSION_SECRET`."),
    ),
)]
pub(crate) async fn create(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let cookies = state.cookies.as_ref();
    let cookies = cookies.ok_or(AuthError::CookieSessionsOff)?;
    let browsers = Browsers(state.clone());
    // Nobody is to be signed in as somebody else by a page that they happen to visit.
    same_origin::check_browsers(&req.head, |origin| browsers.trusts(origin))?;
    let now = state.clock.now();
    let carry = CarryByCookie {
        session_id: caller.session_id,
        user_id: caller.user_id,
        until: now + session_cookie::LIFE,
        signed_in_after: now - state.access_tokens.life(),
    };
    let Some(user) = sessions::carry_by_cookie(&state.db, &carry, now).await? else {
        return Err(refusal(&state, &carry).await?);
    };
    info!(user.id = %caller.user_id, session.id = %caller.session_id, "session carried by a cookie");
    let mut response = reply::ok(&BrowserSession {
        expires_in: session_cookie::LIFE.as_secs(),
        user: UserView::new(user, false),
    })?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.append(SET_COOKIE, cookies.make(Subject::of(&caller), now));
    Ok(response)
}

/// Why a session whose token was good a moment ago is carried by no cookie.
async fn refusal(state: &State, carry: &CarryByCookie) -> Result<Problem, Problem> {
    let now = state.clock.now();
    let living = sessions::living(&state.db, &[carry.session_id], now).await?;
    Ok(if living.is_empty() {
        Problem::new(&codes::UNAUTHENTICATED)
    } else {
        AuthError::SignInTooOld.into()
    })
}
