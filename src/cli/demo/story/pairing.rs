//! Act three: the customer asks for a chat, one of two mitras accepts, and they are in one session.

use anyhow::Result;
use serde_json::{Value, json};

use super::offers::{self, ANOTHER_MITRA};
use super::{Cast, Chat, Plot, new_id, payment};
use crate::cli::demo::client::Call;
use crate::cli::demo::fields::{is, items, number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::socket::SignIn;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

/// All open their sockets, signing in in one of the two ways.
pub(crate) async fn sockets_open(cast: &mut Cast, narrator: &mut Narrator) -> Result<()> {
    narrator.act("Finding each other")?;
    let customer = cast.customer.connect(SignIn::Header);
    narrator
        .step("the customer's socket says hello", customer)
        .await?;
    let mitras = async {
        cast.mitra.connect(SignIn::FirstFrame).await?;
        cast.colleague.connect(SignIn::Header).await
    };
    narrator
        .step("the mitras' sockets say hello", mitras)
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

/// The customer asks, both mitras are offered it, one accepts, and they are in one session.
pub(crate) async fn they_find_each_other(
    cast: &mut Cast,
    plot: &Plot,
    narrator: &mut Narrator,
) -> Result<Chat> {
    let package = cheapest_package(&cast.customer);
    let package_id = narrator
        .step("the customer reads the packages", package)
        .await?;
    let wish = Wish::new(package_id);
    let request = narrator
        .step("the customer asks for a chat", asks(&cast.customer, &wish))
        .await?;
    let again = asks_again(&cast.customer, &wish, &request);
    narrator
        .step("asked again with the same key: the same answer", again)
        .await?;
    let request_id = text(&request, "/id")?;
    both_are_offered_it(cast, request_id, narrator).await?;
    let accepted = narrator
        .step("the mitra accepts", accepts(cast, request_id))
        .await?;
    let session_id = text(&accepted, "/id")?;
    let told = learns_of_match(&mut cast.customer, request_id, session_id);
    narrator.step("the customer learns of it", told).await?;
    if payment::is_due(&accepted) {
        it_is_paid(cast, &accepted, plot, narrator).await?;
    }
    let again = accepts_again(&cast.mitra, request_id, session_id);
    narrator
        .step("accepted again: the same session", again)
        .await?;
    the_other_is_too_late(&mut cast.colleague, request_id, narrator).await?;
    Ok(Chat {
        request_id: request_id.to_owned(),
        topic: wish.topic,
        package_id: wish.package_id,
        session_id: session_id.to_owned(),
        last_seq: 0,
    })
}

async fn both_are_offered_it(
    cast: &mut Cast,
    request_id: &str,
    narrator: &mut Narrator,
) -> Result<()> {
    let offered = gets_offer(&mut cast.mitra, &cast.customer, request_id);
    let on_socket = narrator.step("the mitra gets the offer", offered).await?;
    if !on_socket {
        narrator.note("it was in the list of offers, but did not come on the socket in time")?;
    }
    let is_ours = |offer: &Value| says(offer, "/request_id", request_id);
    let listed = offers::is_listed(&cast.mitra, is_ours);
    narrator
        .step("the offer is in the mitra's list too", listed)
        .await?;
    let offered = gets_offer(&mut cast.colleague, &cast.customer, request_id);
    narrator
        .step("the second mitra gets it as well", offered)
        .await
        .map(drop)
}

async fn the_other_is_too_late(
    colleague: &mut Person,
    request_id: &str,
    narrator: &mut Narrator,
) -> Result<()> {
    let told = offers::is_gone_for(colleague, request_id);
    narrator
        .step("the second mitra is told that it is taken", told)
        .await?;
    let late = offers::is_too_late(colleague, request_id);
    narrator.step("and accepts too late: 409", late).await
}

/// What the customer asks for.
struct Wish {
    package_id: String,
    topic: String,
    idempotency_key: String,
}

impl Wish {
    fn new(package_id: String) -> Self {
        Self {
            package_id,
            topic: format!("demo {}", new_id()),
            idempotency_key: new_id(),
        }
    }
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

async fn asks(customer: &Person, wish: &Wish) -> Result<Value> {
    let call = Call::post("/api/customer/chat/requests")
        .body(json!({"package_id": wish.package_id, "topic": wish.topic}))
        .idempotency_key(&wish.idempotency_key);
    let answer = customer.send(call).await?;
    if answer.code() == "no_mitra_available" {
        let advice = "run it again: the mitras were taken a moment ago, or went offline";
        return Err(wrong("a mitra for the request", answer.summary(), advice));
    }
    let request = answer.expect(201)?;
    text(&request, "/id")?;
    Ok(request)
}

async fn asks_again(customer: &Person, wish: &Wish, first: &Value) -> Result<()> {
    let again = asks(customer, wish).await?;
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
async fn gets_offer(mitra: &mut Person, customer: &Person, request_id: &str) -> Result<bool> {
    let is_ours = |offer: &Value| says(offer, "/request_id", request_id);
    if let Some(offered) = offers::reaches(mitra, is_ours).await? {
        return Ok(offered.on_socket);
    }
    let request = customer
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

async fn accepts(cast: &Cast, request_id: &str) -> Result<Value> {
    let session = offers::accept(&cast.mitra, request_id).await?;
    if !payment::is_due(&session) {
        is(&session, "/status", "active")?;
    }
    is(&session, "/customer/id", cast.customer.id.as_str())?;
    is(&session, "/mitra/id", cast.mitra.id.as_str())?;
    text(&session, "/id")?;
    Ok(session)
}

async fn it_is_paid(
    cast: &mut Cast,
    accepted: &Value,
    plot: &Plot,
    narrator: &mut Narrator,
) -> Result<()> {
    let (due, sandbox) = (&accepted["payment"], plot.sandbox.as_ref());
    payment::the_customer_pays(&cast.customer, due, sandbox, narrator).await?;
    let session_id = text(accepted, "/id")?;
    let started = async {
        starts(&mut cast.customer, session_id).await?;
        starts(&mut cast.mitra, session_id).await
    };
    narrator.step("both are told that it starts", started).await
}

async fn starts(person: &mut Person, session_id: &str) -> Result<()> {
    let started = |frame: &Value| {
        says(frame, "/type", "session.updated")
            && says(frame, "/session/id", session_id)
            && says(frame, "/session/status", "active")
    };
    let socket = person.socket()?;
    let told = socket.wait_for("session.updated with the start", started);
    told.await.map(drop)
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
