//! Resuming: what a client missed while it was away, in order, before anything newer.

use std::mem;

use super::connection::{Connection, Ending};
use super::events;
use super::frames::{Resume, ResumedSession, ServerFrame};
use super::inbound::Trouble;
use crate::store::messages::{Missed, Place};

impl Connection {
    /// Answers `resume`. Sessions that are not the caller's are left out of `resumed`.
    pub(super) async fn resume(&mut self, resume: Resume) -> Result<(), Trouble> {
        let mut places = places(resume);
        let mut sessions = Vec::with_capacity(places.len());
        while !places.is_empty() {
            let user_id = self.principal.user_id;
            let page = self.state.welcomes.missed(user_id, mem::take(&mut places));
            for missed in page.await? {
                match self.catch_up_on(&missed).await? {
                    Some(place) => places.push(place),
                    None => sessions.push(ResumedSession {
                        session_id: missed.session_id,
                        last_seq: missed.last_seq,
                    }),
                }
            }
        }
        Ok(self.say(&ServerFrame::Resumed { sessions }).await?)
    }

    /// Sends a page of one session; where the next one starts, if there is more.
    async fn catch_up_on(&mut self, missed: &Missed) -> Result<Option<Place>, Ending> {
        let session_id = missed.session_id;
        let texts = missed
            .messages
            .iter()
            .filter_map(events::message)
            .map(|it| it.json)
            .collect();
        self.socket.send_all(texts).await?;
        match missed.messages.last() {
            Some(last) if last.seq < missed.last_seq => {
                self.local.positions().resume_at(session_id, last.seq);
                Ok(Some(Place {
                    session_id,
                    after_seq: last.seq,
                }))
            }
            _ => {
                self.local
                    .positions()
                    .resume_at(session_id, missed.last_seq);
                Ok(None)
            }
        }
    }

    /// The client did not resume in time, or does something else first: its sessions go on from where
    /// they were when it came.
    pub(super) async fn release(&mut self) -> Result<(), Ending> {
        if self.held_until.take().is_none() {
            return Ok(());
        }
        let places = self.local.positions().release();
        self.send_after(places).await
    }
}

/// One place a session, the last one named.
fn places(resume: Resume) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::with_capacity(resume.sessions.len());
    for from in resume.sessions {
        places.retain(|place| place.session_id != from.session_id);
        places.push(Place {
            session_id: from.session_id,
            after_seq: from.after_seq,
        });
    }
    places
}
