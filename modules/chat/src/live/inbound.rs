//! What comes in on a connection: one frame at a time, counted, read, done and answered.

use halobestie_core::Problem;
use halobestie_core::http::ws::{SendError, close};
use halobestie_core::pg::DbError;
use halobestie_core::ports::{HeartbeatError, Role};
use halobestie_core::problem::codes;
use serde_json::Value;
use uuid::Uuid;

use super::connection::{Connection, Ending};
use super::events;
use super::frames::{Auth, ClientFrame, Read, ServerFrame, Typing, decode};
use super::sign_in::admit;
use crate::limits::FrameVerdict;
use crate::messages::{self, Draft};
use crate::reading;
use crate::store;

/// Why a frame was not done.
pub(super) enum Trouble {
    /// The client is told.
    Problem(Problem),
    /// The socket ends.
    End(Ending),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Ending> for Trouble {
    fn from(ending: Ending) -> Self {
        Self::End(ending)
    }
}

impl From<SendError> for Trouble {
    fn from(error: SendError) -> Self {
        Self::End(error.into())
    }
}

impl Connection {
    /// Takes a text frame.
    pub(super) async fn take(&mut self, text: &str) -> Result<(), Ending> {
        let verdict = self
            .state
            .limits
            .take_frame(self.principal.user_id, self.state.clock.now());
        if verdict != FrameVerdict::Take {
            return self
                .refuse(verdict, None, &Problem::new(&codes::RATE_LIMITED))
                .await;
        }
        let decoded = decode(text).map_err(|_| Ending::Close(&close::BAD_FRAME))?;
        let id = decoded.id.as_ref();
        let done = match decoded.frame {
            Ok(frame) => self.act(frame, id).await,
            Err(problem) => Err(problem.into()),
        };
        match done {
            Ok(()) => Ok(()),
            Err(Trouble::End(ending)) => Err(ending),
            Err(Trouble::Problem(problem)) if is_abuse(&problem) => {
                let (limits, user_id) = (&self.state.limits, self.principal.user_id);
                let verdict = limits.refuse_frame(user_id, self.state.clock.now());
                self.refuse(verdict, id, &problem).await
            }
            Err(Trouble::Problem(problem)) => self.fail(id, &problem).await,
        }
    }

    async fn refuse(
        &mut self,
        verdict: FrameVerdict,
        id: Option<&Value>,
        problem: &Problem,
    ) -> Result<(), Ending> {
        match verdict {
            FrameVerdict::Abuse => Err(Ending::Close(&close::FLOODING)),
            FrameVerdict::Take | FrameVerdict::Refuse => self.fail(id, problem).await,
        }
    }

    async fn act(&mut self, frame: ClientFrame, id: Option<&Value>) -> Result<(), Trouble> {
        match frame {
            ClientFrame::Ping => {
                let server_time = self.state.clock.now();
                Ok(self.say(&ServerFrame::Pong { id, server_time }).await?)
            }
            ClientFrame::Auth(auth) => self.renew(&auth).await,
            ClientFrame::Resume(resume) => self.resume(resume).await,
            // Whoever talks has no resume in mind.
            frame => {
                self.release().await?;
                self.talk(frame, id).await
            }
        }
    }

    async fn talk(&mut self, frame: ClientFrame, id: Option<&Value>) -> Result<(), Trouble> {
        match frame {
            ClientFrame::Send { session_id, draft } => self.send(session_id, draft, id).await,
            ClientFrame::Read(read) => self.mark_read(&read).await,
            ClientFrame::Typing(typing) => self.relay_typing(&typing).await,
            ClientFrame::Heartbeat => self.heartbeat(id).await,
            ClientFrame::Ping | ClientFrame::Auth(_) | ClientFrame::Resume(_) => Ok(()),
        }
    }

    async fn send(
        &mut self,
        session_id: Uuid,
        draft: Draft,
        id: Option<&Value>,
    ) -> Result<(), Trouble> {
        let sent = messages::send(&self.state, &self.principal, session_id, draft).await?;
        Ok(self
            .say(&ServerFrame::Ack {
                id,
                message: &sent.message,
            })
            .await?)
    }

    async fn mark_read(&mut self, read: &Read) -> Result<(), Trouble> {
        reading::mark(
            &self.state,
            self.principal.user_id,
            read.session_id,
            read.seq,
        )
        .await?;
        Ok(())
    }

    async fn relay_typing(&mut self, typing: &Typing) -> Result<(), Trouble> {
        let (session_id, user_id) = (typing.session_id, self.principal.user_id);
        let other = self.other_side(session_id).await?;
        let event = events::typing(session_id, user_id, typing.typing);
        self.state.tell(other, event.as_ref());
        Ok(())
    }

    /// Who is to see that somebody types: asked of Postgres once, and again when the session changes. A
    /// change that the bus loses is found by catch-up; until then the sign of life of one who has just
    /// left may still be seen, and no word of anybody.
    async fn other_side(&self, session_id: Uuid) -> Result<Uuid, Trouble> {
        if let Some(other) = self.local.positions().other_side(session_id) {
            return Ok(other);
        }
        let user_id = self.principal.user_id;
        let found = store::sides::sides_of_open(&self.state.db, session_id, user_id).await?;
        let sides = found.ok_or_else(Problem::not_found)?;
        let other = sides.other(user_id);
        self.local.positions().note_other_side(session_id, other);
        Ok(other)
    }

    async fn heartbeat(&mut self, id: Option<&Value>) -> Result<(), Trouble> {
        if self.principal.role != Role::Mitra {
            return Err(Problem::new(&codes::FORBIDDEN).into());
        }
        match self
            .state
            .availability
            .heartbeat(self.principal.user_id)
            .await
        {
            Ok(heartbeat) => Ok(self.say(&ServerFrame::Heartbeat(heartbeat)).await?),
            Err(HeartbeatError::Db(error)) => Err(error.into()),
            // The availability module's code: the HTTP call answers the same.
            Err(HeartbeatError::Deactivated) => {
                let (code, detail) = ("mitra_deactivated", "This account may not take chats.");
                Ok(self.say(&ServerFrame::Error { id, code, detail }).await?)
            }
        }
    }

    /// A newer token keeps a long-lived socket alive. It must be the same person's.
    async fn renew(&mut self, auth: &Auth) -> Result<(), Trouble> {
        let principal = admit(&self.state, &auth.access_token)?;
        if principal.user_id != self.principal.user_id {
            return Err(Ending::Close(&close::NOT_SIGNED_IN).into());
        }
        let expires_at = principal.expires_at;
        self.local.renew(principal.session_id);
        (self.principal, self.by_cookie) = (principal, false);
        // A revocation between the check and the renewal would have been told to nobody.
        if self
            .state
            .authenticator
            .is_revoked(self.principal.session_id)
        {
            return Err(Ending::Close(&close::REVOKED).into());
        }
        Ok(self.say(&ServerFrame::AuthOk { expires_at }).await?)
    }
}

/// Frames that a well-made client does not send: too fast, or with fields that cannot be.
fn is_abuse(problem: &Problem) -> bool {
    let code = problem.code().name;
    code == codes::RATE_LIMITED.name || code == codes::VALIDATION_FAILED.name
}
