//! What goes out on a connection: answers, and events in their order.

use bytes::Bytes;
use futures_util::FutureExt;
use halobestie_core::Problem;
use halobestie_core::bus::Event;
use serde_json::Value;
use tracing::{error, warn};

use super::connection::{Connection, Ending};
use super::envelope::Envelope;
use super::events;
use super::frames::ServerFrame;
use super::positions::Verdict;
use crate::messages::Message;
use crate::store::messages::{self as store, Place};

/// How many events that wait already go out with one flush.
const BATCH: usize = 64;
/// How many messages of a session are read at once when it has a gap.
const PAGE: i64 = 200;

impl Connection {
    /// Sends one frame of ours.
    pub(super) async fn say(&mut self, frame: &ServerFrame<'_>) -> Result<(), Ending> {
        match serde_json::to_vec(frame) {
            Ok(text) => Ok(self.socket.send(text.into()).await?),
            Err(cause) => {
                error!(
                    error = &cause as &dyn std::error::Error,
                    "cannot write a frame"
                );
                Ok(())
            }
        }
    }

    /// Tells the client that its frame was not done, and the log where that is our fault.
    pub(super) async fn fail(
        &mut self,
        id: Option<&Value>,
        problem: &Problem,
    ) -> Result<(), Ending> {
        if problem.status().is_server_error() {
            let cause = problem.cause().map(|cause| cause as &dyn std::error::Error);
            warn!(
                code = problem.code().name,
                error = cause,
                "a frame could not be handled"
            );
        }
        let (code, detail) = (problem.code().name, problem.detail_text());
        self.say(&ServerFrame::Error { id, code, detail }).await
    }

    /// Forwards an event, and those that wait behind it, as far as positions let them.
    pub(super) async fn deliver(&mut self, first: Envelope) -> Result<(), Ending> {
        let mut out = Vec::new();
        let mut next = Some(first);
        while let Some(envelope) = next {
            let mut verdict = self.local.positions().judge(envelope.head);
            if let Verdict::Gap(place) = verdict {
                self.state.metrics.gaps.inc();
                self.flush(&mut out).await?;
                self.send_after(vec![place]).await?;
                verdict = self.local.positions().judge(envelope.head);
            }
            if verdict == Verdict::Forward {
                out.push(envelope.json);
            }
            next = if out.len() < BATCH {
                self.waiting()
            } else {
                None
            };
        }
        self.flush(&mut out).await
    }

    /// The next event that is here already.
    fn waiting(&mut self) -> Option<Envelope> {
        if let Some(envelope) = self.local.take_mail() {
            return Some(envelope);
        }
        match self.events.next().now_or_never()? {
            Event::Message(bytes) => Envelope::from_bytes(&bytes),
            Event::Lost => {
                self.state.hub.has_lost(&self.local);
                None
            }
        }
    }

    async fn flush(&mut self, out: &mut Vec<Bytes>) -> Result<(), Ending> {
        match out.len() {
            0 => Ok(()),
            _ => Ok(self.socket.send_all(std::mem::take(out)).await?),
        }
    }

    /// Sends what Postgres has after these places, page by page. When Postgres does not answer,
    /// positions stay where they are and catch-up tries again.
    pub(super) async fn send_after(&mut self, mut places: Vec<Place>) -> Result<(), Ending> {
        while !places.is_empty() {
            // A mitra that has handed a session on since gets nothing of what comes after.
            let me = [self.principal.user_id];
            let page = match store::after_places(&self.state.db, &me, &places, PAGE).await {
                Ok(page) => page,
                Err(cause) => {
                    warn!(
                        error = &cause as &dyn std::error::Error,
                        "cannot fill a gap now"
                    );
                    return Ok(());
                }
            };
            self.send_messages(&page).await?;
            places = full_pages(&page);
        }
        Ok(())
    }

    async fn send_messages(&mut self, page: &[Message]) -> Result<(), Ending> {
        let mut out = Vec::with_capacity(page.len());
        for envelope in page.iter().filter_map(events::message) {
            if self.local.positions().judge(envelope.head) == Verdict::Forward {
                out.push(envelope.json);
            }
        }
        self.flush(&mut out).await
    }
}

/// The sessions of which there may be more, each after its last message.
fn full_pages(page: &[Message]) -> Vec<Place> {
    let sessions = page.chunk_by(|one, other| one.session_id == other.session_id);
    let full = sessions.filter(|messages| messages.len() >= usize::try_from(PAGE).unwrap_or(0));
    full.filter_map(|messages| messages.last())
        .map(|last| Place {
            session_id: last.session_id,
            after_seq: last.seq,
        })
        .collect()
}
