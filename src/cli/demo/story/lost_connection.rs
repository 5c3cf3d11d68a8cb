//! Act five: the customer's connection breaks, and nothing that was said meanwhile is lost.

use anyhow::Result;
use serde_json::{Value, json};

use super::talk::{hears, says_aloud};
use super::{Cast, Chat};
use crate::cli::demo::fields::{number, says};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::socket::SignIn;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// Cuts the customer's socket, lets the mitra write, and brings the customer back.
pub(crate) async fn the_customer_drops_out(
    cast: &mut Cast,
    chat: &mut Chat,
    narrator: &mut Narrator,
) -> Result<()> {
    let Cast {
        customer, mitra, ..
    } = cast;
    narrator.act("A lost connection")?;
    let known_seq = chat.last_seq;
    drop(customer.take_socket());
    narrator.note("the customer's connection is cut, without a good-bye")?;
    for body in ["Halo?", "Saya tunggu, ya."] {
        let said = says_aloud(mitra, chat, body);
        narrator
            .step("the mitra writes meanwhile: acknowledged", said)
            .await?;
    }
    let back = customer.connect(SignIn::Header);
    narrator.step("the customer connects again", back).await?;
    let resumed = resumes(customer, chat, known_seq);
    narrator
        .step("resume brings what was missed, in order", resumed)
        .await?;
    let said = says_aloud(customer, chat, "Maaf, tadi putus.");
    let said = narrator
        .step("the customer writes on: acknowledged", said)
        .await?;
    narrator
        .step("the mitra gets it", hears(mitra, chat, &said))
        .await
}

async fn resumes(person: &mut Person, chat: &Chat, known_seq: i64) -> Result<()> {
    let session = json!({"session_id": chat.session_id, "after_seq": known_seq});
    let socket = person.socket()?;
    socket
        .send(json!({"type": "resume", "sessions": [session]}))
        .await?;
    let resumed = socket
        .wait_for("resumed", |frame| says(frame, "/type", "resumed"))
        .await?;
    // Everything up to `resumed` has been read now, and nothing after it.
    let missed: Vec<i64> = (known_seq + 1..=chat.last_seq).collect();
    // Older ones may come again: a message is delivered at least once.
    let mut heard = socket.heard(&chat.session_id);
    heard.retain(|seq| *seq > known_seq);
    if heard != missed {
        let expected = format!("messages {missed:?} before resumed");
        return Err(wrong(
            expected,
            format!("messages {heard:?}"),
            SERVER_AT_FAULT,
        ));
    }
    let last_seq = last_seq_of(&resumed, &chat.session_id)?;
    if last_seq != chat.last_seq {
        let expected = format!("resumed with last_seq {}", chat.last_seq);
        return Err(wrong(expected, last_seq.to_string(), SERVER_AT_FAULT));
    }
    Ok(())
}

fn last_seq_of(resumed: &Value, session_id: &str) -> Result<i64> {
    let sessions = resumed["sessions"].as_array();
    let ours = sessions.and_then(|all| all.iter().find(|one| says(one, "/session_id", session_id)));
    match ours {
        Some(session) => number(session, "/last_seq"),
        None => Err(wrong(
            "the session in resumed",
            "none of that id",
            SERVER_AT_FAULT,
        )),
    }
}
