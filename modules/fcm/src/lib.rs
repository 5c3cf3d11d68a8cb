//! Tells sleeping apps of what happens, by Firebase Cloud Messaging.
//!
//! What this is not: it decides nothing and makes nothing happen; others say what has, in their own
//! transactions, through the `Notifier` port. The invariants: what was committed is told, while it is
//! worth telling and at least once; in normal running once a device; and never to a device whose sign-in
//! session does not live. A token is deleted for what FCM says of it, not for what goes wrong with us.

mod access;
mod account;
mod alarm;
mod body;
mod brake;
mod config;
mod desk;
mod erasure;
mod examination;
mod gateway;
mod handlers;
mod jobs;
mod message;
mod meters;
mod notifier;
mod routes;
mod sending;
mod signing_out;
mod state;
mod store;
mod telling;
mod wire;
mod words;
mod worth;

use std::sync::Arc;

use futures_util::FutureExt;
use halobestie_core::jobs::{Handler, JobKind};
use halobestie_core::migrate::Migration;
use halobestie_core::module::{Health, HealthCheck, RunsOn, Service};
use halobestie_core::ports::{Capability, Late};
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use tracing::warn;
use utoipa::OpenApi;

pub use crate::config::FcmConfig;

use crate::alarm::Alarm;
use crate::desk::{Desk, Queue};
use crate::gateway::Gateway;
use crate::jobs::{SendPush, TellDevices};
use crate::meters::Meters;
use crate::notifier::Outbox;
use crate::sending::Sender;
use crate::state::State;
use crate::telling::Teller;

/// The module.
pub struct Fcm;

/// The description of the routes.
#[derive(OpenApi)]
#[openapi(paths(handlers::register::register, handlers::forget::forget))]
struct Described;

impl Module for Fcm {
    const NAME: &'static str = "fcm";
    const NEEDS: &'static [Capability] = &[
        Capability::Authenticator,
        Capability::Directory,
        Capability::SignInSessions,
    ];
    const PROVIDES: &'static [Capability] = &[Capability::Notifier];
    const SWEEPS: &'static [&'static str] = &[signing_out::CLEANUP];
    const JOBS: &'static [JobKind] = &[JobKind::of::<TellDevices>(), JobKind::of::<SendPush>()];
    type Config = FcmConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_device_tokens",
            sql: include_str!("../../../migrations/fcm/0001_device_tokens.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        Described::openapi()
    }

    async fn build(config: FcmConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        if cx.env.is_deployed() && !config.is_encrypted() {
            warn!("FCM_BASE_URL is not https: our access token and every push travel in the open");
        }
        let meters = Arc::new(Meters::new(&cx.metrics));
        let alarm = Arc::new(Alarm::new(cx.clock.clone()));
        let account = config.account()?;
        let gateway = Arc::new(Gateway::new(&config, account, meters.clone(), cx)?);
        let state = Arc::new(State {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            lifecycle: cx.lifecycle.clone(),
            sign_in_sessions: port(&cx.ports.sign_in_sessions)?,
            meters: meters.clone(),
        });
        cx.ports.erasures.add(Arc::new(erasure::Tokens));
        cx.ports.notifier.fill(Arc::new(Outbox {
            jobs: cx.jobs.clone(),
            clock: cx.clock.clone(),
        }));
        let revocations = port(&cx.ports.authenticator)?.revocations();
        Ok(Contribution {
            public: routes::public(state.clone()),
            jobs: workers(&config, &state, &gateway, &alarm, cx)?,
            sweeps: vec![signing_out::cleanup(state.clone())],
            services: vec![Service::new(
                "fcm-revocations",
                RunsOn::Worker,
                signing_out::follow(state, revocations),
            )],
            checks: vec![health(gateway.clone(), alarm)],
            examinations: vec![examination::examination(gateway)],
            ..Contribution::default()
        })
    }
}

fn workers(
    config: &FcmConfig,
    state: &State,
    gateway: &Arc<Gateway>,
    alarm: &Arc<Alarm>,
    cx: &Context,
) -> Result<Vec<Handler>, BoxError> {
    let teller = Teller {
        db: cx.db.clone(),
        clock: cx.clock.clone(),
        jobs: cx.jobs.clone(),
        chat_news: cx.ports.chat_news.clone(),
        meters: state.meters.clone(),
    };
    let desk = Desk {
        db: cx.db.clone(),
        clock: cx.clock.clone(),
        directory: port(&cx.ports.directory)?,
        sign_in_sessions: state.sign_in_sessions.clone(),
        chat_news: cx.ports.chat_news.clone(),
        show_text: config.show_text,
        queue: Queue::default(),
    };
    let sender = Sender {
        db: cx.db.clone(),
        clock: cx.clock.clone(),
        desk,
        gateway: gateway.clone(),
        alarm: alarm.clone(),
        meters: state.meters.clone(),
    };
    Ok(vec![Arc::new(teller).handler(), Arc::new(sender).handler()])
}

fn port<T: ?Sized>(late: &Late<T>) -> Result<Arc<T>, BoxError> {
    late.get()
        .cloned()
        .ok_or_else(|| "a port that fcm needs is not provided".into())
}

/// How the last calls went; asks nobody.
fn health(gateway: Arc<Gateway>, alarm: Arc<Alarm>) -> HealthCheck {
    let look = move || {
        let turned_away = "FCM turns calls away: they wait and are tried again".to_owned();
        let turned_away = gateway.is_turned_away().then_some(turned_away);
        let detail = alarm.shown().or(turned_away);
        let status = if detail.is_none() { "ok" } else { "degraded" };
        async move { Health { status, detail } }.boxed()
    };
    HealthCheck {
        name: Fcm::NAME,
        look: Arc::new(look),
    }
}
