//! `[valkey]`: the mirror, the cache and the bus between processes.

use bb8_redis::redis::IntoConnectionInfo;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};

/// Valkey.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValkeyConfig {
    /// `redis://…`; unset means one process with an in-memory mirror and bus.
    pub url: Option<SecretString>,
    /// Put before every key and channel.
    #[serde(default)]
    pub key_prefix: String,
    /// The deadline of every command, in milliseconds.
    pub timeout_ms: u64,
    /// Connections at most.
    pub pool_size: u32,
}

const URL: &str = "a URL such as valkey://user:password@host:6379/0 (or redis://)";
const KEY_PREFIX: &str = "up to 64 printable ASCII characters without spaces";
const KEY_PREFIX_BYTES_MAX: usize = 64;

impl Section for ValkeyConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "VALKEY_URL",
            "url",
            Kind::Secret,
            "Valkey or Redis; without it one process keeps mirror and bus in memory, which staging and \
             production refuse",
        )
        .accepts(URL)
        .or(&["CLOUDRON_REDIS_URL"]),
        Variable::new(
            "VALKEY_KEY_PREFIX",
            "key_prefix",
            Kind::Text,
            "put before every key and channel, where several systems share one Valkey",
        )
        .accepts(KEY_PREFIX),
        Variable::new(
            "VALKEY_TIMEOUT_MS",
            "timeout_ms",
            Kind::Integer,
            "the deadline of every command, in milliseconds",
        ),
        Variable::new(
            "VALKEY_POOL_SIZE",
            "pool_size",
            Kind::Integer,
            "connections to Valkey, shared by all commands of a process",
        ),
    ];

    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        let url = self.url.as_ref().map(ExposeSecret::expose_secret);
        let required = format!("required in {env}: expected {URL}");
        Checks::default()
            .require("url", url.is_some() || !env.is_deployed(), required)
            .require(
                "url",
                url.is_none_or(is_valkey_url),
                format!("expected {URL}"),
            )
            .require(
                "key_prefix",
                is_key_prefix(&self.key_prefix),
                format!("expected {KEY_PREFIX}"),
            )
            .range("timeout_ms", self.timeout_ms, 1..=60_000)
            .range("pool_size", self.pool_size, 1..=1000)
            .invalid
    }
}

fn is_valkey_url(text: &str) -> bool {
    text.into_connection_info().is_ok()
}

fn is_key_prefix(text: &str) -> bool {
    text.len() <= KEY_PREFIX_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}
