//! Money for time, by Xendit: invoices, what is heard of them, money that goes back, and the books.
//!
//! What this is not: it sells nothing and delivers nothing; that is the `Purchases` port's. The
//! invariants: only a verified event or a direct read of an invoice changes a payment; what was paid is
//! delivered in the transaction that marks it paid, or is on its way back, or waits for a person with a
//! reason; and no call to Xendit is made inside a transaction.

mod asking;
mod books;
mod charging;
mod config;
mod doctor;
mod error;
mod event;
mod gateway;
mod handlers;
mod inbox;
mod invoicing;
mod ledger;
mod meters;
mod openapi;
mod overseeing;
mod payment_state;
mod reconciling;
mod refunding;
mod return_link;
mod return_page;
mod routes;
mod settling;
mod state;
mod store;
mod sweeps;

use std::sync::Arc;

use halobestie_core::jobs::JobKind;
use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use tracing::warn;

use crate::books::Auditor;
use crate::charging::Till;
use crate::gateway::Client;
use crate::meters::Meters;
use crate::state::State;

pub use crate::config::XenditConfig;

/// The module.
pub struct Xendit;

impl Module for Xendit {
    const NAME: &'static str = "xendit";
    const NEEDS: &'static [Capability] = &[Capability::Authenticator, Capability::Purchases];
    const PROVIDES: &'static [Capability] = &[
        Capability::Payments,
        Capability::PaymentsOversight,
        Capability::Books,
    ];
    const SWEEPS: &'static [&'static str] =
        &[sweeps::RECONCILE, sweeps::CLEANUP, refunding::RECONCILE];
    const JOBS: &'static [JobKind] = &[
        JobKind::of::<invoicing::MakeInvoice>(),
        JobKind::of::<invoicing::CloseInvoice>(),
        JobKind::of::<inbox::ReadWebhook>(),
        JobKind::of::<refunding::SendRefund>(),
    ];
    type Config = XenditConfig;

    fn migrations() -> &'static [Migration] {
        &[
            Migration {
                name: "0001_payments",
                sql: include_str!("../../../migrations/xendit/0001_payments.sql"),
            },
            Migration {
                name: "0002_oversight",
                sql: include_str!("../../../migrations/xendit/0002_oversight.sql"),
            },
        ]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        openapi::described()
    }

    async fn build(config: XenditConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        if cx.env.is_deployed() && !config.is_encrypted() {
            warn!("XENDIT_BASE_URL is not https: the secret key travels in the open");
        }
        let meters = Meters::new(&cx.metrics);
        let client = Arc::new(Client::new(&config, meters.clone(), cx)?);
        let state = State::new(&config, client.clone(), meters, cx)?;
        cx.ports.payments.fill(Arc::new(Till::new(state.clone())));
        cx.ports
            .payments_oversight
            .fill(Arc::new(overseeing::Overseer(state.clone())));
        cx.ports.books.fill(Arc::new(Auditor {
            db: cx.db.clone(),
            sold_time: cx.ports.sold_time.clone(),
        }));
        let base_url = cx.server.public_base_url.trim_end_matches('/');
        let webhook_url = format!("{base_url}{}", routes::WEBHOOK);
        let mut examinations = vec![gateway::examination(client, webhook_url.clone())];
        examinations.extend(doctor::examinations(state.clone(), webhook_url));
        Ok(Contribution {
            public: routes::public(state.clone()),
            jobs: vec![
                invoicing::making(state.clone()),
                invoicing::closing(state.clone()),
                inbox::reading(state.clone()),
                refunding::sending(state.clone()),
            ],
            sweeps: sweeps::all(state, &config),
            examinations,
            ..Contribution::default()
        })
    }
}
