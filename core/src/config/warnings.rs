//! Combinations that are legal but risky, a sentence each.

use std::net::SocketAddr;

use super::Config;

/// The warnings of a configuration.
pub(super) fn of(config: &Config) -> Vec<String> {
    let rules: [fn(&Config) -> Option<String>; 7] = [
        in_memory,
        shutdown,
        internal_listener,
        public_base_url,
        plain_origins,
        trusted_proxies,
        traces,
    ];
    rules.iter().filter_map(|rule| rule(config)).collect()
}

fn in_memory(config: &Config) -> Option<String> {
    config.valkey.url.is_none().then(|| {
        "VALKEY_URL is not set: mirror and bus live in this process's memory, so run no second one"
            .to_owned()
    })
}

fn shutdown(config: &Config) -> Option<String> {
    let (delay, timeout) = (
        config.server.shutdown_delay_seconds,
        config.server.shutdown_timeout_seconds,
    );
    (delay > timeout).then(|| {
        format!(
            "SHUTDOWN_DELAY_SECONDS ({delay}) is longer than SHUTDOWN_TIMEOUT_SECONDS ({timeout}): \
             whoever stops the process must wait for both"
        )
    })
}

fn internal_listener(config: &Config) -> Option<String> {
    let address: SocketAddr = config.server.internal_addr;
    (config.env.is_deployed() && !address.ip().is_loopback()).then(|| {
        format!(
            "INTERNAL_ADDR ({address}) is not a loopback address: keep the control center and the \
             metrics behind a firewall"
        )
    })
}

fn public_base_url(config: &Config) -> Option<String> {
    let url = &config.server.public_base_url;
    (config.env.is_deployed() && !url.starts_with("https://")).then(|| {
        format!("PUBLIC_BASE_URL ({url}) is not https: links and redirects will point there")
    })
}

fn plain_origins(config: &Config) -> Option<String> {
    let server = &config.server;
    let app = server.app_allowed_origins.iter();
    let mut all = app
        .map(|it| ("APP_ALLOWED_ORIGINS", it))
        .chain(server.cc_origin.iter().map(|it| ("CC_ORIGIN", it)));
    let (variable, origin) = all.find(|(_, it)| it.starts_with("http://"))?;
    config.env.is_deployed().then(|| {
        format!(
            "{variable} contains {origin}, which is not https: whoever sits between it and its visitors \
             can call us in their name"
        )
    })
}

fn trusted_proxies(config: &Config) -> Option<String> {
    let everyone = config
        .server
        .trusted_proxies
        .iter()
        .find(|network| network.prefix_len() == 0)?;
    Some(format!(
        "TRUSTED_PROXIES contains {everyone}: anybody can claim any address, which defeats the limits \
         by address"
    ))
}

fn traces(config: &Config) -> Option<String> {
    config.log.otlp_endpoint.as_ref().map(|_| {
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but traces are not built in: nothing is sent there"
            .to_owned()
    })
}
