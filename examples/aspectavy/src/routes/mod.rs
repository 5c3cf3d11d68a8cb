//! Routes: GPX files that people send, and the card that is compiled of each.
//!
//! A file is kept as it came, and a job in the same transaction says that its card is owed. Whoever asks
//! for a card before the job is done compiles it there and then, so a worker that is silent costs a moment
//! and nothing else. The invariant: the first card that is kept stays; the same file has the same card.

mod compiling;
mod erasure;
mod error;
mod handlers;
mod jobs;
mod state;
mod store;
mod table;

use std::sync::Arc;

use halobestie_core::config::NoConfig;
use halobestie_core::jobs::JobKind;
use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

use self::jobs::CompileRoute;
use self::state::State;

/// The module.
pub struct Routes;

impl Module for Routes {
    const NAME: &'static str = "routes";
    const NEEDS: &'static [Capability] = &[Capability::Authenticator, Capability::Accounts];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    const JOBS: &'static [JobKind] = &[JobKind::of::<CompileRoute>()];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_routes",
            sql: include_str!("../../migrations/routes/0001_routes.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::codes::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        table::Description::openapi()
    }

    async fn build(_: NoConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let state = Arc::new(State::new(cx)?);
        cx.ports.erasures.add(Arc::new(erasure::Routes));
        Ok(Contribution {
            public: table::public(state.clone()),
            jobs: vec![jobs::handler(state)],
            ..Contribution::default()
        })
    }
}
