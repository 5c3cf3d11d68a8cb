//! Act seven: the mitra hands the session on, another one takes it, and no time is lost by that.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::farewell::history_is_whole;
use super::offers::{self, ANOTHER_MITRA, Offered};
use super::talk::{hears, says_aloud, writes_in_vain};
use super::{Cast, Chat};
use crate::cli::demo::client::Call;
use crate::cli::demo::fields::{instant, is, number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// How long the colleague lets the session wait, so that there is something to give back.
const HESITATION: Duration = Duration::from_secs(1);

/// Hands the session to the colleague, who is the story's mitra from then on.
pub(crate) async fn the_mitra_hands_on(
    cast: &mut Cast,
    chat: &mut Chat,
    narrator: &mut Narrator,
) -> Result<()> {
    narrator.act("Another mitra takes over")?;
    let before = cast.customer.get(chat.path("")).await?;
    let began = Instant::now();
    let (request_id, left) = the_session_stands(cast, chat, narrator).await?;
    narrator.note("the second mitra takes a second to think")?;
    let stands = clock_stands(&cast.customer, chat, left);
    narrator.step("the clock stands meanwhile", stands).await?;
    let taken = takes(&cast.colleague, chat, &request_id);
    let after = narrator
        .step("the second mitra accepts: the same session", taken)
        .await?;
    let given_back = async { time_is_given_back(&before, &after, began.elapsed()) };
    let given_back = narrator
        .step("the time that it stood is given back", given_back)
        .await?;
    narrator.note(&format!(
        "it ends {} ms later than it would have",
        given_back.as_millis()
    ))?;
    everybody_knows(cast, chat, narrator).await?;
    std::mem::swap(&mut cast.mitra, &mut cast.colleague);
    they_talk_on(cast, chat, narrator).await
}

/// The first half: the session looks for another mitra. The search, and how many seconds are left.
async fn the_session_stands(
    cast: &mut Cast,
    chat: &Chat,
    narrator: &mut Narrator,
) -> Result<(String, i64)> {
    let Cast {
        customer,
        mitra,
        colleague,
    } = cast;
    let left = narrator
        .step("the mitra hands the session on", hands_on(mitra, chat))
        .await?;
    let told = is_told(customer, chat, "rerouting");
    narrator.step("the customer is told", told).await?;
    let vain = writes_in_vain(customer, chat, "Halo?");
    narrator
        .step("nobody writes in it for now: 409", vain)
        .await?;
    let offered = gets_offer(colleague, chat, left);
    let request_id = narrator
        .step("the second mitra is offered what is left of it", offered)
        .await?;
    Ok((request_id, left))
}

async fn hands_on(mitra: &Person, chat: &Chat) -> Result<i64> {
    let call = Call::post(chat.path("/reroute")).body(json!({"reason": "demo"}));
    let session = mitra.send(call).await?.expect(202)?;
    is(&session, "/status", "rerouting")?;
    is(&session, "/expires_at", Value::Null)?;
    number(&session, "/remaining_seconds")
}

async fn gets_offer(colleague: &mut Person, chat: &Chat, left: i64) -> Result<String> {
    // The search is a request of its own, on the same topic.
    let is_ours = |offer: &Value| {
        says(offer, "/topic", &chat.topic) && !says(offer, "/request_id", &chat.request_id)
    };
    let Some(Offered { offer, .. }) = offers::reaches(colleague, is_ours).await? else {
        let expected = "the session among the second mitra's offers";
        return Err(wrong(expected, "nothing of it", ANOTHER_MITRA));
    };
    is(&offer, "/remaining_seconds", left)?;
    Ok(text(&offer, "/request_id")?.to_owned())
}

async fn clock_stands(customer: &Person, chat: &Chat, left: i64) -> Result<()> {
    sleep(HESITATION).await;
    let session = customer.get(chat.path("")).await?;
    if !says(&session, "/status", "rerouting") {
        let came = format!("a session that is {}", session["status"]);
        return Err(wrong("a session that waits", came, ANOTHER_MITRA));
    }
    is(&session, "/remaining_seconds", left)
}

async fn takes(colleague: &Person, chat: &Chat, request_id: &str) -> Result<Value> {
    let session = offers::accept(colleague, request_id).await?;
    is(&session, "/id", chat.session_id.as_str())?;
    is(&session, "/status", "active")?;
    is(&session, "/mitra/id", colleague.id.as_str())?;
    Ok(session)
}

/// By how much later the session ends: at least as long as it stood, and no longer than all of it took.
fn time_is_given_back(before: &Value, after: &Value, took: Duration) -> Result<Duration> {
    let (old, new) = (
        instant(before, "/expires_at")?,
        instant(after, "/expires_at")?,
    );
    let given_back = new.since(old);
    if (HESITATION..=took).contains(&given_back) {
        return Ok(given_back);
    }
    Err(wrong(
        format!("{} to {} ms more", HESITATION.as_millis(), took.as_millis()),
        format!("expires_at {old} before and {new} after"),
        SERVER_AT_FAULT,
    ))
}

async fn everybody_knows(cast: &mut Cast, chat: &Chat, narrator: &mut Narrator) -> Result<()> {
    let Cast {
        customer,
        mitra,
        colleague,
    } = cast;
    let told = is_told(customer, chat, "taken");
    narrator
        .step("the customer is told who it is now", told)
        .await?;
    let told = is_told(mitra, chat, "taken");
    narrator.step("the first mitra is told", told).await?;
    let locked_out = async {
        let call = Call::get(chat.path("/messages"));
        mitra.send(call).await?.expect_refusal(404, "not_found")
    };
    narrator
        .step("and reads nothing of it any more: 404", locked_out)
        .await?;
    narrator
        .step(
            "the second mitra reads all that was said",
            history_is_whole(colleague, chat),
        )
        .await
}

async fn is_told(person: &mut Person, chat: &Chat, reason: &str) -> Result<()> {
    let ours = |frame: &Value| {
        says(frame, "/type", "session.updated")
            && says(frame, "/session/id", &chat.session_id)
            && says(frame, "/reason", reason)
    };
    let what = format!("session.updated with the reason {reason}");
    person.socket()?.wait_for(&what, ours).await.map(drop)
}

async fn they_talk_on(cast: &mut Cast, chat: &mut Chat, narrator: &mut Narrator) -> Result<()> {
    let Cast {
        customer, mitra, ..
    } = cast;
    let said = says_aloud(mitra, chat, "Halo, saya lanjutkan ya.");
    let said = narrator
        .step("the second mitra writes: acknowledged", said)
        .await?;
    narrator
        .step("the customer gets it", hears(customer, chat, &said))
        .await?;
    let said = says_aloud(customer, chat, "Terima kasih banyak.");
    let said = narrator
        .step("the customer writes: acknowledged", said)
        .await?;
    narrator
        .step("the second mitra gets it", hears(mitra, chat, &said))
        .await
}
