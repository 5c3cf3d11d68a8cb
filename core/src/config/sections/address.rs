//! What addresses look like: base URLs, origins, networks.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

/// Whether a text is an `http` or `https` URL with a host and no query.
pub(super) fn is_http_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.query().is_none()
        && !text.contains(['@', '#'])
}

/// Whether a text is an origin exactly as a browser sends it: scheme and host, in lower case, and
/// nothing after them. Other schemes than http are those of apps around a web view.
pub(super) fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    text == format!("{scheme}://{authority}").to_lowercase() && !text.contains('@')
}

/// Whether a text is a scheme of an app, or an https address, below which paths can be appended. `://`
/// keeps out schemes that run something, such as `javascript:`. A page on the machine itself needs no TLS.
pub(super) fn is_deep_link(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest.split([':', '/']).next().unwrap_or_default();
    let is_here = scheme == "http" && matches!(host, "localhost" | "127.0.0.1");
    let mut letters = scheme.chars();
    let is_scheme = letters.next().is_some_and(|it| it.is_ascii_lowercase())
        && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "+-.".contains(it))
        && (is_here || !["javascript", "data", "file", "blob", "http"].contains(&scheme));
    let is_path = rest
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || "-._~/:".contains(it));
    is_scheme && is_path && (scheme != "https" || !rest.is_empty())
}

/// Reads a base URL; paths are appended to it, so it loses the slashes at its end.
pub(super) fn base_url<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Ok(String::deserialize(text)?.trim_end_matches('/').to_owned())
}

/// Reads networks; a bare address is a network of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(texts: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        let network = text
            .parse()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map_err(|_| de::Error::custom(format!("{text:?} is none")))
    };
    Vec::<String>::deserialize(texts)?
        .iter()
        .map(network)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_link_opens_an_app_and_runs_nothing() {
        for fine in [
            "halobestie://",
            "halobestie://open",
            "com.example.app://x/",
            "https://a.example/open",
            "http://localhost:3000",
            "http://127.0.0.1:3000/app",
        ] {
            assert!(is_deep_link(fine), "{fine}");
        }
        for wrong in [
            "",
            "halobestie",
            "halobestie:",
            "javascript://%0aalert(1)",
            "data://x",
            "http://a.example",
            "http://localhost.a.example",
            "https://",
            "Halobestie://",
            "halobestie://x?y=",
            "halobestie://\"><script>",
            "halobestie:// x",
        ] {
            assert!(!is_deep_link(wrong), "{wrong}");
        }
    }
}
