//! Where a request comes from, as far as it can be believed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::HeaderMap;
use http::request::Parts;
use ipnet::{IpNet, Ipv6Net};

/// The other end of the connection that a request came on; the server puts it into the extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What to count by: an IPv4 address, or the /64 that a provider hands out as a whole; inside of it one
/// client has as many addresses as it likes.
pub fn network_of(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address).into(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().into(),
    }
}

/// The rightmost address of `X-Forwarded-For` and the peer's own that is not a trusted proxy's: what
/// stands further left was written by strangers.
pub(super) fn of(head: &Parts, trusted_proxies: &[IpNet]) -> IpAddr {
    let peer = head.extensions.get::<Peer>();
    // Only a request that came on no connection, which is a test's, has no peer.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let is_trusted = |addr: &IpAddr| trusted_proxies.iter().any(|net| net.contains(addr));
    let mut client = peer.to_canonical();
    for hop in hops_from_the_right(&head.headers) {
        if !is_trusted(&client) {
            break;
        }
        // A trusted proxy that writes something unreadable is the last hop we know.
        let Some(hop) = hop else { break };
        client = hop;
    }
    client
}

/// Whether the client used TLS, by the word of a trusted proxy; we end none ourselves.
pub(super) fn is_by_tls(head: &Parts, trusted_proxies: &[IpNet]) -> bool {
    let peer = head.extensions.get::<Peer>();
    let peer = peer.map(|peer| peer.0.ip().to_canonical());
    let is_trusted = peer.is_some_and(|addr| trusted_proxies.iter().any(|net| net.contains(&addr)));
    let lines = head.headers.get_all("x-forwarded-proto").iter();
    // The nearest proxy's word is the last.
    let word = lines.filter_map(|line| line.to_str().ok()).next_back();
    let word = word.and_then(|line| line.rsplit(',').next());
    is_trusted && word.is_some_and(|word| word.trim().eq_ignore_ascii_case("https"))
}

fn hops_from_the_right(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(',').map(parse_hop))
}

/// An address: plain, or with a port as some proxies write it.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|addr| addr.ip());
    text.parse::<IpAddr>()
        .ok()
        .or_else(with_port)
        .map(|addr| addr.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> Parts {
        let mut req = http::Request::new(());
        req.extensions_mut().insert(Peer(peer.parse().unwrap()));
        for line in forwarded {
            req.headers_mut()
                .append("x-forwarded-for", line.parse().unwrap());
        }
        req.into_parts().0
    }

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        of(&from(peer, forwarded), &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_where_it_comes_from() {
        assert_eq!(
            client("203.0.113.9:4000", &["1.1.1.1"], &["10.0.0.0/8"]),
            "203.0.113.9"
        );
        assert_eq!(client("203.0.113.9:4000", &["1.1.1.1"], &[]), "203.0.113.9");
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        let trusted = &["10.0.0.0/8", "fd00::/8"];
        assert_eq!(
            client("10.0.0.1:1", &["6.6.6.6, 203.0.113.9"], trusted),
            "203.0.113.9"
        );
        assert_eq!(
            client("10.0.0.1:1", &["203.0.113.9, 10.0.0.2"], trusted),
            "203.0.113.9"
        );
        assert_eq!(
            client("10.0.0.1:1", &["6.6.6.6, 203.0.113.9", "10.0.0.2"], trusted),
            "203.0.113.9"
        );
        assert_eq!(
            client("[fd00::1]:1", &["[2001:db8::1]:443"], trusted),
            "2001:db8::1"
        );
        assert_eq!(
            client("[::ffff:10.0.0.1]:1", &["203.0.113.9:99"], trusted),
            "203.0.113.9"
        );
    }

    #[test]
    fn an_ipv6_client_is_its_64() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("203.0.113.9"), "203.0.113.9/32");
        assert_eq!(network("::ffff:203.0.113.9"), "203.0.113.9/32");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }

    #[test]
    fn an_unreadable_or_missing_hop_leaves_the_last_known_one() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(
            client("10.0.0.1:1", &["203.0.113.9, unknown"], trusted),
            "10.0.0.1"
        );
        assert_eq!(client("10.0.0.1:1", &[], trusted), "10.0.0.1");
        assert_eq!(
            client("10.0.0.1:1", &["10.0.0.3, 10.0.0.2"], trusted),
            "10.0.0.3"
        );
    }
}
