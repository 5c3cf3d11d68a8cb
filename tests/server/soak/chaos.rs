//! The servers, and what befalls them.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::entropy::Entropy;
use halobestie_testkit::ValkeyProcess;
use tokio::sync::RwLock;
use tokio::time::{Instant, sleep};

use super::person::Addresses;
use crate::process::{Environment, Server};

/// How many processes.
const SERVERS: usize = 3;
/// Between two troubles, and how long Valkey is away.
const PAUSE_MS: u64 = 1_500;

/// Three processes and their Valkey.
pub(super) struct Cluster {
    environment: Environment,
    valkey: ValkeyProcess,
    chance: Entropy,
    servers: Vec<Server>,
    addresses: Addresses,
    valkeys_killed: u32,
    servers_killed: u32,
}

impl Cluster {
    pub(super) async fn start(
        environment: Environment,
        valkey: ValkeyProcess,
        chance: Entropy,
    ) -> Self {
        let mut cluster = Self {
            environment,
            valkey,
            chance,
            servers: Vec::new(),
            addresses: Arc::new(RwLock::new(Vec::new())),
            valkeys_killed: 0,
            servers_killed: 0,
        };
        for _ in 0..SERVERS {
            cluster.start_another().await;
        }
        cluster
    }

    pub(super) fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    async fn start_another(&mut self) {
        let server = self.environment.serve(&["serve"]).await;
        self.addresses.write().await.push(server.public);
        self.servers.push(server);
    }

    /// Kills one thing after the other for so long; each at least once. In the end everything is up.
    pub(super) async fn trouble_for(&mut self, lasts: Duration) {
        let end = Instant::now() + lasts;
        self.pause().await;
        self.lose_valkey().await;
        self.kill_a_server().await;
        while Instant::now() < end {
            self.pause().await;
            match self.chance.below(3) {
                0 => self.lose_valkey().await,
                1 => self.kill_a_server().await,
                _ => {
                    self.valkey.kill().await;
                    self.kill_a_server().await;
                    self.valkey.restart().await;
                    self.valkeys_killed += 1;
                }
            }
        }
    }

    async fn pause(&self) {
        sleep(Duration::from_millis(self.chance.below(PAUSE_MS))).await;
    }

    async fn lose_valkey(&mut self) {
        self.valkey.kill().await;
        self.pause().await;
        self.valkey.restart().await;
        self.valkeys_killed += 1;
    }

    /// Without any warning, and a fresh one takes its place.
    async fn kill_a_server(&mut self) {
        let index = self.chance.below(self.servers.len() as u64);
        let server = self
            .servers
            .swap_remove(usize::try_from(index).expect("a small number"));
        let address = server.public;
        server.signal("KILL").await;
        assert_eq!(server.exit_code().await, None, "it was killed");
        self.addresses.write().await.retain(|it| *it != address);
        self.servers_killed += 1;
        self.start_another().await;
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "Valkey was killed {} times, servers {} times",
            self.valkeys_killed, self.servers_killed
        )
    }
}
