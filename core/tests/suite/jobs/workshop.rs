//! A module whose jobs do what their payload says, and write down that they did.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::bus::{Bus, Event};
use halobestie_core::config::NoConfig;
use halobestie_core::jobs::{
    Attempt, Backoff, Failure, Handler, Job, JobKind, Late, Policy, Unique,
};
use halobestie_core::migrate::Migration;
use halobestie_core::pg::{Db, Query};
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, Entry, ErrorCode, Module};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) static WORKSHOP: &[Entry] = &[Entry::of::<Workshop>()];

/// What a job does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Script {
    Succeed,
    /// Succeeds, and writes nothing down.
    Nothing,
    /// Fails in so many attempts.
    Fail(u32),
    RetryAfter(u64),
    NotYet(u64),
    GiveUp,
    Panic,
    Hang,
    /// Waits until the test lets its worker go on.
    Wait,
    /// Waits as `Wait` does, and writes nothing down after that.
    WaitSilently,
    /// Marks itself as done in its transaction, then fails.
    DoneThenFail,
    /// Waits as `Wait` does, then marks itself as done in its transaction.
    WaitThenDone,
}

/// A job of one of the workshop's kinds.
pub(super) trait Scripted: Job {
    fn scripted(label: &str, script: Script) -> Self;
    fn parts(&self) -> (&str, &Script);
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $kind:literal $policy:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct $name {
            label: String,
            script: Script,
        }

        impl Job for $name {
            const KIND: &'static str = $kind;
            const POLICY: Policy = $policy;
        }

        impl Scripted for $name {
            fn scripted(label: &str, script: Script) -> Self {
                Self { label: label.into(), script }
            }

            fn parts(&self) -> (&str, &Script) {
                (&self.label, &self.script)
            }
        }
    )*};
}

/// Three attempts, ten seconds and twenty apart; an hour to live; kept for an hour.
const PLAIN: Policy = Policy {
    attempts_max: 3,
    backoff: Backoff {
        first: Duration::from_secs(10),
        factor: 2.0,
        max: Duration::from_secs(60),
        jitter: 0.0,
    },
    timeout: Duration::from_secs(20),
    concurrency: 4,
    life: Duration::from_secs(3600),
    keep_done: Duration::from_secs(3600),
    ..Policy::DEFAULT
};

kinds! {
    /// A plain job.
    Plain "plain" PLAIN;
    /// One at a time.
    Single "single" Policy { concurrency: 1, ..PLAIN };
    /// Begun once at most.
    Once "once" Policy { attempts_max: 1, ..PLAIN };
    /// No longer worth doing after its deadline; its key is held while it is kept.
    Fleeting "fleeting" Policy { when_late: Late::Forgotten, unique: Unique::WhileKept, ..PLAIN };
    /// Has little time.
    Hasty "hasty" Policy { timeout: Duration::from_millis(50), ..PLAIN };
    /// Not kept when it is done.
    Forgotten "forgotten" Policy { keep_done: Duration::ZERO, ..PLAIN };
    /// Many at once.
    Bulk "bulk" Policy { concurrency: 64, ..PLAIN };
}

/// The module.
struct Workshop;

impl Module for Workshop {
    const NAME: &'static str = "workshop";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    const JOBS: &'static [JobKind] = &[
        JobKind::of::<Plain>(),
        JobKind::of::<Single>(),
        JobKind::of::<Once>(),
        JobKind::of::<Fleeting>(),
        JobKind::of::<Hasty>(),
        JobKind::of::<Forgotten>(),
        JobKind::of::<Bulk>(),
    ];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_workshop",
            sql: include_str!("workshop.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApiBuilder::new().build()
    }

    async fn build(_: NoConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let bench = Arc::new(Bench {
            db: cx.db.clone(),
            bus: cx.bus.clone(),
            worker: cx.entropy.uuid(&cx.clock),
        });
        Ok(Contribution {
            jobs: vec![
                handler::<Plain>(&bench),
                handler::<Single>(&bench),
                handler::<Once>(&bench),
                handler::<Fleeting>(&bench),
                handler::<Hasty>(&bench),
                handler::<Forgotten>(&bench),
                handler::<Bulk>(&bench),
            ],
            ..Contribution::default()
        })
    }
}

fn handler<J: Scripted>(bench: &Arc<Bench>) -> Handler {
    let bench = bench.clone();
    Handler::new(move |attempt: Attempt<J>| {
        let bench = bench.clone();
        async move { bench.work(attempt).await }
    })
}

/// Where the jobs of one server are done.
struct Bench {
    db: Db,
    bus: Bus,
    worker: Uuid,
}

/// The topic by which a test lets the waiting jobs of a worker go on.
pub(super) fn gate(worker: Uuid) -> String {
    format!("gate:{worker}")
}

impl Bench {
    async fn work<J: Scripted>(&self, attempt: Attempt<J>) -> Result<(), Failure> {
        let script = attempt.payload.parts().1.clone();
        if script == Script::Nothing {
            return Ok(());
        }
        let mut gate = self.bus.subscribe(&gate(self.worker));
        let waits = [Script::Wait, Script::WaitSilently, Script::WaitThenDone];
        if waits.contains(&script) {
            gate.ready(Duration::from_secs(10)).await;
        }
        self.write(&self.db, &attempt, "begun").await?;
        match script {
            Script::Nothing | Script::Succeed => {}
            Script::Fail(times) if attempt.number > times => {}
            Script::Fail(_) => return Err("it does not work".into()),
            Script::RetryAfter(ms) => {
                return Err(Failure::retry_after(Duration::from_millis(ms), "slow down"));
            }
            Script::NotYet(ms) => {
                return Err(Failure::not_yet(Duration::from_millis(ms), "not there"));
            }
            Script::GiveUp => return Err(Failure::give_up("it never will")),
            Script::Panic => panic!("a handler that panics on purpose"),
            Script::Hang => std::future::pending().await,
            Script::Wait => while gate.next().await == Event::Lost {},
            Script::WaitSilently => {
                while gate.next().await == Event::Lost {}
                return Ok(());
            }
            Script::DoneThenFail => {
                self.done_in(&attempt).await?;
                return Err("after the commit".into());
            }
            Script::WaitThenDone => {
                while gate.next().await == Event::Lost {}
                self.done_in(&attempt).await?;
                return Ok(());
            }
        }
        self.write(&self.db, &attempt, "ended").await
    }

    /// Writes and ends the job in one transaction.
    async fn done_in<J: Scripted>(&self, attempt: &Attempt<J>) -> Result<(), Failure> {
        let mut client = self.db.client().await?;
        let tx = client.begin().await?;
        self.write(&tx, attempt, "ended").await?;
        attempt.done_in(&tx).await?;
        Ok(tx.commit().await?)
    }

    async fn write<J: Scripted>(
        &self,
        db: &impl Query,
        attempt: &Attempt<J>,
        what: &str,
    ) -> Result<(), Failure> {
        const SQL: &str = "INSERT INTO workshop_log (job_id, label, number, worker, what)
            VALUES ($1, $2, $3, $4, $5)";
        let label = attempt.payload.parts().0;
        let number = i32::try_from(attempt.number).unwrap_or(i32::MAX);
        db.execute(SQL, &[&attempt.id, &label, &number, &self.worker, &what])
            .await?;
        Ok(())
    }
}
