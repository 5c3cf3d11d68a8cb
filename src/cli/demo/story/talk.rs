//! Act four: they talk, over WebSocket and HTTP, and each is told what the other does.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::going_online::beats;
use super::{Cast, Chat, new_id, send_message, text_message};
use crate::cli::demo::fields::{is, number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// How often the mitra shows a sign of life in a pause: far more often than it would be missed.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);

/// A message and the place that it must get in its session.
pub(crate) struct Said {
    seq: i64,
    client_message_id: String,
    body: String,
}

impl Said {
    /// The chat's next message.
    fn next(chat: &Chat, body: &str) -> Self {
        Self {
            seq: chat.last_seq + 1,
            client_message_id: new_id(),
            body: body.to_owned(),
        }
    }

    /// Checks what the server made of it, and counts it.
    fn acknowledged(self, speaker: &Person, chat: &mut Chat, message: &Value) -> Result<Self> {
        is(message, "/seq", self.seq)?;
        is(message, "/session_id", chat.session_id.as_str())?;
        is(
            message,
            "/client_message_id",
            self.client_message_id.as_str(),
        )?;
        is(message, "/sender_id", speaker.id.as_str())?;
        is(message, "/sender_role", speaker.role)?;
        is(message, "/body", self.body.as_str())?;
        text(message, "/sent_at")?;
        chat.last_seq = self.seq;
        Ok(self)
    }
}

/// Messages both ways, over both protocols, and what goes with them.
pub(crate) async fn they_talk(
    cast: &mut Cast,
    chat: &mut Chat,
    narrator: &mut Narrator,
) -> Result<()> {
    narrator.act("Talking")?;
    on_their_sockets(cast, chat, narrator).await?;
    over_http_and_twice(cast, chat, narrator).await?;
    let read = reads(&mut cast.mitra, &mut cast.customer, chat);
    narrator
        .step("the customer sees that the mitra has read it", read)
        .await
}

async fn on_their_sockets(cast: &mut Cast, chat: &mut Chat, narrator: &mut Narrator) -> Result<()> {
    let Cast {
        customer, mitra, ..
    } = cast;
    let said = says_aloud(customer, chat, "Halo, ada waktu?");
    let said = narrator
        .step("the customer writes: acknowledged", said)
        .await?;
    narrator
        .step("the mitra gets it", hears(mitra, chat, &said))
        .await?;
    let seen = types(mitra, customer, chat);
    narrator
        .step("the customer sees the mitra typing", seen)
        .await?;
    let said = says_aloud(mitra, chat, "Halo! Tentu, cerita saja.");
    let said = narrator
        .step("the mitra answers: acknowledged", said)
        .await?;
    narrator
        .step("the customer gets it", hears(customer, chat, &said))
        .await
}

async fn over_http_and_twice(
    cast: &mut Cast,
    chat: &mut Chat,
    narrator: &mut Narrator,
) -> Result<()> {
    let Cast {
        customer, mitra, ..
    } = cast;
    let said = says_over_http(customer, chat, "Terima kasih.");
    let said = narrator
        .step("the customer writes over HTTP: 201", said)
        .await?;
    narrator
        .step("the mitra gets it on the socket", hears(mitra, chat, &said))
        .await?;
    let again = repeats_over_http(customer, chat, &said);
    narrator
        .step("sent again over HTTP: the first message", again)
        .await?;
    let again = repeats_over_socket(customer, chat, &said);
    narrator
        .step("sent again on the socket: the first message", again)
        .await
}

/// A rest in which somebody may stop Valkey; the story goes on as if nothing had happened.
pub(crate) async fn they_pause(
    cast: &mut Cast,
    chat: &mut Chat,
    pause: Duration,
    narrator: &mut Narrator,
) -> Result<()> {
    narrator.act("A pause")?;
    narrator.note(&format!(
        "{} s: stop Valkey now, if you like",
        pause.as_secs()
    ))?;
    let what = "all sockets and the mitras' heartbeats last";
    narrator.step(what, rest(cast, pause)).await?;
    let Cast {
        customer, mitra, ..
    } = cast;
    let said = says_aloud(customer, chat, "Masih di sana?");
    let said = narrator
        .step("the customer writes: acknowledged", said)
        .await?;
    narrator
        .step("the mitra gets it", hears(mitra, chat, &said))
        .await?;
    let said = says_aloud(mitra, chat, "Masih.");
    let said = narrator
        .step("the mitra answers: acknowledged", said)
        .await?;
    narrator
        .step("the customer gets it", hears(customer, chat, &said))
        .await
}

async fn rest(cast: &mut Cast, pause: Duration) -> Result<()> {
    let end = Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let slice = left.min(HEARTBEAT_EVERY);
        let Cast {
            customer,
            mitra,
            colleague,
        } = cast;
        tokio::try_join!(
            customer.socket()?.listen(slice),
            mitra.socket()?.listen(slice),
            colleague.socket()?.listen(slice),
        )?;
        beats(mitra).await?;
        beats(colleague).await?;
    }
}

/// Sends a message on the socket and waits for its acknowledgement.
pub(crate) async fn says_aloud(speaker: &mut Person, chat: &mut Chat, body: &str) -> Result<Said> {
    let said = Said::next(chat, body);
    let ack = send_and_wait(speaker, chat, &said.client_message_id, body).await?;
    is(&ack, "/type", "ack")?;
    said.acknowledged(speaker, chat, &ack["message"])
}

async fn says_over_http(speaker: &Person, chat: &mut Chat, body: &str) -> Result<Said> {
    let said = Said::next(chat, body);
    let call = send_message(chat, &said.client_message_id, body);
    let message = speaker.send(call).await?.expect(201)?;
    said.acknowledged(speaker, chat, &message)
}

/// Sends `message.send` and gives back what answers it: `ack` or `error`.
pub(crate) async fn send_and_wait(
    speaker: &mut Person,
    chat: &Chat,
    client_message_id: &str,
    body: &str,
) -> Result<Value> {
    let frame_id = new_id();
    let mut frame = text_message(client_message_id, body);
    frame["type"] = "message.send".into();
    frame["id"] = frame_id.as_str().into();
    frame["session_id"] = chat.session_id.as_str().into();
    let socket = speaker.socket()?;
    socket.send(frame).await?;
    let answers = |frame: &Value| {
        says(frame, "/id", &frame_id)
            && (says(frame, "/type", "ack") || says(frame, "/type", "error"))
    };
    socket.wait_for("an ack", answers).await
}

/// Waits until a message has come to the other side.
pub(crate) async fn hears(listener: &mut Person, chat: &Chat, said: &Said) -> Result<()> {
    let ours = |frame: &Value| {
        says(frame, "/type", "message.new")
            && says(frame, "/message/session_id", &chat.session_id)
            && frame["message"]["seq"] == said.seq
    };
    let what = format!("message.new with seq {}", said.seq);
    let event = listener.socket()?.wait_for(&what, ours).await?;
    is(
        &event,
        "/message/client_message_id",
        said.client_message_id.as_str(),
    )?;
    is(&event, "/message/body", said.body.as_str())
}

/// Checks that a message is refused, because the session takes none.
pub(crate) async fn writes_in_vain(speaker: &Person, chat: &Chat, body: &str) -> Result<()> {
    let call = send_message(chat, &new_id(), body);
    let answer = speaker.send(call).await?;
    answer.expect_refusal(409, "session_not_active")
}

async fn repeats_over_http(speaker: &Person, chat: &Chat, said: &Said) -> Result<()> {
    let call = send_message(chat, &said.client_message_id, &said.body);
    let message = speaker.send(call).await?.expect(200)?;
    is(&message, "/seq", said.seq)
}

async fn repeats_over_socket(speaker: &mut Person, chat: &Chat, said: &Said) -> Result<()> {
    let ack = send_and_wait(speaker, chat, &said.client_message_id, &said.body).await?;
    is(&ack, "/type", "ack")?;
    is(&ack, "/message/seq", said.seq)
}

async fn types(typist: &mut Person, watcher: &mut Person, chat: &Chat) -> Result<()> {
    let frame = json!({"type": "typing", "session_id": chat.session_id, "typing": true});
    typist.socket()?.send(frame).await?;
    let ours = |frame: &Value| {
        says(frame, "/type", "typing") && says(frame, "/session_id", &chat.session_id)
    };
    let event = watcher.socket()?.wait_for("typing", ours).await?;
    is(&event, "/user_id", typist.id.as_str())?;
    is(&event, "/typing", true)
}

async fn reads(reader: &mut Person, watcher: &mut Person, chat: &Chat) -> Result<()> {
    let seq = chat.last_seq;
    let frame = json!({"type": "message.read", "session_id": chat.session_id, "seq": seq});
    reader.socket()?.send(frame).await?;
    let ours = |frame: &Value| {
        says(frame, "/type", "message.read") && says(frame, "/session_id", &chat.session_id)
    };
    let event = watcher.socket()?.wait_for("message.read", ours).await?;
    is(&event, "/reader_id", reader.id.as_str())?;
    is(&event, "/seq", seq)?;
    let session = reader.get(chat.path("")).await?;
    match number(&session, "/unread")? {
        0 => Ok(()),
        unread => Err(wrong(
            "nothing unread",
            format!("{unread} unread"),
            SERVER_AT_FAULT,
        )),
    }
}
