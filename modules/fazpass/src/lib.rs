//! Fazpass: carries one-time codes to phones.
//!
//! It only carries. Codes are made, kept, counted and checked by whoever signs people in, so nothing
//! here depends on what Fazpass remembers of a code. The invariant: one request for a code sends one
//! message at most, and what is said of it is never surer than what is known.

mod carrier;
mod config;
mod examination;
mod gate;
mod meters;
mod wire;

use std::sync::Arc;

use futures_util::FutureExt;
use halobestie_core::migrate::Migration;
use halobestie_core::module::{Health, HealthCheck};
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use tracing::warn;

use crate::carrier::Carrier;

pub use crate::config::FazpassConfig;

/// The module.
pub struct Fazpass;

impl Module for Fazpass {
    const NAME: &'static str = "fazpass";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[Capability::CodeCarrier];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = FazpassConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApi::default()
    }

    async fn build(config: FazpassConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        if cx.env.is_deployed() && !config.is_encrypted() {
            warn!(
                "FAZPASS_BASE_URL is not https: the merchant key and every code travel in the open"
            );
        }
        let carrier = Arc::new(Carrier::new(&config, cx)?);
        cx.ports.code_carrier.fill(carrier.clone());
        Ok(Contribution {
            checks: vec![health(carrier.clone())],
            examinations: vec![examination::examination(carrier)],
            ..Contribution::default()
        })
    }
}

/// Whether calls are being made; asks nobody.
fn health(carrier: Arc<Carrier>) -> HealthCheck {
    let look = move || {
        let is_open = carrier.is_open();
        async move {
            let detail = "calls failed one after another: none is made for a moment";
            Health {
                status: if is_open { "ok" } else { "degraded" },
                detail: (!is_open).then(|| detail.to_owned()),
            }
        }
        .boxed()
    };
    HealthCheck {
        name: Fazpass::NAME,
        look: Arc::new(look),
    }
}
