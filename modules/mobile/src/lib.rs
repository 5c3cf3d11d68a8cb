//! What phones ask the site: which apps may open its links, and whether an app is too old.
//!
//! Everything is said by configuration and rendered at the start; no request reads anything.

mod associations;
mod config;
mod handlers;
mod routes;
mod version;

use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

pub use config::MobileConfig;

/// The module.
pub struct Mobile;

impl Module for Mobile {
    const NAME: &'static str = "mobile";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = MobileConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        routes::MobileApi::openapi()
    }

    async fn build(config: MobileConfig, _: &mut Context) -> Result<Contribution, BoxError> {
        Ok(Contribution {
            public: routes::public(&config)?,
            ..Contribution::default()
        })
    }
}
