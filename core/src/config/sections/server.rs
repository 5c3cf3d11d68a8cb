//! `[server]`: listeners, limits, CORS, readiness, shutdown.

use std::net::SocketAddr;

use ipnet::IpNet;
use serde::Deserialize;

use super::address::{base_url, is_deep_link, is_http_url, is_origin, networks};
use crate::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};

/// Listeners, limits, CORS, readiness, shutdown.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where the public listener binds.
    pub public_addr: SocketAddr,
    /// Where the internal listener binds; never to be exposed.
    pub internal_addr: SocketAddr,
    /// Our address as the world sees it, without a slash at the end.
    #[serde(deserialize_with = "base_url")]
    pub public_base_url: String,
    /// What opens the app: a scheme, or an https address that the app has claimed.
    pub app_deep_link: String,
    /// Connections at most, each listener.
    pub connections_max: usize,
    /// Requests in flight at most on the public listener; more get 503 `overloaded`.
    pub requests_max: usize,
    /// From the first byte to the last of a request's head.
    pub header_timeout_seconds: u64,
    /// From a request's head to its answer.
    pub request_timeout_seconds: u64,
    /// Origins that browsers may call the public listener from.
    pub app_allowed_origins: Vec<String>,
    /// Origins that browsers may call the internal listener from.
    pub cc_origin: Vec<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// From turning unready to taking no new connection.
    pub shutdown_delay_seconds: u64,
    /// From taking no new connection to a hard stop.
    pub shutdown_timeout_seconds: u64,
    /// Whether a silent worker makes `/readyz` 503.
    pub ready_requires_worker: bool,
    /// After how long without a heartbeat a worker counts as silent.
    pub worker_stale_seconds: u64,
}

impl ServerConfig {
    /// What opens the app at a path of its own: `halobestie://auth/email?token=…`.
    pub fn app_link(&self, path: &str) -> String {
        let slash = if self.app_deep_link.ends_with('/') {
            ""
        } else {
            "/"
        };
        format!("{}{slash}{path}", self.app_deep_link)
    }
}

const ADDRESS: &str = "an IP address and a port, such as 0.0.0.0:3000";
const BASE_URL: &str = "an http or https URL, such as https://example.org";
const DEEP_LINK: &str = "a scheme or an address that opens the app, such as halobestie:// or https://app.example.org/open";
const ORIGINS: &str =
    "origins as browsers send them, such as https://app.example.org, no slash at the end";
const NETWORKS: &str = "networks or addresses, such as 10.0.0.0/8";

impl Section for ServerConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "PUBLIC_ADDR",
            "public_addr",
            Kind::Text,
            "where the public listener binds; PORT sets the port alone",
        )
        .accepts(ADDRESS),
        Variable::new(
            "INTERNAL_ADDR",
            "internal_addr",
            Kind::Text,
            "where the internal listener binds (control center, metrics, documentation); never expose it",
        )
        .accepts(ADDRESS),
        Variable::new(
            "PUBLIC_BASE_URL",
            "public_base_url",
            Kind::Text,
            "our address as the world sees it, for links and redirects",
        )
        .accepts(BASE_URL)
        .or(&["CLOUDRON_APP_ORIGIN"]),
        Variable::new(
            "APP_DEEP_LINK",
            "app_deep_link",
            Kind::Text,
            "what opens the app, for links on our pages",
        )
        .accepts(DEEP_LINK),
        Variable::new(
            "SERVER_CONNECTIONS_MAX",
            "connections_max",
            Kind::Integer,
            "connections at most, on each listener",
        ),
        Variable::new(
            "SERVER_REQUESTS_MAX",
            "requests_max",
            Kind::Integer,
            "requests in flight at most on the public listener; more are answered 503",
        ),
        Variable::new(
            "SERVER_HEADER_TIMEOUT_SECONDS",
            "header_timeout_seconds",
            Kind::Integer,
            "from the first byte to the last of a request's head",
        ),
        Variable::new(
            "SERVER_REQUEST_TIMEOUT_SECONDS",
            "request_timeout_seconds",
            Kind::Integer,
            "from a request's head to its answer",
        ),
        Variable::new(
            "APP_ALLOWED_ORIGINS",
            "app_allowed_origins",
            Kind::List,
            "origins that browsers may call the public listener from",
        )
        .accepts(ORIGINS),
        Variable::new(
            "CC_ORIGIN",
            "cc_origin",
            Kind::List,
            "origins that browsers may call the internal listener from",
        )
        .accepts(ORIGINS),
        Variable::new(
            "TRUSTED_PROXIES",
            "trusted_proxies",
            Kind::List,
            "networks whose X-Forwarded-For is believed",
        )
        .accepts(NETWORKS),
        Variable::new(
            "SHUTDOWN_DELAY_SECONDS",
            "shutdown_delay_seconds",
            Kind::Integer,
            "from turning unready to taking no new connection",
        ),
        Variable::new(
            "SHUTDOWN_TIMEOUT_SECONDS",
            "shutdown_timeout_seconds",
            Kind::Integer,
            "from taking no new connection to a hard stop",
        ),
        Variable::new(
            "READY_REQUIRES_WORKER",
            "ready_requires_worker",
            Kind::Bool,
            "whether a silent worker makes /readyz 503",
        ),
        Variable::new(
            "WORKER_STALE_SECONDS",
            "worker_stale_seconds",
            Kind::Integer,
            "after how long without a heartbeat a worker counts as silent",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let origins = |list: &[String]| list.iter().all(|origin| is_origin(origin));
        Checks::default()
            .require(
                "public_base_url",
                is_http_url(&self.public_base_url),
                expected(BASE_URL),
            )
            .require(
                "app_deep_link",
                is_deep_link(&self.app_deep_link),
                expected(DEEP_LINK),
            )
            .range("connections_max", self.connections_max, 1..=1_000_000)
            .range("requests_max", self.requests_max, 1..=1_000_000)
            .range(
                "header_timeout_seconds",
                self.header_timeout_seconds,
                1..=300,
            )
            .range(
                "request_timeout_seconds",
                self.request_timeout_seconds,
                1..=3600,
            )
            .require(
                "app_allowed_origins",
                origins(&self.app_allowed_origins),
                expected(ORIGINS),
            )
            .require("cc_origin", origins(&self.cc_origin), expected(ORIGINS))
            .range(
                "shutdown_delay_seconds",
                self.shutdown_delay_seconds,
                0..=600,
            )
            .range(
                "shutdown_timeout_seconds",
                self.shutdown_timeout_seconds,
                1..=600,
            )
            .range(
                "worker_stale_seconds",
                self.worker_stale_seconds,
                1..=86_400,
            )
            .invalid
    }
}

fn expected(accepts: &str) -> String {
    format!("expected {accepts}")
}
