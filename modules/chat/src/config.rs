//! The `[chat]` section: how long requests and sessions wait, and what one user may send.

use halobestie_core::config::{AppEnv, Invalid, Kind, Section, Variable};
use serde::Deserialize;

/// Keys of `[chat]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatConfig {
    /// How long a request looks for a mitra.
    pub pairing_timeout_seconds: u64,
    /// How long a mitra may leave a customer's first message unanswered; 0 = for ever.
    pub first_response_seconds: u64,
    /// How long a session looks for another mitra.
    pub reroute_timeout_seconds: u64,
    /// Frames that one user may send on all sockets of a process, a second; 0 = no limit.
    pub frames_per_second: u32,
    /// Messages that one user may send, a second; 0 = no limit.
    pub messages_per_second: u32,
    /// How many messages may come at once before that rate holds.
    pub messages_burst: u32,
}

impl Section for ChatConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "PAIRING_TIMEOUT_SECONDS",
            "pairing_timeout_seconds",
            Kind::Integer,
            "how long a chat request looks for a mitra",
        ),
        Variable::new(
            "FIRST_RESPONSE_SECONDS",
            "first_response_seconds",
            Kind::Integer,
            "how long a mitra may leave a customer's first message unanswered; 0 = for ever",
        ),
        Variable::new(
            "REROUTE_TIMEOUT_SECONDS",
            "reroute_timeout_seconds",
            Kind::Integer,
            "how long a session that lost its mitra looks for another one",
        ),
        Variable::new(
            "CHAT_FRAMES_PER_SECOND",
            "frames_per_second",
            Kind::Integer,
            "frames that one user may send a second; 0 = no limit",
        ),
        Variable::new(
            "CHAT_MESSAGES_PER_SECOND",
            "messages_per_second",
            Kind::Integer,
            "messages that one user may send a second; 0 = no limit",
        ),
        Variable::new(
            "CHAT_MESSAGES_BURST",
            "messages_burst",
            Kind::Integer,
            "messages that one user may send at once before the rate holds",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let mut problems = Vec::new();
        if !(1..=3600).contains(&self.pairing_timeout_seconds) {
            problems.push(Invalid::new(
                "pairing_timeout_seconds",
                "expected 1 to 3600",
            ));
        }
        if self.first_response_seconds > 86_400 {
            problems.push(Invalid::new(
                "first_response_seconds",
                "expected 0 to 86400",
            ));
        }
        if !(1..=3600).contains(&self.reroute_timeout_seconds) {
            problems.push(Invalid::new(
                "reroute_timeout_seconds",
                "expected 1 to 3600",
            ));
        }
        if self.messages_per_second > 0 && self.messages_burst == 0 {
            problems.push(Invalid::new("messages_burst", "expected at least 1"));
        }
        problems
    }
}
