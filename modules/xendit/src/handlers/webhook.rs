//! What Xendit tells: proved, kept word for word, and answered at once. Reading it is a job's.
//!
//! The order is deliberate: whoever cannot prove itself learns nothing of what bodies are taken.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::jobs::NewJob;
use secrecy::ExposeSecret;
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::error::PaymentError;
use crate::event::Event;
use crate::inbox::ReadWebhook;
use crate::state::State;
use crate::store::events;

/// Longer ids of deliveries are not Xendit's.
const WEBHOOK_ID_BYTES_MAX: usize = 255;

/// That the event is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct Kept {
    /// Always true.
    received: bool,
}

/// An event of Xendit
///
/// 200 once it is stored, also for one that came before and for an invoice that is unknown. What it
/// changes, it changes a moment later.
#[utoipa::path(
    post, path = "/api/webhooks/xendit", tag = "payments",
    params(
        ("x-callback-token" = String, Header, description = "The account's verification token"),
        ("webhook-id" = Option<String>, Header, description = "The delivery's id: the same again is a duplicate"),
    ),
    request_body(content = serde_json::Value, description = "An event as Xendit sends it"),
    responses(
        (status = 200, description = "Stored, now or before", body = Kept),
        (status = 400, description = "`not_an_event`"),
        (status = 401, description = "`unauthenticated`: the token is missing or wrong"),
        (status = 413, description = "`body_too_large`: more than 256 KiB"),
    ),
)]
pub(crate) async fn take(state: Arc<State>, mut req: Request) -> Reply {
    let count = |outcome: &str| state.meters.webhooks.with_label_values(&[outcome]).inc();
    if !is_proved(&state, req.header("x-callback-token")) {
        count("unproved");
        return Err(PaymentError::WrongToken.into());
    }
    let webhook_id = req.header("webhook-id").and_then(delivery_id);
    let body = req.bytes().await?;
    let text = std::str::from_utf8(&body).map_err(|_| "it is not UTF-8");
    let event = text.and_then(Event::read);
    let event = event.map_err(|why| {
        count("not_an_event");
        PaymentError::NotAnEvent(why)
    })?;
    let text = text.unwrap_or_default();
    let is_new = keep(&state, webhook_id.as_deref(), &event, text).await;
    count(if is_new? { "stored" } else { "repeated" });
    reply::ok(&Kept { received: true })
}

/// Hashed first: comparing takes as long for tokens of any length.
fn is_proved(state: &State, token: Option<&str>) -> bool {
    let expected = Sha256::digest(state.webhook_token.expose_secret());
    let given = Sha256::digest(token.unwrap_or_default());
    token.is_some() && bool::from(expected.ct_eq(&given))
}

fn delivery_id(text: &str) -> Option<String> {
    let is_one = !text.is_empty() && text.len() <= WEBHOOK_ID_BYTES_MAX;
    is_one.then(|| text.to_owned())
}

async fn keep(
    state: &State,
    webhook_id: Option<&str>,
    event: &Event,
    body: &str,
) -> Result<bool, PaymentError> {
    let (new_id, now, key) = (state.entropy.uuid(&state.clock), state.now(), event.key());
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let id = if events::insert(&tx, new_id, webhook_id, &key, body, now).await? {
        new_id
    } else {
        match events::reopen_unknown(&tx, &key, now).await? {
            Some(id) => id,
            None => return Ok(false),
        }
    };
    let job = NewJob::of(ReadWebhook { id });
    let job = state.jobs.enqueue(&tx, job).await?;
    tx.commit().await?;
    drop(client);
    job.run().await;
    Ok(true)
}
