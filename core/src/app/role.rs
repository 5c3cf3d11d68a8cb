//! What a process does, beside all the others on the same data.

use crate::module::RunsOn;

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Answers requests and runs sweeps.
    #[default]
    All,
    /// Answers requests.
    Api,
    /// Runs sweeps and timers; serves probes and metrics only.
    Worker,
}

impl Role {
    /// The name on the command line and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }

    /// Whether the modules' routes are served.
    pub const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    /// Whether sweeps and timers run.
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }

    pub(super) const fn runs(self, on: RunsOn) -> bool {
        match on {
            RunsOn::Every => true,
            RunsOn::Api => self.serves(),
            RunsOn::Worker => self.works(),
        }
    }
}
