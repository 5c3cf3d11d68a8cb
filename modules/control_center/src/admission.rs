//! Who may call what: the tables in which every row of this module stands.
//!
//! A row of [`Api`] takes a bearer token and answers problems; a row of [`Pages`] takes the cookie, sends
//! strangers to the sign-in, refuses what another site sent, and answers in HTML. Both read the admin and
//! their role from Postgres at every request, so a change of either counts from the next one on. The
//! invariant: there is no way into these tables without naming a role.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::exchange::Exchange;
use halobestie_core::http::routes::Table;
use halobestie_core::http::{Access, Reply, Request, Routes};
use halobestie_core::ports::{AdminRole, Role, SignedAdmin};
use halobestie_core::problem::codes;
use http::Method;

use crate::act::Caller;
use crate::pages::refusal;
use crate::state::State;
use crate::{cookies, origin};

/// The table of the API.
pub(crate) struct Api(Table<State>);

impl Api {
    /// An empty one.
    pub(crate) fn new(state: &Arc<State>) -> Self {
        Self(Routes::with(state.clone()))
    }

    /// A row for admins of this role and those above it.
    #[must_use]
    pub(crate) fn row<F, Fut>(
        self,
        method: Method,
        path: &'static str,
        needs: AdminRole,
        handler: F,
    ) -> Self
    where
        F: Fn(Arc<State>, Caller, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let guarded = move |state: Arc<State>, req: Request| {
            let handler = handler.clone();
            async move {
                // A request's body is not `Sync`, so no reference to it is held while Postgres answers.
                let (principal, request_id) = (req.caller()?, id_of(&req));
                let admin = state.admin_sessions.by_token(&principal).await?;
                let admin = admin.ok_or_else(|| Problem::new(&codes::UNAUTHENTICATED))?;
                let caller = admitted(admin, request_id, needs)?;
                handler(state, caller, req).await
            }
        };
        Self(self.0.row(method, path, Access::Only(Role::Admin), guarded))
    }
}

impl From<Api> for Routes {
    fn from(api: Api) -> Self {
        api.0.into()
    }
}

fn id_of(req: &Request) -> Option<String> {
    req.request_id().map(|id| id.as_str().to_owned())
}

fn admitted(
    admin: SignedAdmin,
    request_id: Option<String>,
    needs: AdminRole,
) -> Result<Caller, Problem> {
    if !admin.role.covers(needs) {
        let detail = format!("This takes an {needs}; you are {}.", admin.role);
        return Err(Problem::new(&codes::FORBIDDEN).detail(detail));
    }
    Ok(Caller { admin, request_id })
}

/// Whether a request is a use of the session, by which it lives longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A person asks, unless the request says that the page does.
    ByPerson,
    /// The page asks by itself, again and again.
    ByPage,
}

/// What `cc.js` sends with what a page asks for by itself.
const LIVE: &str = "x-live";

/// The table of the pages.
pub(crate) struct Pages(Table<State>);

impl Pages {
    /// An empty one.
    pub(crate) fn new(state: &Arc<State>) -> Self {
        Self(Routes::with(state.clone()))
    }

    /// A page, or a part of one, for admins of this role and those above it.
    #[must_use]
    pub(crate) fn get<F, Fut>(self, path: &'static str, needs: AdminRole, handler: F) -> Self
    where
        F: Fn(Arc<State>, Caller, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        self.row(Method::GET, path, (needs, Asked::ByPerson), handler)
    }

    /// What a page asks for by itself as long as it is open: no use of the session.
    #[must_use]
    pub(crate) fn live<F, Fut>(self, path: &'static str, needs: AdminRole, handler: F) -> Self
    where
        F: Fn(Arc<State>, Caller, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        self.row(Method::GET, path, (needs, Asked::ByPage), handler)
    }

    /// What a page's form sends.
    #[must_use]
    pub(crate) fn post<F, Fut>(self, path: &'static str, needs: AdminRole, handler: F) -> Self
    where
        F: Fn(Arc<State>, Caller, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        self.row(Method::POST, path, (needs, Asked::ByPerson), handler)
    }

    /// A row that takes no sign-in: the sign-in itself. What another site sent is refused here as well.
    #[must_use]
    pub(crate) fn open<F, Fut>(self, method: Method, path: &'static str, handler: F) -> Self
    where
        F: Fn(Arc<State>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let guarded = move |state: Arc<State>, req: Request| {
            let handler = handler.clone();
            async move {
                match origin::check(&req) {
                    Ok(()) => or_page(handler(state, req).await, None),
                    Err(problem) => refusal::page(problem, None),
                }
            }
        };
        Self(self.0.row(method, path, Access::Anyone, guarded).page())
    }

    fn row<F, Fut>(
        self,
        method: Method,
        path: &'static str,
        (needs, asked): (AdminRole, Asked),
        handler: F,
    ) -> Self
    where
        F: Fn(Arc<State>, Caller, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let guarded = move |state: Arc<State>, req: Request| {
            let handler = handler.clone();
            async move {
                // What another site sent is refused before anything is read.
                if let Err(problem) = origin::check(&req) {
                    return refusal::page(problem, None);
                }
                let token = cookies::token(&req, &state.server.trusted_proxies);
                let (request_id, exchange) =
                    (id_of(&req), Exchange::of(&req.head.extensions).cloned());
                let is_use = asked == Asked::ByPerson && req.header(LIVE).is_none();
                let admin = match by_cookie(&state, token, is_use).await {
                    Ok(Some(admin)) => admin,
                    Ok(None) => return refusal::sign_in_first(&req),
                    Err(problem) => return refusal::page(problem, None),
                };
                if let Some(exchange) = exchange {
                    exchange.set_caller(admin.actor.id);
                }
                match admitted(admin.clone(), request_id, needs) {
                    Ok(caller) => or_page(handler(state, caller, req).await, Some(&admin)),
                    Err(problem) => refusal::page(problem, Some(&admin)),
                }
            }
        };
        Self(self.0.row(method, path, Access::Anyone, guarded).page())
    }
}

impl From<Pages> for Routes {
    fn from(pages: Pages) -> Self {
        pages.0.into()
    }
}

async fn by_cookie(
    state: &State,
    token: Option<String>,
    is_use: bool,
) -> Result<Option<SignedAdmin>, Problem> {
    let sessions = &state.admin_sessions;
    Ok(match token {
        Some(token) if is_use => sessions.by_cookie(&token).await?,
        Some(token) => sessions.living(&token).await?,
        None => None,
    })
}

fn or_page(reply: Reply, admin: Option<&SignedAdmin>) -> Reply {
    reply.or_else(|problem| refusal::page(problem, admin))
}
