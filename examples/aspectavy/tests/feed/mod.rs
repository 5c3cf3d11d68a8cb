//! A feed of forecasts on this machine: a real HTTP server, as strict about conditional GETs as the real
//! ones, that can be made slow, wrong, forgetful or gone.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_sandbox::{Answer, Call, Knobs, RecordedCall, Standalone, Upstream};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

/// The codes that [`Knobs::fail_next`] takes.
const CODES: &[&str] = &["404", "429", "500", "502", "503"];

/// A running feed. It ends when this is dropped.
pub(crate) struct Feed {
    /// What can be made to go wrong.
    pub(crate) knobs: Knobs,
    stage: Standalone<Api>,
}

/// What a feed says of itself beside its forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validators {
    Both,
    LastModified,
    None,
}

impl Feed {
    /// Starts one at this address, with a forecast for each of these regions.
    pub(crate) async fn start_at(
        address: SocketAddr,
        regions: &[&str],
        clock: Clock,
    ) -> io::Result<Self> {
        let api = Api {
            clock: clock.clone(),
            state: Mutex::new(State {
                documents: BTreeMap::new(),
                validators: Validators::Both,
            }),
        };
        regions.iter().for_each(|region| api.publish(region, 2));
        let stage = Standalone::start_at(address, api, CODES, clock).await?;
        let knobs = stage.knobs.clone();
        Ok(Self { knobs, stage })
    }

    /// What stands in `FORECAST_FEED_URL`.
    pub(crate) fn url(&self) -> String {
        format!("{}/forecasts", self.stage.origin())
    }
}

impl Feed {
    /// Starts one at a free port.
    pub(crate) async fn start(regions: &[&str], clock: Clock) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let feed = Self::start_at(any, regions, clock).await;
        feed.unwrap_or_else(|error| panic!("the feed does not start: {error}"))
    }

    /// Gives out another forecast for a region.
    pub(crate) fn publish(&self, region: &str, danger_level: u8) {
        self.stage.upstream().publish(region, danger_level);
    }

    /// Gives out anything at all for a region.
    pub(crate) fn publish_document(&self, region: &str, document: Value) {
        self.stage.upstream().put(region, document);
    }

    /// What its answers are known by from now on.
    pub(crate) fn say(&self, validators: Validators) {
        self.stage.upstream().lock().validators = validators;
    }

    /// The calls that came in, oldest first.
    pub(crate) fn calls(&self) -> Vec<RecordedCall> {
        self.stage.calls()
    }
}

struct Api {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    documents: BTreeMap<String, Document>,
    validators: Validators,
}

struct Document {
    version: u32,
    last_modified: String,
    body: Value,
}

impl Api {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, region: &str, danger_level: u8) {
        let now = self.clock.now();
        let document = json!({
            "region": region,
            "issued_at": now,
            "valid_until": now + Duration::from_secs(24 * 3600),
            "danger_level": danger_level,
            "problems": [{"kind": "wind_slab", "above_m": 2200}],
            "summary": "Fresh wind slabs above the tree line. Turn around early.",
            "not_known_to_us": true,
        });
        self.put(region, document);
    }

    fn put(&self, region: &str, body: Value) {
        let documents = &mut self.lock().documents;
        let version = documents.get(region).map_or(0, |it| it.version) + 1;
        let document = Document {
            version,
            // Seconds are all that it has; what matters here is that it differs.
            last_modified: format!("Thu, 15 Jan 2026 08:{:02}:00 GMT", version % 60),
            body,
        };
        documents.insert(region.to_owned(), document);
    }

    fn give(&self, call: &Call) -> Answer {
        let state = self.lock();
        let region = call.path.strip_prefix("/forecasts/").unwrap_or_default();
        let Some(document) = state.documents.get(region) else {
            return said(StatusCode::NOT_FOUND, "no such region");
        };
        if call.method != Method::GET {
            return said(StatusCode::METHOD_NOT_ALLOWED, "");
        }
        let etag = format!("\"v{}\"", document.version);
        let validators = state.validators;
        // The tag decides where both are said (RFC 9110 §13.1.3).
        let is_known = match (
            call.header("if-none-match"),
            call.header("if-modified-since"),
        ) {
            (Some(known), _) if validators == Validators::Both => known == etag,
            (_, Some(known)) if validators != Validators::None => known == document.last_modified,
            _ => false,
        };
        let answer = match is_known {
            true => Answer::new(StatusCode::NOT_MODIFIED, "application/json", ""),
            false => Answer::json(StatusCode::OK, &document.body),
        };
        let answer = match validators {
            Validators::Both => answer.with(header::ETAG, &etag),
            _ => answer,
        };
        match validators {
            Validators::None => answer,
            _ => answer.with(header::LAST_MODIFIED, &document.last_modified),
        }
    }
}

impl Upstream for Api {
    fn operation(&self, _: &Call) -> &'static str {
        "forecast"
    }

    async fn answer(&self, _: &'static str, call: &Call) -> Answer {
        self.give(call)
    }

    fn failure(&self, code: &str, _: Option<Duration>) -> Answer {
        let status = StatusCode::from_bytes(code.as_bytes());
        said(status.unwrap_or(StatusCode::BAD_GATEWAY), "as planned")
    }
}

fn said(status: StatusCode, text: &'static str) -> Answer {
    Answer::new(status, "text/plain", text)
}
