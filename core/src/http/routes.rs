//! Route tables: what a module's `routes.rs` is made of, one row an endpoint.

use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Method;

use crate::http::{Reply, Request};
use crate::ports::Role;

/// The body limit of a route that does not say more.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Who may call a route. The guard layer checks it before the handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No sign-in; a token that was sent is not looked at.
    Anyone,
    /// Any signed-in person.
    SignedIn,
    /// A signed-in person of this role.
    Only(Role),
    /// A customer or a mitra: the two sides of a chat.
    EitherSide,
}

/// A handler with its state already bound.
pub type Endpoint = Arc<dyn Fn(Request) -> BoxFuture<'static, Reply> + Send + Sync>;

/// One endpoint.
#[derive(Clone)]
pub struct Row {
    /// The method; GET rows answer HEAD as well.
    pub method: Method,
    /// The path in matchit's syntax: `/api/chat/sessions/{id}`.
    pub path: &'static str,
    /// Who may call.
    pub access: Access,
    /// The largest body taken.
    pub body_bytes_max: usize,
    /// Whether the API's description leaves it out: a part of pages for people, and no promise.
    pub is_page: bool,
    /// What answers.
    pub endpoint: Endpoint,
}

/// The rows of a listener that one module brings.
#[derive(Clone, Default)]
pub struct Routes {
    /// The rows, in the order written.
    pub rows: Vec<Row>,
}

impl Routes {
    /// Starts a table whose handlers share `state`.
    pub fn with<S: Send + Sync + 'static>(state: Arc<S>) -> Table<S> {
        Table {
            state,
            rows: Vec::new(),
        }
    }

    /// Adds another table's rows.
    pub fn append(&mut self, other: Routes) {
        self.rows.extend(other.rows);
    }
}

/// A route table under construction.
pub struct Table<S> {
    state: Arc<S>,
    rows: Vec<Row>,
}

impl<S: Send + Sync + 'static> Table<S> {
    /// A GET row (answers HEAD too).
    #[must_use]
    pub fn get<F, Fut>(self, path: &'static str, access: Access, handler: F) -> Self
    where
        F: Fn(Arc<S>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        self.row(Method::GET, path, access, handler)
    }

    /// A POST row.
    #[must_use]
    pub fn post<F, Fut>(self, path: &'static str, access: Access, handler: F) -> Self
    where
        F: Fn(Arc<S>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        self.row(Method::POST, path, access, handler)
    }

    /// A row of any method.
    #[must_use]
    pub fn row<F, Fut>(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        handler: F,
    ) -> Self
    where
        F: Fn(Arc<S>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        let state = self.state.clone();
        let endpoint: Endpoint = Arc::new(move |req| handler(state.clone(), req).boxed());
        self.rows.push(Row {
            method,
            path,
            access,
            body_bytes_max: BODY_BYTES_MAX,
            is_page: false,
            endpoint,
        });
        self
    }

    /// Says that the row before is a part of pages for people, which the API's description leaves out.
    #[must_use]
    pub fn page(mut self) -> Self {
        if let Some(row) = self.rows.last_mut() {
            row.is_page = true;
        }
        self
    }

    /// Changes the body limit of the row before.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        if let Some(row) = self.rows.last_mut() {
            row.body_bytes_max = bytes;
        }
        self
    }
}

impl<S> From<Table<S>> for Routes {
    fn from(table: Table<S>) -> Self {
        Self { rows: table.rows }
    }
}
