//! Who may call: the one place that reads access tokens and cookies of HTTP requests. It sits around each
//! row's handler, because the row says who may call it.
//!
//! A request with an `Authorization` header is judged by that alone, a cookie only without one. So what a
//! browser adds by itself never stands in for a token that was refused.

mod browser;

use std::future::{Ready, ready};
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use http::header::AUTHORIZATION;
use tower::{Layer, Service};

use self::browser::Visit;
use crate::http::exchange::Exchange;
use crate::http::{Access, Reply, Request, Response};
use crate::ports::{Authenticator, CookieSays, CookieSessions, Late, Ports, Principal, Role};
use crate::problem::{Problem, codes};

/// The layer of one row.
#[derive(Clone)]
pub struct GuardLayer {
    access: Access,
    authenticator: Late<dyn Authenticator>,
    cookie_sessions: Late<dyn CookieSessions>,
}

impl GuardLayer {
    /// Lets through who `access` lets through.
    pub fn new(access: Access, ports: &Ports) -> Self {
        Self {
            access,
            authenticator: ports.authenticator.clone(),
            cookie_sessions: ports.cookie_sessions.clone(),
        }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;
    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            guard: self.clone(),
            inner,
        }
    }
}

/// A handler with the guard before it.
#[derive(Clone)]
pub struct Guard<S> {
    guard: GuardLayer,
    inner: S,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Problem> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Problem;
    type Future = Either<Either<S::Future, Ready<Reply>>, BoxFuture<'static, Reply>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request) -> Self::Future {
        if let Some(visit) = self.guard.visit(&req) {
            // The one that is ready answers; the clone takes its place.
            let next = self.inner.clone();
            let inner = mem::replace(&mut self.inner, next);
            return Either::Right(visit.answer(self.guard.access, inner, req).boxed());
        }
        Either::Left(match self.guard.check(&mut req) {
            Ok(()) => Either::Left(self.inner.call(req)),
            Err(problem) => Either::Right(ready(Err(problem))),
        })
    }
}

impl GuardLayer {
    /// A browser that comes with a cookie instead of a token.
    fn visit(&self, req: &Request) -> Option<Visit> {
        if self.access == Access::Anyone || req.headers().contains_key(AUTHORIZATION) {
            return None;
        }
        let sessions = self.cookie_sessions.get()?;
        match sessions.read(&req.head) {
            CookieSays::Nothing => None,
            says => Some(Visit {
                sessions: Arc::clone(sessions),
                says,
            }),
        }
    }

    fn check(&self, req: &mut Request) -> Result<(), Problem> {
        if self.access == Access::Anyone {
            return Ok(());
        }
        let principal = self.authenticate(req)?;
        admit(self.access, principal, req)
    }

    fn authenticate(&self, req: &Request) -> Result<Principal, Problem> {
        let unauthenticated = || Problem::new(&codes::UNAUTHENTICATED);
        let token = bearer_token(req).ok_or_else(unauthenticated)?;
        // The router refuses guarded rows without an authenticator, so there is one.
        let authenticator = self.authenticator.get().ok_or_else(unauthenticated)?;
        Ok(authenticator.authenticate(token)?)
    }
}

/// Names the caller, and lets them in where the row does.
fn admit(access: Access, principal: Principal, req: &mut Request) -> Result<(), Problem> {
    if let Some(exchange) = Exchange::of(&req.head.extensions) {
        exchange.set_caller(principal.user_id);
    }
    if !admits(access, principal.role) {
        return Err(Problem::new(&codes::FORBIDDEN));
    }
    req.set_principal(principal);
    Ok(())
}

/// The access token of an `Authorization: Bearer` header.
pub fn bearer_token(req: &Request) -> Option<&str> {
    let (scheme, token) = req.header(AUTHORIZATION.as_str())?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn admits(access: Access, role: Role) -> bool {
    match access {
        Access::Anyone | Access::SignedIn => true,
        Access::Only(only) => role == only,
        Access::EitherSide => matches!(role, Role::Customer | Role::Mitra),
    }
}
