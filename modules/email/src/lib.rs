//! Signing in by a link that comes by email.
//!
//! What this is not: it keeps no accounts and opens no sessions; that is the `SignIn` port's. The
//! invariants: a link is good once and for a quarter of an hour, is stored as a hash alone, and is used
//! by a POST only, so that no mail scanner or preview uses it up. Nothing that a stranger sees or times
//! tells whether an email has an account.

mod address;
mod config;
mod erasure;
mod error;
mod folder;
mod handlers;
mod letter;
mod limits;
mod postbox;
mod routes;
mod smtp;
mod state;
mod store;
mod sweeps;
mod token;

use std::sync::Arc;

use halobestie_core::migrate::Migration;
use halobestie_core::module::{RunsOn, Service};
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

pub use crate::config::EmailConfig;
use crate::erasure::Links;
use crate::postbox::Postman;
use crate::smtp::Smtp;
use crate::state::State;

/// The module.
pub struct Email;

/// The description of the routes.
#[derive(OpenApi)]
#[openapi(paths(
    handlers::request::request,
    handlers::verify::verify,
    handlers::open::open,
))]
struct Described;

impl Module for Email {
    const NAME: &'static str = "email";
    const NEEDS: &'static [Capability] = &[Capability::SignIn];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[sweeps::CLEANUP];
    type Config = EmailConfig;

    fn migrations() -> &'static [Migration] {
        &[Migration {
            name: "0001_links",
            sql: include_str!("../../../migrations/email/0001_links.sql"),
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        Described::openapi()
    }

    async fn build(config: EmailConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        smtp::warn_of_plain_text(&config);
        let smtp = Arc::new(Smtp::new(
            &config,
            &cx.server.public_base_url,
            cx.title.name,
        )?);
        let (postbox, letters) = postbox::postbox();
        let state = State::new(&config, postbox, cx)?;
        let postman = Postman::new(smtp.clone(), state.sign_in.clone(), cx);
        let soft = cx.lifecycle.soft().clone();
        cx.ports.erasures.add(Arc::new(Links(state.clock.clone())));
        // Where requests are taken, since letters wait in the memory of the process that took them.
        let deliver = Service::new("email-postman", RunsOn::Api, async move {
            postman.deliver_all(letters, soft).await;
            Ok(())
        });
        Ok(Contribution {
            public: routes::public(state.clone()),
            sweeps: vec![sweeps::cleanup(state)],
            services: vec![deliver],
            examinations: vec![smtp::examination(smtp)],
            ..Contribution::default()
        })
    }
}
