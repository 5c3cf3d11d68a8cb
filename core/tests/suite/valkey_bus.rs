//! Valkey's client and the bus against a real server process, which each test starts for itself,
//! kills, freezes and starts anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod bus;
mod commands;
mod outages;

use std::time::Duration;

use halobestie_core::bus::Bus;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::metrics::Metrics;
use halobestie_core::valkey::redis::{Client, Cmd, FromRedisValue};
use halobestie_core::valkey::{Valkey, ValkeyOptions};
use halobestie_testkit::ValkeyProcess;

/// The deadline of a command in these tests.
const TIMEOUT: Duration = Duration::from_millis(250);
/// How much later than its deadline a failure may be seen on a busy machine.
const SLACK: Duration = Duration::from_millis(250);
/// Effects that take longer than this do not come.
const PATIENCE: Duration = Duration::from_secs(15);

/// What one server process would have.
struct Process {
    valkey: Valkey,
    bus: Bus,
    metrics: Metrics,
    lifecycle: Lifecycle,
}

impl Process {
    /// A process whose Valkey may be away.
    fn start(port: u16) -> Self {
        Self::start_with(options(port, "test:"))
    }

    fn start_with(options: ValkeyOptions) -> Self {
        let (metrics, lifecycle) = (Metrics::default(), Lifecycle::default());
        let valkey = Valkey::new(options, &metrics, &lifecycle).unwrap();
        let bus = Bus::over_valkey(&valkey, &metrics, &lifecycle);
        Self {
            valkey,
            bus,
            metrics,
            lifecycle,
        }
    }

    /// A process that is connected.
    async fn connected(server: &ValkeyProcess) -> Self {
        let process = Self::start(server.port());
        process.is_connected().await;
        process
    }

    async fn is_connected(&self) {
        assert!(self.valkey.first_connect(PATIENCE).await, "cannot connect");
        let mut connected = self.bus.connected();
        soon(connected.wait_for(|connected| *connected))
            .await
            .unwrap();
    }

    /// Waits for the circuit to have closed this often.
    async fn has_connected(&self, times: u64) {
        let mut connects = self.valkey.connects();
        soon(connects.wait_for(|connects| *connects >= times))
            .await
            .unwrap();
        assert_eq!(*self.valkey.connects().borrow(), times);
    }

    /// A line of the metrics page.
    fn shows(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|shown| shown == line)
    }
}

/// Asks the server directly, past the client under test.
fn ask<T: FromRedisValue>(server: &ValkeyProcess, words: &str) -> T {
    let mut command = Cmd::new();
    words.split(' ').for_each(|word| {
        command.arg(word);
    });
    let client = Client::open(server.url()).unwrap();
    command
        .query(&mut client.get_connection().unwrap())
        .unwrap()
}

fn options(port: u16, key_prefix: &str) -> ValkeyOptions {
    ValkeyOptions {
        url: format!("valkey://127.0.0.1:{port}").into(),
        key_prefix: key_prefix.to_owned(),
        timeout: TIMEOUT,
        pool_size: 2,
    }
}

/// Waits for something that must come.
async fn soon<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, coming)
        .await
        .expect("it does not come")
}
