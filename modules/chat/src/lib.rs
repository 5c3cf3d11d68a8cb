//! Pairing and timed chat: packages, requests and offers, sessions, messages over HTTP and WebSocket.
//!
//! Postgres is the truth of all of it; the bus makes it live, and sockets find out by themselves what
//! the bus lost. Uploads are not here yet.

mod accepting;
mod config;
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
mod packages;
mod pairing;
mod ports;
mod purchases;
mod reading;
mod rerouting;
mod routes;
mod session_clock;
pub mod session_state;
mod state;
mod store;
mod telling;
mod text;
mod timekeeper;
mod views;
mod waiting;
mod withdrawing;

use std::sync::Arc;

use halobestie_core::migrate::Migration;
use halobestie_core::module::{BeforeBind, Phase, RunsOn, Service};
use halobestie_core::ports::{AVAILABILITY_CHANGED, Capability};
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
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
        Capability::SoldTime,
        Capability::ChatNews,
    ];
    const SWEEPS: &'static [&'static str] = &[];
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
            .sold_time
            .fill(Arc::new(ports::TimeBooks { db: cx.db.clone() }));
        let state = Arc::new(State::new(&config, cx)?);
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
        let changes = || cx.bus.subscribe(AVAILABILITY_CHANGED);
        let (changes_of_offers, changes_of_sessions) = (changes(), changes());
        let restoring = state.clone();
        let restore = async move {
            let now = restoring.clock.now();
            timekeeper::settle(&restoring, now).await?;
            Ok(waiting::settle(&restoring, now).await?)
        };
        Ok(Contribution {
            public: routes::public(state.clone()),
            before_bind: vec![BeforeBind::new("chat-timers", Phase::Restore, restore)],
            services: vec![
                Service::new(
                    "chat-timekeeper",
                    RunsOn::Worker,
                    timekeeper::run(state.clone()),
                ),
                Service::new(
                    "chat-waiting",
                    RunsOn::Worker,
                    waiting::run(state.clone(), changes_of_sessions),
                ),
                Service::new(
                    "chat-catch-up",
                    RunsOn::Api,
                    live::catch_up::run(state.clone()),
                ),
                Service::new(
                    "chat-witness",
                    RunsOn::Api,
                    live::proof::testify(state.clone()),
                ),
                Service::new(
                    "chat-proofs",
                    RunsOn::Worker,
                    live::proof::hear(state.clone(), answers),
                ),
                Service::new(
                    "chat-revocations",
                    RunsOn::Api,
                    live::revocations::run(state.clone()),
                ),
                Service::new(
                    "chat-withdrawals",
                    RunsOn::Worker,
                    withdrawing::run(state, changes_of_offers),
                ),
            ],
            ..Contribution::default()
        })
    }
}
