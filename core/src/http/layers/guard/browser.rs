//! A request that a cookie signs in.
//!
//! What another site sent is refused before anything is asked of Postgres. The answer is the caller's
//! alone: without an `Authorization` header no cache knows that by itself.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE, VARY};
use tower::Service;

use super::admit;
use crate::http::{Access, Reply, Request, Response, reply, same_origin};
use crate::ports::{CookieSays, CookieSessions, Principal};
use crate::problem::{Problem, codes};

/// For the caller alone, and asked for again each time, which an `ETag` makes cheap.
const OWN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// An answer that is kept is for the cookie that it was asked for with.
const BY_COOKIE: HeaderValue = HeaderValue::from_static("cookie");

/// A browser that comes with a cookie.
pub(super) struct Visit {
    pub(super) sessions: Arc<dyn CookieSessions>,
    pub(super) says: CookieSays,
}

impl Visit {
    /// Finds out who it is and lets the row's handler answer.
    pub(super) async fn answer<S>(self, access: Access, mut inner: S, mut req: Request) -> Reply
    where
        S: Service<Request, Response = Response, Error = Problem>,
    {
        same_origin::check(&req.head, |origin| self.sessions.trusts(origin))?;
        let Some((principal, renewed)) = self.caller().await? else {
            return Ok(self.turned_away());
        };
        let admitted = admit(access, principal.clone(), &mut req);
        let answer = match admitted {
            Ok(()) => inner.call(req).await,
            Err(problem) => Err(problem),
        };
        let mut response = answer.unwrap_or_else(reply::problem);
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(OWN);
        vary_by_cookie(headers);
        if self.sessions.is_over(&principal) {
            headers.append(SET_COOKIE, self.sessions.forgotten());
        } else if let Some(cookie) = renewed {
            headers.append(SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn caller(&self) -> Result<Option<(Principal, Option<HeaderValue>)>, Problem> {
        Ok(match &self.says {
            CookieSays::Signed(principal) => Some((principal.clone(), None)),
            CookieSays::Due(principal) => {
                let renewed = self.sessions.renew(principal).await?;
                renewed.map(|(principal, cookie)| (principal, Some(cookie)))
            }
            CookieSays::Refused | CookieSays::Contested | CookieSays::Nothing => None,
        })
    }

    fn turned_away(&self) -> Response {
        let mut response = reply::problem(Problem::new(&codes::UNAUTHENTICATED));
        // Of two cookies only ours would be forgotten, and the other one believed from then on.
        if self.says != CookieSays::Contested {
            let cookie = self.sessions.forgotten();
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

fn vary_by_cookie(headers: &mut HeaderMap) {
    if headers.get_all(VARY).iter().all(|told| told != BY_COOKIE) {
        headers.append(VARY, BY_COOKIE);
    }
}
