//! Calls to services of others over HTTP: the one way to make a client.
//!
//! The invariant: a call goes to the address that was configured and to no other, encrypted by rustls
//! where that says https, and it has a deadline. So redirects are not followed (they would carry keys
//! and messages elsewhere) and proxies of the environment are not looked at.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

use crate::problem::BoxError;

/// The client library: modules need no dependency of their own.
pub use reqwest;

/// Longer than a request's pause on a busy connection, shorter than the idle limit of a usual server:
/// a connection that the other end closes at the moment of a request leaves its outcome unknown.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_PER_HOST_MAX: usize = 8;
/// HTTP/2 says good-bye before it closes, so an idle connection is kept for as long as servers do.
const IDLE_HTTP2: Duration = Duration::from_secs(150);
/// How often a connection that calls wait on is asked whether it lives, and how long it may take to say.
const PING_EVERY: Duration = Duration::from_secs(15);
const PONG_WITHIN: Duration = Duration::from_secs(5);

/// The deadlines of a client.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For a connection: its name, TCP and TLS. Missing it is a failure to connect: nothing was sent.
    pub connect: Duration,
    /// From the call to the end of its answer, the connection included.
    pub total: Duration,
}

/// A client with its own pool of connections. Cheap to clone, expensive to make: one a module.
///
/// # Errors
/// When TLS cannot be set up, which is a bug of ours.
pub fn client(deadlines: Deadlines) -> Result<reqwest::Client, BoxError> {
    let client = builder(deadlines, tls()?)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .http1_only();
    Ok(client.build()?)
}

/// A client that speaks HTTP/2 alone: calls to one host share one connection, as streams of it. Over
/// http it begins with HTTP/2 at once. Pings find a connection that has died under a call, and one that
/// the other end closes is made anew.
///
/// # Errors
/// When TLS cannot be set up, which is a bug of ours.
pub fn client_http2(deadlines: Deadlines) -> Result<reqwest::Client, BoxError> {
    let mut tls = tls()?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let client = builder(deadlines, tls)
        .pool_idle_timeout(IDLE_HTTP2)
        .http2_prior_knowledge()
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PONG_WITHIN);
    Ok(client.build()?)
}

fn builder(deadlines: Deadlines, tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("halobestie/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(deadlines.connect)
        .timeout(deadlines.total)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    // Named, not left to the process's default: another crate may bring a second provider.
    Ok(
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_made_without_a_provider_of_the_process() {
        let deadlines = Deadlines {
            connect: Duration::from_secs(1),
            total: Duration::from_secs(2),
        };
        assert!(client(deadlines).is_ok());
        assert!(client_http2(deadlines).is_ok());
    }
}
