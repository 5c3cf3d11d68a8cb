//! Availability: which mitras are online, alive and free, and the beacon that tells customers.
//!
//! Postgres is the durable truth; Valkey is an exact mirror of it that answers the hot paths. Losing
//! Valkey at any moment costs speed, never correctness: every read falls back to Postgres, every
//! reconnect reseeds. Not here: who a mitra is (the directory's), what its sessions are (only how many,
//! through the port `SessionLoad`), which of the available gets an offer (chat's).

mod beacon;
mod config;
mod drift;
mod error;
mod flight;
mod handlers;
pub mod liveness;
mod lookup;
mod meters;
pub mod mirror;
pub mod mitra;
mod overseeing;
mod ports;
mod reseed;
mod roster;
mod routes;
mod standing;
mod store;
mod sweeps;

use std::sync::Arc;

use halobestie_core::migrate::Migration;
use halobestie_core::module::{BeforeBind, Phase, RunsOn, Service};
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

pub use config::AvailabilityConfig;
pub use error::{AvailabilityError, codes};

/// The module.
pub struct Mitras;

impl Module for Mitras {
    const NAME: &'static str = "availability";
    const NEEDS: &'static [Capability] = &[Capability::Authenticator];
    const PROVIDES: &'static [Capability] = &[Capability::Availability];
    const SWEEPS: &'static [&'static str] = &[
        sweeps::AUTO_OFFLINE,
        sweeps::HEARTBEAT_MIRROR,
        sweeps::ONLINE_MIRROR,
    ];
    type Config = AvailabilityConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_mitras",
            sql: include_str!("../../../migrations/availability/0001_mitras.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        codes::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        routes::Description::openapi()
    }

    async fn build(config: AvailabilityConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let roster = Arc::new(roster::Roster::new(&config, cx));
        cx.ports.availability.fill(roster.clone());
        let beacon = Arc::new(beacon::Beacon::new(roster.clone()));
        let state = Arc::new(handlers::State {
            roster: roster.clone(),
            beacon,
        });
        let seed = reseed::seed_at_start(roster.clone(), cx.valkey.clone());
        let keep_seeded = reseed::keep_seeded(roster.clone(), cx.lifecycle.clone());
        Ok(Contribution {
            public: routes::public(state),
            sweeps: sweeps::sweeps(&roster, &config),
            examinations: vec![drift::examination(&roster, cx.valkey.clone())],
            services: vec![Service::new("mirror-of-mitras", RunsOn::Every, keep_seeded)],
            before_bind: vec![BeforeBind::new(
                "seed the mirror of mitras",
                Phase::Seed,
                seed,
            )],
            ..Contribution::default()
        })
    }
}
