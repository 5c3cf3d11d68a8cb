//! Drafts that follow a person from device to device, and pages that are made of them.
//!
//! What a draft says is the application's: any JSON. The invariants: nobody overwrites a version that they
//! have not seen, and where two devices try, both versions are kept; what one person may keep is bounded;
//! where the synchronisation is switched off, nothing is kept at all.

mod config;
mod content;
mod erasure;
mod error;
mod handlers;
mod names;
mod ports;
mod routes;
mod saving;
mod state;
mod store;

use std::sync::Arc;

use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

use self::config::DraftsConfig;
use self::state::State;

/// The module.
pub struct Drafts;

impl Module for Drafts {
    const NAME: &'static str = "drafts";
    const NEEDS: &'static [Capability] = &[Capability::Authenticator, Capability::Accounts];
    const PROVIDES: &'static [Capability] = &[Capability::Conversations];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = DraftsConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_drafts",
            sql: include_str!("../../migrations/0001_drafts.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        routes::Description::openapi()
    }

    async fn build(config: DraftsConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let state = Arc::new(State::new(&config, cx)?);
        cx.ports
            .conversations
            .fill(Arc::new(ports::Pictures(state.db.clone())));
        cx.ports.erasures.add(Arc::new(erasure::Everything));
        let public = match config.sync_enabled {
            true => routes::on(state),
            false => routes::off(),
        };
        Ok(Contribution {
            public,
            ..Contribution::default()
        })
    }
}
