//! Act three: the customer asks for a chat, a mitra accepts, and they are in one session.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Cast, Chat, new_id};
use crate::cli::demo::PATIENCE;
use crate::cli::demo::client::Call;
use crate::cli::demo::fields::{is, items, number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::socket::SignIn;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// How long an event gets before the list is asked, which shows the offer even when events are lost.
const OFFER_EVENT_PATIENCE: Duration = Duration::from_secs(3);
const OFFERS_POLL: Duration = Duration::from_millis(500);

const ANOTHER_MITRA: &str =
    "take the other mitras offline, or run the demo again until its own mitra is first";

/// Both open their sockets, each signing in in one of the two ways.
pub(crate) async fn sockets_open(cast: &mut Cast, narrator: &mut Narrator) -> Result<()> {
    narrator.act("Finding each other")?;
    let customer = cast.customer.connect(SignIn::Header);
    narrator
        .step("the customer's socket says hello", customer)
        .await?;
    let mitra = cast.mitra.connect(SignIn::FirstFrame);
    narrator
        .step("the mitra's socket says hello", mitra)
        .await?;
    narrator
        .step("the mitra's socket answers a ping", pings(&mut cast.mitra))
        .await
}

async fn pings(person: &mut Person) -> Result<()> {
    let socket = person.socket()?;
    socket.send(json!({"type": "ping", "id": "demo"})).await?;
    let ours = |frame: &Value| says(frame, "/type", "pong") && says(frame, "/id", "demo");
    let pong = socket.wait_for("pong", ours).await?;
    text(&pong, "/server_time").map(drop)
}

/// The customer asks, the mitra accepts, and both are in one session.
pub(crate) async fn they_find_each_other(cast: &mut Cast, narrator: &mut Narrator) -> Result<Chat> {
    let package = cheapest_package(&cast.customer);
    let package_id = narrator
        .step("the customer reads the packages", package)
        .await?;
    let key = new_id();
    let asked = asks(&cast.customer, &package_id, &key);
    let request = narrator.step("the customer asks for a chat", asked).await?;
    let again = asks_again(&cast.customer, &package_id, &key, &request);
    narrator
        .step("asked again with the same key: the same answer", again)
        .await?;
    let request_id = text(&request, "/id")?;
    let offered = gets_offer(cast, request_id);
    let on_socket = narrator.step("the mitra gets the offer", offered).await?;
    if !on_socket {
        narrator.note("it was in the list of offers, but did not come on the socket in time")?;
    }
    let listed = is_listed(&cast.mitra, request_id);
    narrator
        .step("the offer is in the mitra's list too", listed)
        .await?;
    let session_id = narrator
        .step("the mitra accepts", accepts(cast, request_id))
        .await?;
    let told = learns_of_match(&mut cast.customer, request_id, &session_id);
    narrator.step("the customer learns of it", told).await?;
    let again = accepts_again(&cast.mitra, request_id, &session_id);
    narrator
        .step("accepted again: the same session", again)
        .await?;
    Ok(Chat {
        session_id,
        last_seq: 0,
    })
}

async fn cheapest_package(customer: &Person) -> Result<String> {
    let packages = customer.get("/api/customer/packages").await?;
    let cheapest = items(&packages)?
        .iter()
        .min_by_key(|package| package["amount"].as_i64());
    let Some(package) = cheapest else {
        let advice = "write the price list with halobestie seed";
        return Err(wrong("at least one package", "an empty list", advice));
    };
    number(package, "/minutes")?;
    Ok(text(package, "/id")?.to_owned())
}

async fn asks(customer: &Person, package_id: &str, key: &str) -> Result<Value> {
    let body = json!({"package_id": package_id, "topic": "demo"});
    let call = Call::post("/api/customer/chat/requests")
        .body(body)
        .idempotency_key(key);
    let answer = customer.send(call).await?;
    if answer.code() == "no_mitra_available" {
        let advice = "run it again: the only mitra was taken a moment ago, or went offline";
        return Err(wrong("a mitra for the request", answer.summary(), advice));
    }
    let request = answer.expect(201)?;
    text(&request, "/id")?;
    Ok(request)
}

async fn asks_again(customer: &Person, package_id: &str, key: &str, first: &Value) -> Result<()> {
    let again = asks(customer, package_id, key).await?;
    if again != *first {
        let expected = format!("the first answer, request {}", first["id"]);
        return Err(wrong(
            expected,
            format!("request {}", again["id"]),
            SERVER_AT_FAULT,
        ));
    }
    Ok(())
}

/// Whether the offer came on the socket; where it did not, the list of offers must have it.
async fn gets_offer(cast: &mut Cast, request_id: &str) -> Result<bool> {
    let ours = |frame: &Value| {
        says(frame, "/type", "offer.new") && says(frame, "/offer/request_id", request_id)
    };
    let socket = cast.mitra.socket()?;
    if socket
        .wait_within(OFFER_EVENT_PATIENCE, ours)
        .await?
        .is_some()
    {
        return Ok(true);
    }
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let offers = cast.mitra.get("/api/mitra/chat/offers").await?;
        if items(&offers)?
            .iter()
            .any(|offer| says(offer, "/request_id", request_id))
        {
            return Ok(false);
        }
        sleep(OFFERS_POLL).await;
    }
    let request = cast
        .customer
        .get(format!("/api/customer/chat/requests/{request_id}"))
        .await?;
    let expected = "offer.new, or the offer in the list";
    match says(&request, "/status", "matched") {
        true => Err(wrong(
            expected,
            "another mitra taking the request",
            ANOTHER_MITRA,
        )),
        false => {
            let came = format!("neither, and a request that is {}", request["status"]);
            Err(wrong(expected, came, SERVER_AT_FAULT))
        }
    }
}

async fn is_listed(mitra: &Person, request_id: &str) -> Result<()> {
    let offers = mitra.get("/api/mitra/chat/offers").await?;
    let ours = |offer: &&Value| says(offer, "/request_id", request_id);
    let Some(offer) = items(&offers)?.iter().find(ours) else {
        let expected = "the offer in the list";
        return Err(wrong(expected, "a list without it", ANOTHER_MITRA));
    };
    text(offer, "/expires_at")?;
    text(offer, "/customer/display_name").map(drop)
}

async fn accepts(cast: &Cast, request_id: &str) -> Result<String> {
    let path = format!("/api/mitra/chat/offers/{request_id}/accept");
    let answer = cast.mitra.send(Call::post(path)).await?;
    if answer.code() == "offer_taken" {
        let came = "another mitra who was quicker";
        return Err(wrong(
            "the demo's own mitra to be first",
            came,
            ANOTHER_MITRA,
        ));
    }
    let session = answer.expect(200)?;
    if says(&session, "/status", "pending_payment") {
        let advice = "start the server with XENDIT_ENABLED=false: the demo cannot pay";
        return Err(wrong(
            "an active session",
            "one that waits for a payment",
            advice,
        ));
    }
    is(&session, "/status", "active")?;
    is(&session, "/customer/id", cast.customer.id.as_str())?;
    is(&session, "/mitra/id", cast.mitra.id.as_str())?;
    Ok(text(&session, "/id")?.to_owned())
}

async fn learns_of_match(customer: &mut Person, request_id: &str, session_id: &str) -> Result<()> {
    let matched = |frame: &Value| {
        says(frame, "/type", "request.updated") && says(frame, "/request/session_id", session_id)
            || says(frame, "/type", "session.updated") && says(frame, "/session/id", session_id)
    };
    customer
        .socket()?
        .wait_for("request.updated or session.updated", matched)
        .await?;
    let request = customer
        .get(format!("/api/customer/chat/requests/{request_id}"))
        .await?;
    is(&request, "/status", "matched")?;
    is(&request, "/session_id", session_id)
}

async fn accepts_again(mitra: &Person, request_id: &str, session_id: &str) -> Result<()> {
    let path = format!("/api/mitra/chat/offers/{request_id}/accept");
    is(&mitra.post(path, 200).await?, "/id", session_id)
}
