//! Who may call: the one place that reads access tokens of HTTP requests. It sits around each row's
//! handler, because the row says who may call it.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::header::AUTHORIZATION;
use tower::{Layer, Service};

use crate::http::exchange::Exchange;
use crate::http::{Access, Reply, Request, Response};
use crate::ports::{Authenticator, Late, Principal, Role};
use crate::problem::{Problem, codes};

/// The layer of one row.
#[derive(Clone)]
pub struct GuardLayer {
    access: Access,
    authenticator: Late<dyn Authenticator>,
}

impl GuardLayer {
    /// Lets through who `access` lets through.
    pub fn new(access: Access, authenticator: Late<dyn Authenticator>) -> Self {
        Self {
            access,
            authenticator,
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
    S: Service<Request, Response = Response, Error = Problem>,
{
    type Response = Response;
    type Error = Problem;
    type Future = Either<S::Future, Ready<Reply>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request) -> Self::Future {
        match self.guard.check(&mut req) {
            Ok(()) => Either::Left(self.inner.call(req)),
            Err(problem) => Either::Right(ready(Err(problem))),
        }
    }
}

impl GuardLayer {
    fn check(&self, req: &mut Request) -> Result<(), Problem> {
        if self.access == Access::Anyone {
            return Ok(());
        }
        let principal = self.authenticate(req)?;
        if let Some(exchange) = Exchange::of(&req.head.extensions) {
            exchange.set_caller(principal.user_id);
        }
        if !admits(self.access, principal.role) {
            return Err(Problem::new(&codes::FORBIDDEN));
        }
        req.set_principal(principal);
        Ok(())
    }

    fn authenticate(&self, req: &Request) -> Result<Principal, Problem> {
        let unauthenticated = || Problem::new(&codes::UNAUTHENTICATED);
        let token = bearer_token(req).ok_or_else(unauthenticated)?;
        // The router refuses guarded rows without an authenticator, so there is one.
        let authenticator = self.authenticator.get().ok_or_else(unauthenticated)?;
        Ok(authenticator.authenticate(token)?)
    }
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
