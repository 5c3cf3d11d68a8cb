//! Why Valkey did not answer, and which of the reasons mean that it is away.

use redis::{ErrorKind, RedisError};

/// Why Valkey did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ValkeyError {
    /// Not asked: the circuit is open.
    #[error("valkey is away")]
    CircuitOpen,
    /// No answer in time.
    #[error("a valkey command ran into its deadline")]
    Deadline,
    /// Refused, or the connection broke.
    #[error("a valkey command failed")]
    Command(#[from] RedisError),
}

/// Codes of a server that answers and still does not do its work. `OOM`, `MISCONF`, `NOREPLICAS` and
/// `READONLY` refuse writes alone, but a mirror that can be read and not written lies.
const AWAY: [&str; 10] = [
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOAUTH",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
];

impl ValkeyError {
    /// Whether Valkey is away, as against a command that is wrong.
    pub fn is_away(&self) -> bool {
        match self {
            Self::CircuitOpen | Self::Deadline => true,
            Self::Command(error) => match error.kind() {
                ErrorKind::Server(_) | ErrorKind::Extension => does_not_serve(error),
                // The answer is not of the type that the caller asked for, or the command was never
                // sent. A reply that breaks the protocol ends its connection: the next command sees.
                ErrorKind::Parse
                | ErrorKind::UnexpectedReturnType
                | ErrorKind::InvalidClientConfig
                | ErrorKind::Client => false,
                _ => true,
            },
        }
    }

    /// The error's label in the metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::Deadline => "deadline",
            Self::Command(error) if error.is_io_error() => "connection",
            Self::Command(_) if self.is_away() => "unavailable",
            Self::Command(_) => "command",
        }
    }
}

fn does_not_serve(error: &RedisError) -> bool {
    let refusals = error.clone().into_server_errors().unwrap_or_default();
    refusals
        .iter()
        .any(|(_, refusal)| AWAY.contains(&refusal.code()))
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn refusal(reply: &str) -> ValkeyError {
        parse_redis_value(reply.as_bytes())
            .unwrap()
            .extract_error()
            .unwrap_err()
            .into()
    }

    #[test]
    fn a_server_that_does_not_serve_is_away() {
        for code in AWAY {
            assert!(
                refusal(&format!("-{code} in words\r\n")).is_away(),
                "{code}"
            );
        }
    }

    #[test]
    fn a_wrong_command_is_not_an_outage() {
        for reply in [
            "-WRONGTYPE in words",
            "-ERR unknown command",
            "-NOSCRIPT no",
            "-NOPERM no",
        ] {
            let error = refusal(&format!("{reply}\r\n"));
            assert!(!error.is_away(), "{reply}");
            assert_eq!(error.kind(), "command", "{reply}");
        }
    }

    #[test]
    fn a_broken_connection_is_an_outage() {
        let cut = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert!(ValkeyError::from(cut.clone()).is_away());
        assert_eq!(ValkeyError::from(cut).kind(), "connection");
    }
}
