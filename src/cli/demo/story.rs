//! The story itself, act by act; what each act does is in the folder beside this file.

mod arrival;
mod farewell;
mod going_online;
mod handing_on;
mod lost_connection;
mod more_time;
mod offers;
mod pairing;
mod payment;
mod talk;

use std::time::Duration;

use anyhow::Result;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::address::Address;
use super::client::{Call, Server};
use super::fields::{items, text};
use super::narrator::Narrator;
use super::person::Person;
use super::sandbox::Sandbox;

/// How long clearing up after a story that went wrong may take.
const TIDYING_UP: Duration = Duration::from_secs(3);

/// Where the story plays and what it is given.
pub(crate) struct Plot {
    /// The customer's server.
    pub(crate) customer_at: Address,
    /// The mitra's server; may be the same.
    pub(crate) mitra_at: Address,
    /// The mitras' phones, where particular ones are wanted.
    pub(crate) mitra_phones: Vec<String>,
    /// The code that signs in where none is sent.
    pub(crate) code: String,
    /// Where codes are read that are sent, and where is paid.
    pub(crate) sandbox: Option<Sandbox>,
    /// How long to wait in the middle of the chat.
    pub(crate) pause: Duration,
}

/// The people of the story.
pub(crate) struct Cast {
    pub(crate) customer: Person,
    /// Whose session it is.
    pub(crate) mitra: Person,
    /// Another mitra, on the customer's server.
    pub(crate) colleague: Person,
}

/// The chat that the story is about.
pub(crate) struct Chat {
    /// The request that it came of.
    pub(crate) request_id: String,
    /// What it is about, in no other chat.
    pub(crate) topic: String,
    /// What it was bought as.
    pub(crate) package_id: String,
    /// The session's id.
    pub(crate) session_id: String,
    /// The `seq` of the newest message; the next one must be one more.
    pub(crate) last_seq: i64,
}

impl Chat {
    /// The session's address, or one below it.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/api/chat/sessions/{}{below}", self.session_id)
    }
}

/// Tells the whole story.
pub(crate) async fn tell(plot: &Plot, narrator: &mut Narrator) -> Result<()> {
    let (customer_at, mitra_at) = (Server::at(&plot.customer_at), Server::at(&plot.mitra_at));
    arrival::servers_answer(plot, &customer_at, &mitra_at, narrator).await?;
    let customer = arrival::customer(&customer_at, plot, narrator).await?;
    let [mitra, colleague] = arrival::mitras(&mitra_at, &customer_at, plot, narrator).await?;
    let mut cast = Cast {
        customer,
        mitra,
        colleague,
    };
    let told = play(&mut cast, plot, narrator).await;
    if told.is_err() {
        tidy_up(&mut cast).await;
    }
    told?;
    narrator.summary(&match plot.customer_at == plot.mitra_at {
        true => format!("customer and mitras on {}", plot.customer_at),
        false => format!(
            "customer and second mitra on {}, mitra on {}",
            plot.customer_at, plot.mitra_at
        ),
    })
}

async fn play(cast: &mut Cast, plot: &Plot, narrator: &mut Narrator) -> Result<()> {
    going_online::mitras_come_online(cast, narrator).await?;
    pairing::sockets_open(cast, narrator).await?;
    let mut chat = pairing::they_find_each_other(cast, plot, narrator).await?;
    talk::they_talk(cast, &mut chat, narrator).await?;
    if !plot.pause.is_zero() {
        talk::they_pause(cast, &mut chat, plot.pause, narrator).await?;
    }
    lost_connection::the_customer_drops_out(cast, &mut chat, narrator).await?;
    more_time::the_customer_extends(cast, &chat, plot, narrator).await?;
    handing_on::the_mitra_hands_on(cast, &mut chat, narrator).await?;
    farewell::they_look_back(cast, &chat, narrator).await?;
    farewell::they_part(cast, &chat, narrator).await
}

/// Leaves nothing behind that would be in the way of the next run, as far as that still works.
async fn tidy_up(cast: &mut Cast) {
    let tidying = async {
        end_open_sessions(&cast.customer).await?;
        for mitra in [&cast.mitra, &cast.colleague] {
            end_open_sessions(mitra).await?;
            mitra.post("/api/mitra/status/offline", 200).await?;
        }
        anyhow::Ok(())
    };
    // The story has failed already: what fails here as well adds nothing.
    let _ = timeout(TIDYING_UP, tidying).await;
}

/// Ends every session that a person has open, and says how many those were.
async fn end_open_sessions(person: &Person) -> Result<usize> {
    let open = person
        .get("/api/chat/sessions?status=active&limit=100")
        .await?;
    let open = items(&open)?;
    for session in open {
        person
            .post(
                format!("/api/chat/sessions/{}/end", text(session, "/id")?),
                200,
            )
            .await?;
    }
    Ok(open.len())
}

/// A message's JSON as a client sends it.
fn text_message(client_message_id: &str, body: &str) -> Value {
    json!({"client_message_id": client_message_id, "kind": "text", "body": body})
}

/// The call that sends a message over HTTP.
fn send_message(chat: &Chat, client_message_id: &str, body: &str) -> Call {
    Call::post(chat.path("/messages")).body(text_message(client_message_id, body))
}

/// A fresh id for a frame, a message or an idempotency key.
fn new_id() -> String {
    Entropy::system().uuid(&Clock::system()).to_string()
}
