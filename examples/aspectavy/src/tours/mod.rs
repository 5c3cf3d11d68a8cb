//! Tours: sessions that somebody records on the way, and what each came to.
//!
//! Points come in pieces while the phone finds a network, some of them twice. Finalising ends that: from
//! then on no point is taken, and a job in the same transaction says that the summary is owed. As with a
//! route's card, whoever asks for it before the job is done has it made there and then, and the first
//! that is kept stays.

mod erasure;
mod error;
mod finalising;
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

use self::jobs::FinaliseTour;
use self::state::State;

/// The module.
pub struct Tours;

impl Module for Tours {
    const NAME: &'static str = "tours";
    const NEEDS: &'static [Capability] = &[Capability::Authenticator, Capability::Accounts];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    const JOBS: &'static [JobKind] = &[JobKind::of::<FinaliseTour>()];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_tours",
            sql: include_str!("../../migrations/tours/0001_tours.sql"),
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
        cx.ports.erasures.add(Arc::new(erasure::Tours));
        Ok(Contribution {
            public: table::public(state.clone()),
            jobs: vec![jobs::handler(state)],
            ..Contribution::default()
        })
    }
}
