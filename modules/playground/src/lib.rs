//! Customer and mitra side by side on one page of the public listener, on the real API and WebSocket.
//!
//! It is a client like any other that happens to be served from here: it knows nothing but the API, and
//! the server treats it as it treats every app. It shows what goes over the wire, so it starts on a
//! developer's machine alone, whoever compiled it in.

mod assets;
mod config;
mod handlers;
mod routes;

use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

pub use config::PlaygroundConfig;

/// The module.
pub struct Playground;

impl Module for Playground {
    const NAME: &'static str = "playground";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = PlaygroundConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        routes::PlaygroundApi::openapi()
    }

    async fn build(config: PlaygroundConfig, _: &mut Context) -> Result<Contribution, BoxError> {
        Ok(Contribution {
            public: routes::public(&config),
            ..Contribution::default()
        })
    }
}
