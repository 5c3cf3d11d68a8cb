//! Uploads: pictures and recordings that people send each other.
//!
//! The bytes are files below `UPLOAD_ROOT`, everything else is in Postgres. Nothing that a sender says
//! about a file is believed, and nobody reads one but its sender and the two people of the session that
//! it was sent in. Not here: messages (chat's, which keeps a copy of what it needs to show one).

mod config;
mod content;
mod error;
mod files;
mod handlers;
mod incoming;
mod ports;
mod range;
mod routes;
mod slots;
mod state;
mod store;
mod sweeps;

use std::sync::Arc;

use futures_util::FutureExt;
use halobestie_core::doctor::{Examination, Finding};
use halobestie_core::migrate::Migration;
use halobestie_core::module::{Health, HealthCheck};
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

pub use config::UploadsConfig;

use crate::state::State;

/// The module.
pub struct Uploads;

impl Module for Uploads {
    const NAME: &'static str = "uploads";
    const NEEDS: &'static [Capability] = &[Capability::Authenticator];
    const PROVIDES: &'static [Capability] = &[Capability::Attachments];
    const SWEEPS: &'static [&'static str] = &[sweeps::UNSENT, sweeps::UNCARRIED, sweeps::ORPHANS];
    type Config = UploadsConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_uploads",
            sql: include_str!("../../../migrations/uploads/0001_uploads.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::codes::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        routes::Description::openapi()
    }

    async fn build(config: UploadsConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let state = Arc::new(State::new(&config, cx));
        cx.ports
            .attachments
            .fill(Arc::new(ports::Uploads(state.clone())));
        Ok(Contribution {
            public: routes::public(state.clone()),
            sweeps: sweeps::sweeps(&state),
            checks: vec![health(state.clone())],
            examinations: vec![examination(state)],
            ..Contribution::default()
        })
    }
}

/// What is wrong with the folder, in a few words.
async fn complaint(state: &State) -> Option<String> {
    let Ok(files) = state.files() else {
        return Some("UPLOAD_ROOT is not set: pictures and recordings are refused".to_owned());
    };
    let looked = files.look().await;
    looked
        .err()
        .map(|error| format!("the folder UPLOAD_ROOT cannot be used: {}", error.kind()))
}

fn health(state: Arc<State>) -> HealthCheck {
    let look = move || {
        let state = state.clone();
        async move {
            let detail = complaint(&state).await;
            let status = if detail.is_none() { "ok" } else { "degraded" };
            Health { status, detail }
        }
        .boxed()
    };
    HealthCheck {
        name: "uploads",
        look: Arc::new(look),
    }
}

fn examination(state: Arc<State>) -> Examination {
    const ADVICE: &str = "name a folder that all replicas share and the server may write, or switch \
                          the module off by UPLOADS_ENABLED=false";
    Examination::new("uploads", "the folder of uploaded files", move || {
        let state = state.clone();
        async move {
            match complaint(&state).await {
                None => Finding::ok("the folder is there"),
                Some(text) if state.files().is_err() => Finding::warning(text, ADVICE),
                Some(text) => Finding::problem(text, ADVICE),
            }
        }
    })
}
