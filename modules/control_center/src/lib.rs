//! The control center: the admin API and the pages for the people who run the service, on the internal
//! listener alone.
//!
//! What this is not: it owns nothing of the domain. People, mitras, sessions and payments belong to the
//! modules that keep them, and are seen and changed through their ports; where one is switched off, its
//! part is missing here. The invariants: every route says which role it takes, by the row that mounts it;
//! and whatever an admin changes is written down in the transaction that changes it.

mod act;
mod acts;
mod admission;
mod api;
mod assets;
mod backlog;
mod cookies;
mod error;
mod figures;
mod forgetting;
mod live;
mod names;
mod openapi;
mod origin;
mod pages;
mod routes;
mod state;
mod store;
mod sweeps;

use std::sync::Arc;

use halobestie_core::config::NoConfig;
use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};

use crate::state::State;

/// The module.
pub struct ControlCenter;

impl Module for ControlCenter {
    const NAME: &'static str = "control_center";
    const NEEDS: &'static [Capability] = &[
        Capability::Authenticator,
        Capability::Directory,
        Capability::Accounts,
        Capability::AdminAccounts,
        Capability::AdminSessions,
    ];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[sweeps::MINUTES];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_minutes",
            sql: include_str!("../../../migrations/control_center/0001_minutes.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        openapi::described()
    }

    async fn build(_: NoConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let state = Arc::new(State::new(cx)?);
        cx.ports.erasures.add(Arc::new(forgetting::Audit));
        Ok(Contribution {
            internal: routes::internal(&state),
            sweeps: vec![sweeps::minutes(state)],
            ..Contribution::default()
        })
    }
}
