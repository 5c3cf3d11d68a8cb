//! The last acts: what was said is looked over, the session ends, and both go.

use anyhow::Result;
use serde_json::{Value, json};

use super::talk::{send_and_wait, writes_in_vain};
use super::{Cast, Chat, new_id};
use crate::cli::demo::client::Call;
use crate::cli::demo::fields::{is, items, number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// The close code of a socket whose sign-in was revoked.
const CLOSED_REVOKED: u16 = 4403;

/// The history has everything once, and the sockets brought it in order.
pub(crate) async fn they_look_back(
    cast: &mut Cast,
    chat: &Chat,
    narrator: &mut Narrator,
) -> Result<()> {
    narrator.act("Looking back")?;
    let what = format!(
        "the history has messages 1 to {} without a gap",
        chat.last_seq
    );
    narrator
        .step(&what, history_is_whole(&cast.customer, chat))
        .await?;
    let order = async {
        came_in_order(&mut cast.customer, chat)?;
        came_in_order(&mut cast.mitra, chat)
    };
    narrator
        .step("both sockets brought them in order", order)
        .await?;
    let Cast { customer, .. } = cast;
    narrator
        .step(
            "the customer's refresh token is rotated",
            customer.refresh(),
        )
        .await?;
    narrator
        .step("the new access token works", knows_me(customer))
        .await?;
    narrator
        .step("the open socket takes it too", renews_socket(customer))
        .await
}

/// Checks that this person reads every message of the session once, in order.
pub(crate) async fn history_is_whole(person: &Person, chat: &Chat) -> Result<()> {
    let history = person
        .get(chat.path("/messages?after_seq=0&limit=100"))
        .await?;
    let seqs: Result<Vec<i64>> = items(&history)?
        .iter()
        .map(|message| number(message, "/seq"))
        .collect();
    let (seqs, whole) = (seqs?, (1..=chat.last_seq).collect::<Vec<_>>());
    if seqs != whole {
        return Err(wrong(
            format!("messages {whole:?}"),
            format!("{seqs:?}"),
            SERVER_AT_FAULT,
        ));
    }
    is(&history, "/last_seq", chat.last_seq)
}

fn came_in_order(person: &mut Person, chat: &Chat) -> Result<()> {
    let heard = person.socket()?.heard(&chat.session_id);
    if heard.is_sorted() {
        return Ok(());
    }
    let expected = format!("the {}'s messages in ascending order", person.role);
    Err(wrong(expected, format!("{heard:?}"), SERVER_AT_FAULT))
}

async fn knows_me(person: &Person) -> Result<()> {
    is(
        &person.get("/api/auth/me").await?,
        "/id",
        person.id.as_str(),
    )
}

async fn renews_socket(person: &mut Person) -> Result<()> {
    let frame = json!({"type": "auth", "access_token": person.access_token()});
    let socket = person.socket()?;
    socket.send(frame).await?;
    let renewed = socket
        .wait_for("auth.ok", |frame| says(frame, "/type", "auth.ok"))
        .await?;
    text(&renewed, "/expires_at").map(drop)
}

/// The customer ends the session, both learn of it, and both leave.
pub(crate) async fn they_part(cast: &mut Cast, chat: &Chat, narrator: &mut Narrator) -> Result<()> {
    let Cast {
        customer,
        mitra,
        colleague,
    } = cast;
    narrator.act("Parting")?;
    narrator
        .step("the customer ends the session", ends(customer, chat))
        .await?;
    narrator
        .step("the customer's socket is told", is_told(customer, chat))
        .await?;
    narrator
        .step("the mitra's socket is told", is_told(mitra, chat))
        .await?;
    narrator
        .step(
            "ended again by the mitra: still the same end",
            ends(mitra, chat),
        )
        .await?;
    let late = writes_in_vain(customer, chat, "Satu lagi…");
    narrator
        .step("a message afterwards is refused: 409", late)
        .await?;
    let late = writes_too_late_on_socket(mitra, chat);
    narrator.step("on the socket as well", late).await?;
    narrator
        .step("both mitras go offline", async {
            goes_offline(mitra).await?;
            goes_offline(colleague).await
        })
        .await?;
    narrator
        .step("both mitras sign out", async {
            signs_out(mitra).await?;
            signs_out(colleague).await
        })
        .await?;
    narrator
        .step("the customer signs out", signs_out(customer))
        .await
}

async fn ends(person: &Person, chat: &Chat) -> Result<()> {
    let session = person.post(chat.path("/end"), 200).await?;
    is(&session, "/status", "ended")?;
    is(&session, "/end_reason", "customer_ended")?;
    is(&session, "/last_seq", chat.last_seq)
}

async fn is_told(person: &mut Person, chat: &Chat) -> Result<()> {
    let ended = |frame: &Value| {
        says(frame, "/type", "session.updated")
            && says(frame, "/session/id", &chat.session_id)
            && says(frame, "/session/status", "ended")
    };
    person
        .socket()?
        .wait_for("session.updated with the end", ended)
        .await
        .map(drop)
}

async fn writes_too_late_on_socket(person: &mut Person, chat: &Chat) -> Result<()> {
    let answer = send_and_wait(person, chat, &new_id(), "Satu lagi…").await?;
    is(&answer, "/type", "error")?;
    is(&answer, "/code", "session_not_active")
}

async fn goes_offline(mitra: &Person) -> Result<()> {
    is(
        &mitra.post("/api/mitra/status/offline", 200).await?,
        "/online",
        false,
    )
}

/// Signs out: the socket is closed for it, and the access token is worth nothing from now on.
async fn signs_out(person: &mut Person) -> Result<()> {
    person.post("/api/auth/logout", 204).await?;
    person.socket()?.wait_closed(CLOSED_REVOKED).await?;
    if let Some(socket) = person.take_socket() {
        socket.close().await;
    }
    person
        .send(Call::get("/api/auth/me"))
        .await?
        .expect_refusal(401, "unauthenticated")
}
