//! Pairing: a customer asks, every mitra is offered the request on its socket, and when all have it all
//! accept at once over HTTP. An operation is an accept; exactly one may win.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, ensure};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::World;
use crate::http_client::{HttpClient, request};
use crate::load::round as round_of;
use crate::peers::api::is;
use crate::peers::line::{Line, Person};
use crate::process::Meter;
use crate::recorder::Recorder;
use crate::results::Round;
use crate::side::Side;
use crate::token::Role;

const AT_ONCE: usize = 64;
/// An offer that takes longer has not come.
const PATIENCE: Duration = Duration::from_secs(30);
const ASK: &str = "/api/customer/chat/requests";

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    let mitras = world.fixture.some_mitras(world.load.connections)?;
    let mut mitras: Vec<Mitra> = stream::iter(mitras)
        .map(|id| Mitra::come(world, side, *id))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut customer = Customer::come(world, side).await?;
    let asked = Instant::now();
    let request_id = customer.ask().await?;
    let offers = mitras
        .iter_mut()
        .map(|mitra| mitra.await_offer(&request_id));
    timeout(PATIENCE, try_join_all(offers))
        .await
        .context("not everybody was offered the request")??;
    let offers_us = asked.elapsed().as_micros();

    let (recorder, meter) = (Recorder::new(), Meter::start(side));
    let start = Instant::now();
    let accepts = mitras
        .iter_mut()
        .map(|mitra| mitra.accept(&request_id, start, &recorder));
    let won: Vec<Option<String>> = try_join_all(accepts).await?;
    let mut round = round_of(meter.stop(), recorder.take());
    let sessions: Vec<String> = won.into_iter().flatten().collect();
    round.figures.extend([
        ("offers_us".into(), offers_us as f64),
        ("winners".into(), sessions.len() as f64),
    ]);
    for session in &sessions {
        customer.end(session).await?;
    }
    Ok(round)
}

/// Somebody who asks.
struct Customer {
    client: HttpClient,
    token: String,
}

impl Customer {
    async fn come(world: &World, side: &Side) -> Result<Self, Error> {
        let id = world.fixture.customers.first();
        let id = id.context("the fixture has no customer without a session")?;
        Ok(Self {
            client: HttpClient::connect(side.first()?).await?,
            token: world.mint.token(*id, Role::Customer),
        })
    }

    async fn ask(&mut self) -> Result<String, Error> {
        let wish = json!({"package_id": "15m"}).to_string();
        let bytes = request("POST", ASK, Some(&self.token), &wish);
        let answer = self.client.exchange(&bytes).await?;
        ensure!(answer.status == 201, "the request got {}", answer.status);
        id_in(answer.body)
    }

    /// Ends what came of it, so that the next round can ask again.
    async fn end(&mut self, session_id: &str) -> Result<(), Error> {
        let path = format!("/api/chat/sessions/{session_id}/end");
        let bytes = request("POST", &path, Some(&self.token), "{}");
        let answer = self.client.exchange(&bytes).await?;
        ensure!(answer.status == 200, "ending got {}", answer.status);
        Ok(())
    }
}

/// Somebody who is asked.
struct Mitra {
    line: Line,
    client: HttpClient,
    token: String,
}

impl Mitra {
    async fn come(world: &World, side: &Side, id: Uuid) -> Result<Self, Error> {
        let person = Person {
            id,
            role: Role::Mitra,
            session_id: None,
        };
        Ok(Self {
            line: Line::open(side.speaks, side.last()?, &world.mint, person, 0).await?,
            client: HttpClient::connect(side.first()?).await?,
            token: world.mint.token(id, Role::Mitra),
        })
    }

    async fn await_offer(&mut self, request_id: &str) -> Result<(), Error> {
        loop {
            let frame = self.line.next().await?;
            if is(&frame, "offer.new") && frame.contains(request_id) {
                return Ok(());
            }
        }
    }

    /// The session, where this one has won.
    async fn accept(
        &mut self,
        request_id: &str,
        start: Instant,
        recorder: &Recorder,
    ) -> Result<Option<String>, Error> {
        let path = format!("/api/mitra/chat/offers/{request_id}/accept");
        let bytes = request("POST", &path, Some(&self.token), "{}");
        let answer = self.client.exchange(&bytes).await?;
        match answer.status {
            200 => {
                recorder.done(start);
                id_in(answer.body).map(Some)
            }
            // Somebody else was faster: the answer that all but one are to get.
            409 => {
                recorder.done(start);
                Ok(None)
            }
            other => {
                recorder.failed(format!("status {other}"));
                Ok(None)
            }
        }
    }
}

fn id_in(body: &[u8]) -> Result<String, Error> {
    let body: Value = serde_json::from_slice(body)?;
    let id = body["id"].as_str().map(ToOwned::to_owned);
    id.with_context(|| format!("no id in {body}"))
}
