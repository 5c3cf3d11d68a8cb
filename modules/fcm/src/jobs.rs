//! The two kinds of jobs: the outbox of this module, in core's queue.
//!
//! What happened is written by one row, whoever and however many are to hear of it; a worker makes a
//! row for each device of theirs, exactly once; and another, perhaps, sends that. So the transaction in
//! which something happens pays for one statement, and a device that makes trouble delays no other.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::jobs::{Backoff, Job, Late, Policy, Unique};
use halobestie_core::ports::{News, Notice};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What happened, and who is to hear of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TellDevices {
    /// When.
    pub(crate) at: Timestamp,
    /// To whom and what.
    pub(crate) notices: Vec<Notice>,
}

impl Job for TellDevices {
    const KIND: &'static str = "tell-devices";
    const POLICY: Policy = Policy {
        // The deadline ends it: while Postgres is away, attempts cost nothing.
        attempts_max: 1_000,
        backoff: BACKOFF,
        timeout: Duration::from_secs(10),
        // Those of messages wait a second for sockets to answer, and hold nothing meanwhile.
        concurrency: 256,
        life: Duration::from_secs(3600),
        when_late: Late::Forgotten,
        unique: Unique::WhileUnfinished,
        keep_done: Duration::ZERO,
    };
}

/// One push to one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SendPush {
    /// The registration. Its token is read when it is sent, so a dead or moved one gets nothing.
    pub(crate) device_id: Uuid,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) news: News,
}

impl Job for SendPush {
    const KIND: &'static str = "send-push";
    const POLICY: Policy = Policy {
        attempts_max: 1_000,
        backoff: BACKOFF,
        // A call, a refresh and a second call, each in its own deadline or nearly so.
        timeout: Duration::from_secs(30),
        // Twice what is under way at FCM, so that nothing waits for Postgres while a stream is free.
        concurrency: 200,
        life: Duration::from_secs(3600),
        when_late: Late::Forgotten,
        unique: Unique::WhileUnfinished,
        keep_done: Duration::ZERO,
    };
}

const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(32),
    jitter: 0.3,
};
