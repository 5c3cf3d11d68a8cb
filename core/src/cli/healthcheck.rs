//! `healthcheck`: for images without curl.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Binary, Failure};
use crate::config::Sources;

/// Ask the server on this machine whether it is alive: exit 0 or 1.
///
/// Asks the internal listener (INTERNAL_ADDR), which every role binds.
#[derive(Debug, Args)]
pub struct HealthcheckArgs {
    /// Ask for readiness (/readyz) instead of liveness (/livez).
    #[arg(long)]
    ready: bool,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 3)]
    timeout_seconds: u64,
}

pub(super) async fn run(binary: &Binary, args: HealthcheckArgs) -> Result<(), Failure> {
    let config = binary.load_config(&Sources::of_process())?;
    let address = reachable(config.server.internal_addr);
    let path = if args.ready { "/readyz" } else { "/livez" };
    let limit = Duration::from_secs(args.timeout_seconds);
    timeout(limit, ask(address, path))
        .await
        .with_context(|| format!("http://{address}{path} did not answer in {limit:?}"))??;
    Ok(())
}

/// A listener on every address is asked on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if ip.is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
        }
        _ => address,
    }
}

async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<()> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = hyper::Request::get(path)
        .header(hyper::header::HOST, address.to_string())
        .body(Empty::<Bytes>::new())?;
    // The connection makes progress only while it is polled beside the request.
    let response = tokio::select! {
        response = sender.send_request(request) => response?,
        ended = connection => { ended?; bail!("the server closed the connection") }
    };
    if !response.status().is_success() {
        bail!("http://{address}{path} answered {}", response.status());
    }
    Ok(())
}
