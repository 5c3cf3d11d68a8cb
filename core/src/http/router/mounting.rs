//! From a route table to a router: whatever could go wrong with it goes wrong here, at the start.

use http::Method;
use matchit::InsertError;
use tower::Layer;

use super::{Handler, Methods, Mounted};
use crate::http::layers::guard::GuardLayer;
use crate::http::routes::Row;
use crate::http::{Access, Traffic};
use crate::ports::Ports;

/// Why a route table cannot be served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Two rows answer the same method and path.
    #[error("the {listener} listener has two routes for {method} {path}")]
    Twice {
        /// Where.
        listener: &'static str,
        /// Both rows' method.
        method: Method,
        /// Both rows' path.
        path: &'static str,
    },
    /// Two paths match the same addresses under different names.
    #[error("on the {listener} listener the route {path} clashes with {with}")]
    Clash {
        /// Where.
        listener: &'static str,
        /// The later path.
        path: &'static str,
        /// The earlier path.
        with: String,
    },
    /// A path that is not in matchit's syntax.
    #[error("the path {path} of the {listener} listener cannot be read: {reason}")]
    Malformed {
        /// Where.
        listener: &'static str,
        /// The path.
        path: &'static str,
        /// Why.
        reason: InsertError,
    },
    /// A row asks for signed-in callers, and no enabled module can say who calls.
    #[error(
        "{method} {path} asks for a signed-in caller, but no enabled module provides the authenticator"
    )]
    NoAuthenticator {
        /// The row's method.
        method: Method,
        /// The row's path.
        path: &'static str,
    },
}

/// Mounts a table's rows.
///
/// # Errors
/// See [`RouteError`].
pub(super) fn mount(
    listener: &'static str,
    rows: Vec<Row>,
    ports: &Ports,
    traffic: &Traffic,
) -> Result<matchit::Router<Methods>, RouteError> {
    // Paths in the order of their first row, so that the later one is blamed for a clash.
    let mut paths = Vec::<(&'static str, Vec<Mounted>)>::new();
    for row in rows {
        let (path, method) = (row.path, row.method.clone());
        if row.access != Access::Anyone && ports.authenticator.get().is_none() {
            return Err(RouteError::NoAuthenticator { method, path });
        }
        let mounted = mounted(listener, row, ports, traffic);
        match paths.iter_mut().find(|(known, _)| *known == path) {
            None => paths.push((path, vec![mounted])),
            Some((_, rows)) if rows.iter().any(|it| it.method == method) => {
                return Err(RouteError::Twice {
                    listener,
                    method,
                    path,
                });
            }
            Some((_, rows)) => rows.push(mounted),
        }
    }
    let mut router = matchit::Router::new();
    for (path, rows) in paths {
        router
            .insert(path, Methods::new(rows))
            .map_err(|reason| match reason {
                InsertError::Conflict { with } => RouteError::Clash {
                    listener,
                    path,
                    with,
                },
                reason => RouteError::Malformed {
                    listener,
                    path,
                    reason,
                },
            })?;
    }
    Ok(router)
}

fn mounted(listener: &'static str, row: Row, ports: &Ports, traffic: &Traffic) -> Mounted {
    let guard = GuardLayer::new(row.access, ports);
    Mounted {
        stats: traffic.route(listener, row.path, &row.method),
        method: row.method,
        body_bytes_max: row.body_bytes_max,
        service: guard.layer(Handler(row.endpoint)),
    }
}
