//! What can be measured, one file each.

mod beacon;
mod connect_storm;
mod fanout;
mod heartbeat;
mod idle;
mod mixed;
mod otp_refresh;
mod pairing;
mod send_http;
mod send_ws;
mod start;
mod sweep;

use std::time::{Duration, UNIX_EPOCH};

use anyhow::Error;
use clap::ValueEnum;

use crate::fixture::Fixture;
use crate::load::Load;
use crate::results::Round;
use crate::side::Side;
use crate::token::Mint;

/// Where the ceiling of HTTP takes its answer from.
pub(crate) const BEACON: &str = beacon::PATH;

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Polls the beacon
    Beacon,
    /// Heartbeats of signed-in mitras
    Heartbeat,
    /// Messages over HTTP, each connection in a session of its own
    SendHttp,
    /// Messages over WebSockets, each socket in a session of its own
    SendWs,
    /// Messages published on one server and received on another
    Fanout,
    /// Sockets that are open and silent: memory and processor time of each
    Idle,
    /// All sockets break, come back at once, and resume
    ConnectStorm,
    /// A request is offered to all mitras, and all accept
    Pairing,
    /// Sign-in by one-time code, then refreshes, each a durable rotation
    OtpRefresh,
    /// Beacons, heartbeats and messages over a compressed day
    Mixed,
    /// From the start of a process to its first ready answer, and its memory then
    Start,
    /// Heartbeats while sweeps run over every mitra
    Sweep,
}

/// What a scenario acts with.
pub(crate) struct World {
    pub(crate) fixture: Fixture,
    pub(crate) mint: Mint,
    pub(crate) load: Load,
    /// How many rounds there are to be.
    pub(crate) rounds: usize,
    /// Sockets of each person who receives.
    pub(crate) devices: usize,
}

impl World {
    /// A number that no other round has had, to make message ids and phone numbers of.
    pub(crate) fn run_id(&self) -> u64 {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::try_from(now.as_nanos()).unwrap_or_default()
    }
}

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With its thousands apart.
    Count,
    /// Microseconds, written as milliseconds.
    Millis,
    /// One digit after the point.
    Tenths,
    /// A part of one, written as a percentage.
    Share,
}

/// A column of a scenario's table: the figure's name, its heading, how it is written.
pub(crate) type Column = (&'static str, &'static str, Form);

const RATE: Column = ("rate", "a second", Form::Count);
const PER_CORE: Column = ("per_core", "a second of server core", Form::Count);
const CPU: Column = ("cpu_us", "server CPU each, µs", Form::Tenths);
const P50: Column = ("p50_us", "p50, ms", Form::Millis);
const P99: Column = ("p99_us", "p99, ms", Form::Millis);
const P999: Column = ("p999_us", "p99.9, ms", Form::Millis);
const FAILURES: Column = ("failures", "failed", Form::Count);
const GENERATOR: Column = ("generator_load", "generator's core", Form::Share);
const LOST: Column = ("lost", "lost", Form::Count);
const DUPLICATED: Column = ("duplicated", "doubled", Form::Count);

impl Scenario {
    /// One round of one side, or all of them where a scenario's rounds build on each other.
    pub(crate) async fn rounds(self, world: &World, side: &Side) -> Result<Vec<Round>, Error> {
        let round = match self {
            Self::Idle => return idle::rounds(world, side).await,
            Self::Beacon => beacon::round(world, side).await,
            Self::Heartbeat => heartbeat::round(world, side).await,
            Self::SendHttp => send_http::round(world, side).await,
            Self::SendWs => send_ws::round(world, side).await,
            Self::Fanout => fanout::round(world, side).await,
            Self::ConnectStorm => connect_storm::round(world, side).await,
            Self::Pairing => pairing::round(world, side).await,
            Self::OtpRefresh => otp_refresh::round(world, side).await,
            Self::Mixed => mixed::round(world, side).await,
            Self::Start => start::round(world, side).await,
            Self::Sweep => sweep::round(world, side).await,
        };
        Ok(vec![round?])
    }

    /// Whether one call makes all rounds of a side.
    pub(crate) fn is_cumulative(self) -> bool {
        self == Self::Idle
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |it| it.get_name().to_owned())
    }

    /// The scenario of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    /// What one operation is.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Beacon | Self::Heartbeat | Self::Mixed | Self::Sweep => "request",
            Self::SendHttp | Self::SendWs => "message",
            Self::Fanout => "delivery",
            Self::Idle | Self::ConnectStorm => "socket",
            Self::Pairing => "accept",
            Self::OtpRefresh => "refresh",
            Self::Start => "start",
        }
    }

    /// What its table shows.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Beacon | Self::Heartbeat | Self::SendHttp | Self::SendWs | Self::OtpRefresh => {
                &[RATE, PER_CORE, CPU, P50, P99, P999, FAILURES, GENERATOR]
            }
            Self::Fanout => &[RATE, PER_CORE, P50, P99, P999, LOST, DUPLICATED, GENERATOR],
            Self::Idle => &[
                ("bytes_each", "resident bytes each", Form::Count),
                ("cpu_ms_per_1000", "CPU of 1,000, ms a second", Form::Tenths),
                LOST,
            ],
            Self::ConnectStorm => &[
                RATE,
                P50,
                P99,
                ("max_us", "all back after, ms", Form::Millis),
                ("turned_away", "turned away", Form::Count),
                LOST,
                ("statements_each", "statements each", Form::Tenths),
            ],
            Self::Pairing => &[
                ("offers_us", "all offered after, ms", Form::Millis),
                P50,
                P99,
                ("winners", "winners", Form::Count),
                FAILURES,
            ],
            Self::Mixed => &[
                RATE,
                CPU,
                ("p99_us_beacon", "beacon p99, ms", Form::Millis),
                ("p99_us_heartbeat", "heartbeat p99, ms", Form::Millis),
                ("p99_us_message", "message p99, ms", Form::Millis),
                FAILURES,
            ],
            Self::Start => &[
                ("ready_us", "ready after, ms", Form::Millis),
                ("resident_kib", "resident, KiB", Form::Count),
                (
                    "own_kib",
                    "of that not shared with the file, KiB",
                    Form::Count,
                ),
            ],
            Self::Sweep => &[
                RATE,
                P50,
                P99,
                P999,
                ("sweep_ms", "longest sweep, ms", Form::Count),
                FAILURES,
            ],
        }
    }

    /// How long something that was sent may take to arrive before it counts as lost: longer than the five
    /// seconds within which a server finds what its bus has lost.
    pub(crate) const STRAGGLERS: Duration = Duration::from_secs(6);
}
