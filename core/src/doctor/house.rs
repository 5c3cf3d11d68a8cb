//! What needs no server to look at: the configuration, and who can reach the internal listener.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::{Details, Examination, Finding};
use crate::config::Config;
use crate::module::Context;

/// How long a try to reach our own listener may take.
const REACH_WITHIN: Duration = Duration::from_secs(1);
/// An address of RFC 5737, which belongs to nobody. Choosing a route to it sends nothing.
const NOWHERE: (&str, u16) = ("192.0.2.1", 9);

/// The configuration. It has been loaded by now, so there is nothing in it but warnings.
pub(super) fn configuration(config: &Config) -> Examination {
    let (env, warnings) = (config.env.as_str(), config.warnings());
    Examination::new("configuration", "what was configured", move || {
        let warnings: Details = warnings.iter().cloned().collect();
        async move {
            if warnings.is_empty() {
                return Finding::ok(format!("nothing to warn of ({env})"));
            }
            Finding::warning(
                format!("legal, but risky ({env})"),
                "`config show` says where each value came from",
            )
            .with_details(warnings)
        }
    })
}

/// The internal listener, which trusts whoever reaches it with metrics and documentation.
pub(super) fn internal_listener(cx: &Context) -> Examination {
    let address = cx.server.internal_addr;
    Examination::new("internal", "who can reach INTERNAL_ADDR", move || {
        look_at_internal_listener(address)
    })
}

async fn look_at_internal_listener(address: SocketAddr) -> Finding {
    if address.ip().is_loopback() {
        return Finding::ok(format!(
            "INTERNAL_ADDR ({address}) is for this machine alone"
        ));
    }
    let outside = SocketAddr::new(outside_address(address.ip()).await, address.port());
    let reached = timeout(REACH_WITHIN, TcpStream::connect(outside)).await;
    let now = match reached {
        Ok(Ok(_)) => format!("answers at {outside}"),
        _ => "is not reached now".to_owned(),
    };
    Finding::warning(
        format!("INTERNAL_ADDR ({address}) is not a loopback address and {now}"),
        "set it to 127.0.0.1, or keep it behind a firewall: it shows metrics, documentation and the \
         control center",
    )
}

/// The address by which others reach a listener that is bound here.
async fn outside_address(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    let route = async {
        let socket = UdpSocket::bind(("0.0.0.0", 0)).await?;
        socket.connect(NOWHERE).await?;
        socket.local_addr()
    };
    route.await.map_or(bound, |address| address.ip())
}
