//! Pairing and timed chat: packages, requests and offers, sessions, messages over HTTP and WebSocket.
//!
//! Postgres is the truth of all of it; the bus makes it live, and sockets find out by themselves what
//! the bus lost.

mod accepting;
mod config;
mod considered;
mod ending;
mod error;
mod extending;
mod handlers;
mod limits;
mod live;
mod messages;
mod metrics;
mod notices;
mod offering;
mod openapi;
mod overseeing;
mod packages;
mod pairing;
mod ports;
mod purchases;
mod reading;
mod rerouting;
mod routes;
mod scribe;
mod session_clock;
pub mod session_state;
mod spreading;
mod state;
mod store;
mod sweeps;
mod telling;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod timekeeper;
mod turns;
mod views;
mod waiting;
mod waves;
mod withdrawing;

use std::sync::Arc;

use halobestie_core::bus::Subscription;
use halobestie_core::migrate::Migration;
use halobestie_core::module::{BeforeBind, Phase, RunsOn, Service};
use halobestie_core::ports::{AVAILABILITY_CHANGED, Capability};
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use tokio::sync::broadcast::Receiver;
use utoipa::OpenApi;

pub use config::ChatConfig;
pub use packages::{Package, Packages};

use crate::state::State;

/// The module.
pub struct Chat;

impl Module for Chat {
    const NAME: &'static str = "chat";
    const NEEDS: &'static [Capability] = &[
        Capability::Authenticator,
        Capability::Directory,
        Capability::Availability,
    ];
    const PROVIDES: &'static [Capability] = &[
        Capability::SessionLoad,
        Capability::Purchases,
        Capability::SessionControl,
        Capability::Conversations,
        Capability::SoldTime,
        Capability::ChatNews,
        Capability::SessionsOversight,
    ];
    const SWEEPS: &'static [&'static str] = &[sweeps::RETENTION];
    type Config = ChatConfig;

    fn migrations() -> &'static [Migration] {
        &[
            Migration {
                name: "0001_chat",
                sql: include_str!("../../../migrations/chat/0001_chat.sql"),
            },
            Migration {
                name: "0002_money_time",
                sql: include_str!("../../../migrations/chat/0002_money_time.sql"),
            },
            Migration {
                name: "0003_pairing",
                sql: include_str!("../../../migrations/chat/0003_pairing.sql"),
            },
            Migration {
                name: "0004_attachments",
                sql: include_str!("../../../migrations/chat/0004_attachments.sql"),
            },
            Migration {
                name: "0005_oversight",
                sql: include_str!("../../../migrations/chat/0005_oversight.sql"),
            },
        ]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        openapi::ChatApi::openapi()
    }

    async fn build(config: ChatConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        cx.ports
            .session_load
            .fill(Arc::new(ports::OpenSessions { db: cx.db.clone() }));
        cx.ports
            .conversations
            .fill(Arc::new(ports::Talks { db: cx.db.clone() }));
        cx.ports
            .sold_time
            .fill(Arc::new(ports::TimeBooks { db: cx.db.clone() }));
        cx.ports
            .sessions_oversight
            .fill(Arc::new(overseeing::Overseer {
                db: cx.db.clone(),
                clock: cx.clock.clone(),
            }));
        let state = State::new(&config, cx)?;
        cx.ports.chat_news.fill(Arc::new(ports::Reporter {
            state: state.clone(),
        }));
        let answers = state.proofs.listen();
        cx.ports.purchases.fill(Arc::new(purchases::Counter {
            state: state.clone(),
        }));
        cx.ports.session_control.fill(Arc::new(ports::Desk {
            state: state.clone(),
        }));
        let settings = cx.settings.changes();
        let changes = || cx.bus.subscribe(AVAILABILITY_CHANGED);
        Ok(Contribution {
            public: routes::public(state.clone()),
            sweeps: vec![sweeps::retention(state.clone(), config.retention())],
            before_bind: vec![BeforeBind::new(
                "chat-timers",
                Phase::Restore,
                restore(state.clone()),
            )],
            services: services(&state, changes, settings, answers),
            ..Contribution::default()
        })
    }
}

/// Makes up for what a stopped server has missed.
async fn restore(state: Arc<State>) -> Result<(), BoxError> {
    let now = state.clock.now();
    timekeeper::settle(&state, now).await?;
    Ok(waiting::settle(&state, now).await?)
}

/// The long-running work; `changes` subscribes to who comes and goes, `settings` tells what was set, and
/// `answers` what other processes know of messages.
fn services(
    state: &Arc<State>,
    changes: impl Fn() -> Subscription,
    settings: Receiver<&'static str>,
    answers: Subscription,
) -> Vec<Service> {
    let it = || state.clone();
    vec![
        Service::new("chat-timekeeper", RunsOn::Worker, timekeeper::run(it())),
        Service::new(
            "chat-waiting",
            RunsOn::Worker,
            waiting::run(it(), changes()),
        ),
        Service::new("chat-offers", RunsOn::Worker, spreading::run(it())),
        Service::new("chat-catch-up", RunsOn::Api, live::catch_up::run(it())),
        Service::new("chat-witness", RunsOn::Api, live::proof::testify(it())),
        Service::new(
            "chat-proofs",
            RunsOn::Worker,
            live::proof::hear(it(), answers),
        ),
        Service::new(
            "chat-revocations",
            RunsOn::Api,
            live::revocations::run(it()),
        ),
        Service::new(
            "chat-configuration",
            RunsOn::Api,
            live::configuration::run(it(), settings),
        ),
        Service::new(
            "chat-withdrawals",
            RunsOn::Worker,
            withdrawing::run(it(), changes()),
        ),
    ]
}
