//! What needs no server to look at: the configuration, and who can reach the internal listener.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Uri;
use tokio::net::{TcpStream, ToSocketAddrs, UdpSocket};
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
    let (address, env) = (cx.server.internal_addr, cx.env);
    let world = env
        .is_deployed()
        .then(|| host_of(&cx.server.public_base_url));
    let world = world.flatten();
    Examination::new("internal", "who can reach INTERNAL_ADDR", move || {
        look_at_internal_listener(address, world.clone())
    })
}

/// The host of our own address as the world sees it.
fn host_of(url: &str) -> Option<String> {
    let host = url.parse::<Uri>().ok()?.host()?.to_owned();
    Some(host.trim_matches(['[', ']']).to_owned())
}

/// `world` is the host by which everybody reaches us; our internal port must not answer there, whoever
/// has forwarded or published it.
async fn look_at_internal_listener(address: SocketAddr, world: Option<String>) -> Finding {
    if let Some(host) = world
        && reaches((host.as_str(), address.port())).await
    {
        let port = address.port();
        return Finding::problem(
            format!("port {port} answers at {host}, where everybody can reach it"),
            "publish and forward it nowhere: a tunnel by SSH or a VPN is the way to it (DEPLOY.md)",
        );
    }
    if address.ip().is_loopback() {
        return Finding::ok(format!(
            "INTERNAL_ADDR ({address}) is for this machine alone"
        ));
    }
    let outside = SocketAddr::new(outside_address(address.ip()).await, address.port());
    let now = match reaches(outside).await {
        true => format!("answers at {outside}"),
        false => "is not reached now".to_owned(),
    };
    Finding::warning(
        format!("INTERNAL_ADDR ({address}) is not a loopback address and {now}"),
        "set it to 127.0.0.1, or keep it behind a firewall: it shows metrics, documentation and the \
         control center",
    )
}

async fn reaches(place: impl ToSocketAddrs) -> bool {
    matches!(
        timeout(REACH_WITHIN, TcpStream::connect(place)).await,
        Ok(Ok(_))
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::doctor::Grade;

    #[tokio::test]
    async fn an_internal_port_that_answers_at_our_public_name_is_a_problem() {
        let somebody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = somebody.local_addr().unwrap();
        let host = host_of("http://127.0.0.1:3000");
        assert_eq!(host.as_deref(), Some("127.0.0.1"));

        let found = look_at_internal_listener(address, host.clone()).await;
        assert_eq!(found.grade, Grade::Problem, "{found:?}");
        drop(somebody);
        let found = look_at_internal_listener(address, host).await;
        assert_eq!(found.grade, Grade::Ok, "{found:?}");
    }

    #[tokio::test]
    async fn an_internal_listener_on_every_address_is_a_warning() {
        let address = "0.0.0.0:9".parse().unwrap();
        let found = look_at_internal_listener(address, None).await;
        assert_eq!(found.grade, Grade::Warning, "{found:?}");
    }
}
