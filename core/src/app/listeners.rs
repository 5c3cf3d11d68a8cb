//! The two listeners: what each serves, and where.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use super::{Addresses, StartError};
use crate::config::ServerConfig;
use crate::http::layers::cors::Cookies;
use crate::http::router::Router;
use crate::http::routes::Row;
use crate::http::server::{IDLE_TIMEOUT, ServerOptions, serve};
use crate::http::stack::{self, Stack, StackOptions};
use crate::http::{Routes, Traffic, probes};
use crate::module::{Context, Contribution};
use crate::openapi;
use crate::problem::BoxError;
use crate::readiness::Readiness;

/// Names of the listeners, labels of their metrics.
const PUBLIC: &str = "public";
const INTERNAL: &str = "internal";

/// Both listeners' sockets, bound.
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// For operators and probes; never to be exposed.
    pub internal: TcpListener,
}

impl Listeners {
    /// Binds the configured addresses.
    ///
    /// # Errors
    /// [`StartError::Bind`], naming the variable that chooses another address.
    pub async fn bind(config: &ServerConfig) -> Result<Self, StartError> {
        Ok(Self {
            public: bind(config.public_addr, "PUBLIC_ADDR").await?,
            internal: bind(config.internal_addr, "INTERNAL_ADDR").await?,
        })
    }
}

async fn bind(address: SocketAddr, variable: &'static str) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Bind {
        address,
        variable,
        source,
    })
}

/// The tables of both listeners.
pub(super) struct Tables {
    public: Routes,
    internal: Routes,
}

/// Every route that is served, as method and path.
#[derive(Clone, Debug, Default)]
pub struct Mounted {
    /// On the public listener.
    pub public: Vec<(String, String)>,
    /// On the internal listener.
    pub internal: Vec<(String, String)>,
    /// Those of both that are parts of pages, which the API's description leaves out.
    pub pages: Vec<(String, String)>,
}

/// Core's routes and, in a process that serves, the modules'.
pub(super) fn tables(
    cx: &Context,
    readiness: &Readiness,
    description: impl FnOnce() -> utoipa::openapi::OpenApi,
    parts: Contribution,
    serves: bool,
) -> Result<Tables, BoxError> {
    let mut tables = Tables {
        public: probes::public(readiness),
        internal: probes::internal(readiness, &cx.metrics),
    };
    if serves {
        tables.internal.append(openapi::routes(&description())?);
        tables.public.append(parts.public);
        tables.internal.append(parts.internal);
    }
    Ok(tables)
}

impl Tables {
    pub(super) fn mounted(&self) -> Mounted {
        Mounted {
            public: listed(&self.public, |_| true),
            internal: listed(&self.internal, |_| true),
            pages: [&self.public, &self.internal]
                .into_iter()
                .flat_map(|routes| listed(routes, |row| row.is_page))
                .collect(),
        }
    }
}

fn listed(routes: &Routes, which: impl Fn(&Row) -> bool) -> Vec<(String, String)> {
    routes
        .rows
        .iter()
        .filter(|row| which(row))
        .map(|row| (row.method.to_string(), row.path.to_owned()))
        .collect()
}

/// Both listeners with their stacks, ready to serve.
pub(super) struct Server {
    listeners: Listeners,
    addresses: Addresses,
    public: Stack,
    internal: Stack,
    traffic: Traffic,
}

impl Server {
    /// Mounts the tables and draws the layers around them.
    pub(super) fn new(
        listeners: Listeners,
        tables: Tables,
        cx: &Context,
    ) -> Result<Self, BoxError> {
        let traffic = Traffic::new(&cx.metrics, cx.clock.clone(), &cx.entropy);
        let deadline = Duration::from_secs(cx.server.request_timeout_seconds);
        let public = StackOptions {
            listener: PUBLIC,
            deadline,
            requests_max: Some(cx.server.requests_max),
            origins: cx.server.app_allowed_origins.clone(),
            cookies: match cx.ports.cookie_sessions.get() {
                Some(sessions) if sessions.are_on() => Cookies::Taken,
                _ => Cookies::Ignored,
            },
        };
        let internal = StackOptions {
            listener: INTERNAL,
            deadline,
            requests_max: None,
            origins: cx.server.cc_origin.clone(),
            cookies: Cookies::Ignored,
        };
        let mount = |options: StackOptions, routes| -> Result<Stack, BoxError> {
            let router = Router::new(options.listener, routes, &cx.ports, &traffic)?;
            Ok(stack::build(router, options, &traffic)?)
        };
        Ok(Self {
            public: mount(public, tables.public)?,
            internal: mount(internal, tables.internal)?,
            addresses: Addresses {
                public: listeners.public.local_addr()?,
                internal: listeners.internal.local_addr()?,
            },
            listeners,
            traffic,
        })
    }

    pub(super) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves both in the background until the soft token turns.
    pub(super) fn start(self, cx: &Context) {
        let options = |listener| ServerOptions {
            listener,
            connections_max: cx.server.connections_max,
            header_timeout: Duration::from_secs(cx.server.header_timeout_seconds),
            idle_timeout: IDLE_TIMEOUT,
            stop_accepting: cx.lifecycle.soft().clone(),
        };
        let Listeners { public, internal } = self.listeners;
        serve(
            public,
            self.public,
            options(PUBLIC),
            &cx.lifecycle,
            &self.traffic,
        );
        serve(
            internal,
            self.internal,
            options(INTERNAL),
            &cx.lifecycle,
            &self.traffic,
        );
    }
}
