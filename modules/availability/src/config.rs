//! The `[availability]` section.

use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use serde::Deserialize;

/// How long a mitra counts as there, how often its state is looked after, how much it may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityConfig {
    /// After how long without a heartbeat a mitra is no longer reachable.
    pub stale_seconds: u64,
    /// Between two runs of `mitra-auto-offline`.
    pub auto_offline_sweep_seconds: u64,
    /// Between two runs of `heartbeat-mirror`.
    pub heartbeat_mirror_interval_seconds: u64,
    /// Between two runs of `valkey-online-mirror`.
    pub online_mirror_sweep_seconds: u64,
    /// Sessions at once of a mitra for which nobody has set another limit.
    pub max_sessions_default: i32,
}

impl AvailabilityConfig {
    pub(crate) const fn stale(&self) -> Duration {
        Duration::from_secs(self.stale_seconds)
    }

    pub(crate) const fn auto_offline_every(&self) -> Duration {
        Duration::from_secs(self.auto_offline_sweep_seconds)
    }

    pub(crate) const fn heartbeat_mirror_every(&self) -> Duration {
        Duration::from_secs(self.heartbeat_mirror_interval_seconds)
    }

    pub(crate) const fn online_mirror_every(&self) -> Duration {
        Duration::from_secs(self.online_mirror_sweep_seconds)
    }
}

impl Section for AvailabilityConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "MITRA_STALE_SECONDS",
            "stale_seconds",
            Kind::Integer,
            "after how long without a heartbeat a mitra is no longer reachable",
        ),
        Variable::new(
            "MITRA_AUTO_OFFLINE_SWEEP_SECONDS",
            "auto_offline_sweep_seconds",
            Kind::Integer,
            "how often silent mitras are set offline",
        ),
        Variable::new(
            "HEARTBEAT_MIRROR_INTERVAL_SECONDS",
            "heartbeat_mirror_interval_seconds",
            Kind::Integer,
            "how often heartbeats are written to Postgres",
        ),
        Variable::new(
            "VALKEY_ONLINE_MIRROR_SWEEP_SECONDS",
            "online_mirror_sweep_seconds",
            Kind::Integer,
            "how often the mirror is seeded again, to heal drift",
        ),
        Variable::new(
            "MITRA_MAX_SESSIONS_DEFAULT",
            "max_sessions_default",
            Kind::Integer,
            "sessions at once of a mitra without a limit of its own",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        const DAY: u64 = 24 * 3600;
        Checks::default()
            .range("stale_seconds", self.stale_seconds, 1..=DAY)
            .range(
                "auto_offline_sweep_seconds",
                self.auto_offline_sweep_seconds,
                1..=DAY,
            )
            .range(
                "heartbeat_mirror_interval_seconds",
                self.heartbeat_mirror_interval_seconds,
                1..=DAY,
            )
            .range(
                "online_mirror_sweep_seconds",
                self.online_mirror_sweep_seconds,
                1..=DAY,
            )
            .range("max_sessions_default", self.max_sessions_default, 1..=100)
            .invalid
    }
}
