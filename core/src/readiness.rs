//! Whether this process should get requests, and why not.
//!
//! Looks are cheap, read-only, at most a second old and at most a second long, however often somebody
//! asks: one look runs at a time, and whoever asks meanwhile gets its answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, join3};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::migrate::{self, MigrationSet, State};
use crate::module::HealthCheck;
use crate::pg::{Db, Query};
use crate::timestamp::Timestamp;
use crate::valkey::Valkey;

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(1);
/// How long one look may take.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What readiness looks at.
pub struct Looks {
    /// Postgres; decides.
    pub db: Db,
    /// Valkey, where one is configured; degrades.
    pub valkey: Option<Valkey>,
    /// The schema that this binary was made for; decides.
    pub migrations: Vec<MigrationSet>,
    /// What modules look at; degrades.
    pub checks: Vec<HealthCheck>,
    /// For the age of the worker's heartbeat.
    pub clock: Clock,
    /// After how long a worker counts as silent.
    pub worker_stale: Duration,
    /// Whether a silent worker decides.
    pub requires_worker: bool,
}

/// The state of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// `ok`; `degraded` where the process is ready nevertheless; otherwise what is wrong.
    pub status: &'static str,
    /// A few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it was last heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    #[serde(skip)]
    weight: Weight,
}

/// What a check means for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Fine,
    Degrades,
    Decides,
}

impl Check {
    const fn of(status: &'static str, weight: Weight) -> Self {
        Self {
            status,
            detail: None,
            seen_at: None,
            weight,
        }
    }

    const fn ok() -> Self {
        Self::of("ok", Weight::Fine)
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// What `/readyz` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// `ok`, `degraded` or `unavailable`.
    #[schema(example = "ok")]
    pub status: &'static str,
    /// `postgres`, `valkey`, `migrations`, `worker`, `draining`, and what modules add.
    pub checks: BTreeMap<&'static str, Check>,
}

impl Report {
    fn of(checks: BTreeMap<&'static str, Check>) -> Self {
        let worst = checks
            .values()
            .map(|check| check.weight)
            .max()
            .unwrap_or(Weight::Fine);
        let status = match worst {
            Weight::Fine => "ok",
            Weight::Degrades => "degraded",
            Weight::Decides => "unavailable",
        };
        Self { status, checks }
    }

    /// Whether the process should get requests.
    pub fn is_ready(&self) -> bool {
        self.checks
            .values()
            .all(|check| check.weight != Weight::Decides)
    }
}

/// The process's readiness. Clones share it.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    looks: Looks,
    is_draining: AtomicBool,
    postgres: Cached<Check>,
    checks: Cached<BTreeMap<&'static str, Check>>,
}

impl Readiness {
    /// Not looked at yet.
    pub fn new(looks: Looks) -> Self {
        Self(Arc::new(Inner {
            looks,
            is_draining: AtomicBool::new(false),
            postgres: Cached::default(),
            checks: Cached::default(),
        }))
    }

    /// Says that the process is going away: not ready from this moment on.
    pub fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    /// Whether Postgres answers.
    pub async fn database_answers(&self) -> bool {
        self.postgres().await.weight == Weight::Fine
    }

    /// The state of everything.
    pub async fn report(&self) -> Report {
        let mut checks = (*self.0.checks.get(|| self.look()).await).clone();
        // Not cached: a process that drains must be seen to do so at once.
        let draining = match self.0.is_draining.load(Ordering::Relaxed) {
            true => Check::of("draining", Weight::Decides),
            false => Check::ok(),
        };
        checks.insert("draining", draining);
        Report::of(checks)
    }

    async fn postgres(&self) -> Arc<Check> {
        self.0.postgres.get(|| self.0.looks.postgres()).await
    }

    async fn look(&self) -> BTreeMap<&'static str, Check> {
        let looks = &self.0.looks;
        let postgres = self.postgres().await;
        let mut checks = BTreeMap::from([("valkey", looks.valkey())]);
        if postgres.weight == Weight::Fine {
            let (migrations, worker, modules) =
                join3(looks.migrations(), looks.worker(), looks.modules()).await;
            checks.extend([("migrations", migrations), ("worker", worker)]);
            checks.extend(modules);
        } else {
            // They are in Postgres; asking would only make the answer late.
            let unknown = Check::of("unknown", Weight::Fine);
            checks.extend([("migrations", unknown.clone()), ("worker", unknown)]);
            checks.extend(looks.modules().await);
        }
        checks.insert("postgres", (*postgres).clone());
        checks
    }
}

impl Looks {
    async fn postgres(&self) -> Check {
        match timeout(LOOK_MAX, self.db.ping()).await {
            Ok(Ok(())) => Check::ok(),
            Ok(Err(_)) | Err(_) => Check::of("unreachable", Weight::Decides),
        }
    }

    fn valkey(&self) -> Check {
        match &self.valkey {
            None => Check::ok().detail("not configured: one process, in memory"),
            Some(valkey) if valkey.is_up() => Check::ok(),
            Some(_) => Check::of("degraded", Weight::Degrades).detail("unreachable"),
        }
    }

    async fn migrations(&self) -> Check {
        let status = timeout(LOOK_MAX, migrate::status(&self.db, &self.migrations)).await;
        let Ok(Ok(status)) = status else {
            return Check::of("unknown", Weight::Decides);
        };
        let wrong = status
            .iter()
            .find(|it| matches!(it.state, State::Pending | State::Diverged));
        match wrong {
            None => Check::ok(),
            Some(wrong) => {
                let status = if wrong.state == State::Pending {
                    "pending"
                } else {
                    "diverged"
                };
                Check::of(status, Weight::Decides)
                    .detail(format!("{}/{}", wrong.module, wrong.name))
            }
        }
    }

    async fn worker(&self) -> Check {
        let weight = if self.requires_worker {
            Weight::Decides
        } else {
            Weight::Fine
        };
        let unknown = Check::of("unknown", weight);
        let newest = self
            .db
            .row("SELECT max(seen_at) FROM worker_heartbeats", &[]);
        let Ok(Ok(row)) = timeout(LOOK_MAX, newest).await else {
            return unknown;
        };
        let Ok(seen_at) = row.try_get::<_, Option<Timestamp>>(0) else {
            return unknown;
        };
        let check = match seen_at {
            None => Check::of("absent", weight).detail("no worker has been seen"),
            Some(at) if self.clock.now().since(at) > self.worker_stale => {
                Check::of("stale", weight)
            }
            Some(_) => Check::ok(),
        };
        Check { seen_at, ..check }
    }

    async fn modules(&self) -> Vec<(&'static str, Check)> {
        join_all(self.checks.iter().map(|check| async {
            let health = match timeout(LOOK_MAX, (check.look)()).await {
                Ok(health) if health.status == "ok" => Check {
                    detail: health.detail,
                    ..Check::ok()
                },
                Ok(health) => {
                    let degraded = Check::of("degraded", Weight::Degrades);
                    Check {
                        detail: health.detail,
                        ..degraded
                    }
                }
                Err(_) => Check::of("degraded", Weight::Degrades).detail("no answer in a second"),
            };
            (check.name, health)
        }))
        .await
    }
}

/// A value that is looked up at most once in a while, by one caller for all. Real time on purpose: a
/// test that moves the clock should not have to move it to see a new answer.
struct Cached<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Cached<T> {
    async fn get<Fut: Future<Output = T>>(&self, look: impl FnOnce() -> Fut) -> Arc<T> {
        // Held while looking: that is what makes others wait for this look instead of their own.
        let mut held = self.0.lock().await;
        if let Some((at, value)) = &*held
            && at.elapsed() < FRESH
        {
            return value.clone();
        }
        let value = Arc::new(look().await);
        *held = Some((Instant::now(), value.clone()));
        value
    }
}
