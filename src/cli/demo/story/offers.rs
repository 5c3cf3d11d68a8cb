//! Offers, as they reach mitras. Everybody gets everybody's: ours are known by what the caller looks for.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::cli::demo::PATIENCE;
use crate::cli::demo::client::{Answer, Call};
use crate::cli::demo::fields::{items, says, text};
use crate::cli::demo::person::Person;
use crate::cli::demo::trouble::wrong;

/// How long an event gets before the list is asked, which shows the offer even when events are lost.
const EVENT_PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(500);

/// What to do when somebody else is in the story's way.
pub(crate) const ANOTHER_MITRA: &str =
    "take the other mitras offline, or run the demo again until its own mitra is first";

/// An offer that has reached its mitra.
pub(crate) struct Offered {
    /// The offer.
    pub(crate) offer: Value,
    /// Whether an event brought it; the list has it either way.
    pub(crate) on_socket: bool,
}

/// Waits for an offer on the mitra's socket, or else in the list; `None` when it comes by neither.
pub(crate) async fn reaches(
    mitra: &mut Person,
    is_ours: impl Fn(&Value) -> bool,
) -> Result<Option<Offered>> {
    let announces = |frame: &Value| says(frame, "/type", "offer.new") && is_ours(&frame["offer"]);
    let socket = mitra.socket()?;
    if let Some(mut event) = socket.wait_within(EVENT_PATIENCE, announces).await? {
        return Ok(Some(Offered {
            offer: event["offer"].take(),
            on_socket: true,
        }));
    }
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(offer) = in_the_list(mitra, &is_ours).await? {
            return Ok(Some(Offered {
                offer,
                on_socket: false,
            }));
        }
        sleep(POLL).await;
    }
    Ok(None)
}

/// Checks that the mitra's list has an offer.
pub(crate) async fn is_listed(mitra: &Person, is_ours: impl Fn(&Value) -> bool) -> Result<()> {
    let Some(offer) = in_the_list(mitra, is_ours).await? else {
        let expected = "the offer in the list";
        return Err(wrong(expected, "a list without it", ANOTHER_MITRA));
    };
    text(&offer, "/expires_at")?;
    text(&offer, "/customer/display_name").map(drop)
}

async fn in_the_list(mitra: &Person, is_ours: impl Fn(&Value) -> bool) -> Result<Option<Value>> {
    let offers = mitra.get("/api/mitra/chat/offers").await?;
    Ok(items(&offers)?.iter().find(|it| is_ours(it)).cloned())
}

/// Accepts; the session, when this mitra was first.
pub(crate) async fn accept(mitra: &Person, request_id: &str) -> Result<Value> {
    let answer = try_to_accept(mitra, request_id).await?;
    if answer.code() == "offer_taken" {
        let came = "another mitra who was quicker";
        return Err(wrong(
            "the demo's own mitra to be first",
            came,
            ANOTHER_MITRA,
        ));
    }
    answer.expect(200)
}

/// Checks that another mitra comes too late for an offer, and has been told so.
pub(crate) async fn is_gone_for(mitra: &mut Person, request_id: &str) -> Result<()> {
    let gone = |frame: &Value| {
        says(frame, "/type", "offer.gone")
            && says(frame, "/request_id", request_id)
            && says(frame, "/reason", "taken")
    };
    let told = mitra.socket()?.wait_for("offer.gone", gone).await;
    told.map(drop)
}

/// Checks that an offer that another mitra has taken cannot be accepted any more.
pub(crate) async fn is_too_late(mitra: &Person, request_id: &str) -> Result<()> {
    let answer = try_to_accept(mitra, request_id).await?;
    answer.expect_refusal(409, "offer_taken")
}

async fn try_to_accept(mitra: &Person, request_id: &str) -> Result<Answer> {
    let path = format!("/api/mitra/chat/offers/{request_id}/accept");
    mitra.send(Call::post(path)).await
}
