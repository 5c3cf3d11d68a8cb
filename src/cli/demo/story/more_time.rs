//! Act six: the customer buys more time, and the end of the session moves by just that much.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Cast, Chat, Plot, new_id, payment};
use crate::cli::demo::client::Call;
use crate::cli::demo::fields::{instant, is, number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// Extends the session, and looks whether everybody knows.
pub(crate) async fn the_customer_extends(
    cast: &mut Cast,
    chat: &Chat,
    plot: &Plot,
    narrator: &mut Narrator,
) -> Result<()> {
    let Cast {
        customer, mitra, ..
    } = cast;
    narrator.act("More time")?;
    let before = customer.get(chat.path("")).await?;
    let key = new_id();
    let extension = narrator
        .step(
            "the customer extends the session",
            extends(customer, chat, &key),
        )
        .await?;
    let again = extends_again(customer, chat, &key, &extension);
    narrator
        .step("extended again with the same key: the same answer", again)
        .await?;
    if payment::is_due(&extension) {
        let due = &extension["payment"];
        payment::the_customer_pays(customer, due, plot.sandbox.as_ref(), narrator).await?;
    }
    let minutes = number(&extension, "/minutes")?;
    let what = format!("the mitra's socket is told: {minutes} minutes more");
    let told = is_told(mitra, chat);
    let after = narrator.step(&what, told).await?;
    narrator
        .step("and the customer's", is_told(customer, chat))
        .await?;
    let moved = async { end_has_moved(&before, &after, minutes) };
    narrator
        .step("the session ends just that much later", moved)
        .await
}

async fn extends(customer: &Person, chat: &Chat, key: &str) -> Result<Value> {
    let call = Call::post(chat.path("/extensions"))
        .body(json!({"package_id": chat.package_id}))
        .idempotency_key(key);
    let extension = customer.send(call).await?.expect(201)?;
    text(&extension, "/id")?;
    is(&extension, "/session/id", chat.session_id.as_str())?;
    if !payment::is_due(&extension) {
        is(&extension, "/status", "applied")?;
    }
    Ok(extension)
}

async fn extends_again(customer: &Person, chat: &Chat, key: &str, first: &Value) -> Result<()> {
    let again = extends(customer, chat, key).await?;
    if again == *first {
        return Ok(());
    }
    Err(wrong(
        format!("the first answer, extension {}", first["id"]),
        format!("extension {}", again["id"]),
        SERVER_AT_FAULT,
    ))
}

/// Waits for the news; the session as it came with it.
async fn is_told(person: &mut Person, chat: &Chat) -> Result<Value> {
    let extended = |frame: &Value| {
        says(frame, "/type", "session.updated")
            && says(frame, "/session/id", &chat.session_id)
            && says(frame, "/reason", "extended")
    };
    let socket = person.socket()?;
    let mut event = socket
        .wait_for("session.updated with more time", extended)
        .await?;
    Ok(event["session"].take())
}

fn end_has_moved(before: &Value, after: &Value, minutes: i64) -> Result<()> {
    let (old, new) = (
        instant(before, "/expires_at")?,
        instant(after, "/expires_at")?,
    );
    let bought = Duration::from_secs(u64::try_from(minutes)?.saturating_mul(60));
    if new.since(old) == bought {
        return Ok(());
    }
    let expected = format!("expires_at {}", old + bought);
    Err(wrong(expected, new.to_string(), SERVER_AT_FAULT))
}
