//! Where a server listens: plain `http://host:port`, checked when the arguments are read.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result};
use hyper::Uri;

/// Where a server listens: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    authority: String,
    port: u16,
}

impl Address {
    /// What a TCP connection is opened to.
    pub(crate) fn host_and_port(&self) -> String {
        let host = self.authority.strip_suffix(&format!(":{}", self.port));
        format!("{}:{}", host.unwrap_or(&self.authority), self.port)
    }

    /// A WebSocket address on this server.
    pub(crate) fn web_socket(&self, path: &str) -> Result<Uri> {
        format!("ws://{}{path}", self.authority)
            .parse()
            .context("cannot make an address")
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WANTED: &str = "give an address like http://127.0.0.1:3000";
        let uri: Uri = text.parse().map_err(|error| format!("{error}; {WANTED}"))?;
        if uri.scheme_str() != Some("http") {
            return Err(format!("only plain http:// is spoken here; {WANTED}"));
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(format!("an address without a path is wanted; {WANTED}"));
        }
        let authority = uri.authority().ok_or(WANTED)?;
        if authority.as_str().contains('@') {
            return Err(format!("an address without a user is wanted; {WANTED}"));
        }
        let port = uri.port_u16().unwrap_or(80);
        Ok(Self {
            authority: authority.as_str().to_owned(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_with_a_host_and_nothing_more() {
        let address: Address = "http://[::1]:3000/".parse().unwrap();
        assert_eq!(address.host_and_port(), "[::1]:3000");
        assert_eq!(address.to_string(), "http://[::1]:3000");
        let portless: Address = "http://chat.test".parse().unwrap();
        assert_eq!(portless.host_and_port(), "chat.test:80");
        for refused in [
            "https://chat.test",
            "127.0.0.1:3000",
            "http://chat.test/api",
            "http://me@chat.test",
        ] {
            assert!(refused.parse::<Address>().is_err(), "{refused}");
        }
    }
}
