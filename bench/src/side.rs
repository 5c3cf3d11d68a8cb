//! A side of a comparison: what it is called, where it listens, what it speaks, which processes it is.
//!
//! Written as words, one option of the command line each side:
//! `--side 'name=ours url=http://127.0.0.1:3000 url=http://127.0.0.1:3010 pid=71 pid=72'`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Error, bail};

/// How a side is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// The published API of halobestie; the baseline speaks the part of it that is compared.
    #[default]
    Api,
    /// Socket.IO over a WebSocket, to the small server in `bench/peers/socketio`.
    SocketIo,
    /// Pusher's protocol, to Sockudo.
    Pusher,
    /// Nothing: `pgbench` is run over `database`.
    Pgbench,
    /// Nothing: `redis-benchmark` is run against `url`.
    RedisBenchmark,
}

/// One side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    /// Its name in tables; the word `baseline` and the like carry no meaning here.
    pub(crate) name: String,
    /// How it is spoken to.
    pub(crate) speaks: Speaks,
    /// Its servers; where a scenario wants two, the first takes and the last delivers.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The processes whose processor time and memory are the side's.
    pub(crate) pids: Vec<u32>,
    /// What the side stores things in: processes whose time is counted apart, their children included.
    pub(crate) stores: Vec<u32>,
    /// Where it shows Prometheus its figures.
    pub(crate) metrics: Option<SocketAddr>,
    /// Its database.
    pub(crate) database: Option<String>,
    /// A program that starts it, for the scenario that measures starts.
    pub(crate) run: Option<PathBuf>,
}

impl Side {
    /// The server that takes what is sent.
    pub(crate) fn first(&self) -> Result<SocketAddr, Error> {
        let first = self.addresses.first().copied();
        first.with_context(|| format!("the side {} needs a url", self.name))
    }

    /// The server that delivers: the same one where there is only one.
    pub(crate) fn last(&self) -> Result<SocketAddr, Error> {
        let last = self.addresses.last().copied();
        last.with_context(|| format!("the side {} needs a url", self.name))
    }
}

impl FromStr for Side {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut side = Self::default();
        for word in text.split_whitespace() {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("expected key=value, found {word}"))?;
            side.take(key, value)
                .with_context(|| format!("in {word}"))?;
        }
        if side.name.is_empty() {
            bail!("a side needs a name: name=ours");
        }
        Ok(side)
    }
}

impl Side {
    fn take(&mut self, key: &str, value: &str) -> Result<(), Error> {
        match key {
            "name" => value.clone_into(&mut self.name),
            "url" => self.addresses.push(address(value)?),
            "pid" => self.pids.push(value.parse()?),
            "store" => self.stores.push(value.parse()?),
            "metrics" => self.metrics = Some(address(value)?),
            "database" => self.database = Some(value.to_owned()),
            "run" => self.run = Some(value.into()),
            "speaks" => self.speaks = value.parse()?,
            _ => bail!(
                "known are name, url, pid, store, metrics, database, run and speaks; not {key}"
            ),
        }
        Ok(())
    }
}

impl FromStr for Speaks {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "api" => Self::Api,
            "socketio" => Self::SocketIo,
            "pusher" => Self::Pusher,
            "pgbench" => Self::Pgbench,
            "redis-benchmark" => Self::RedisBenchmark,
            _ => bail!("api, socketio, pusher, pgbench or redis-benchmark; not {text}"),
        })
    }
}

/// The generator speaks plain HTTP to addresses: a name server or TLS would be measured with it.
fn address(url: &str) -> Result<SocketAddr, Error> {
    let bare = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("redis://"))
        .unwrap_or(url);
    let bare = bare.trim_end_matches('/').replace("localhost", "127.0.0.1");
    bare.parse()
        .with_context(|| format!("expected http://address:port, found {url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_read_from_its_words() {
        let side: Side = "name=ours url=http://127.0.0.1:1/ url=http://localhost:2 pid=7 store=8"
            .parse()
            .unwrap();
        assert_eq!(side.name, "ours");
        assert_eq!(side.first().unwrap().port(), 1);
        assert_eq!(side.last().unwrap().port(), 2);
        assert_eq!((side.pids, side.stores), (vec![7], vec![8]));
        assert_eq!(side.speaks, Speaks::Api);
    }

    #[test]
    fn a_wrong_word_is_named() {
        for (text, named) in [
            ("name=a colour=red", "colour"),
            ("name=a speaks=whale", "whale"),
            ("name=a url=https://example.org", "https://example.org"),
            ("name=a pid", "key=value"),
            ("url=http://127.0.0.1:1", "needs a name"),
        ] {
            let error = text.parse::<Side>().unwrap_err();
            assert!(format!("{error:#}").contains(named), "{text}: {error:#}");
        }
    }
}
