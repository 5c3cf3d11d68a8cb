//! One act of an admin: a transaction, what it changes, and the row that says so.
//!
//! The invariant: an act that is committed has its row in the audit, because [`Act::commit`] is the only
//! way to commit it and takes what is to be written down.

use halobestie_core::audit::{self, Actor, Deed};
use halobestie_core::pg::{Client, Tx};
use halobestie_core::ports::{AdminRole, SignedAdmin};
use halobestie_core::{Problem, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::state::State;

/// Who acts, and by which request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The admin, as of this request.
    pub(crate) admin: SignedAdmin,
    /// The request.
    pub(crate) request_id: Option<String>,
}

impl Caller {
    /// The admin's id.
    pub(crate) fn id(&self) -> Uuid {
        self.admin.actor.id
    }

    /// Who they are in the audit.
    pub(crate) fn actor(&self) -> &Actor {
        &self.admin.actor
    }

    /// Whether they may do what takes this role.
    pub(crate) fn may(&self, needed: AdminRole) -> bool {
        self.admin.role.covers(needed)
    }
}

/// What is written down of an act.
#[derive(Debug)]
pub(crate) struct Note {
    /// What: `mitra.update`.
    pub(crate) action: &'static str,
    /// To what: `mitra:<id>`.
    pub(crate) subject: String,
    /// What it was, as far as it changed.
    pub(crate) before: Option<Value>,
    /// What it is now.
    pub(crate) after: Option<Value>,
}

/// A connection for an act.
pub(crate) struct Connection(Client);

impl Connection {
    /// Takes one.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn open(state: &State) -> Result<Self, Problem> {
        Ok(Self(state.db.client().await?))
    }

    /// Begins an act.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn begin<'a>(
        &'a mut self,
        state: &'a State,
        caller: &'a Caller,
    ) -> Result<Act<'a>, Problem> {
        Ok(Act {
            tx: self.0.begin().await?,
            now: state.clock.now(),
            state,
            caller,
        })
    }
}

/// An act that has begun. Dropped without [`Act::commit`], it never happened.
pub(crate) struct Act<'a> {
    /// The transaction.
    pub(crate) tx: Tx<'a>,
    /// When.
    pub(crate) now: Timestamp,
    state: &'a State,
    caller: &'a Caller,
}

impl Act<'_> {
    /// Writes the act down and commits both.
    ///
    /// # Errors
    /// When Postgres does not answer; nothing has happened then.
    pub(crate) async fn commit(self, note: &Note) -> Result<(), Problem> {
        let deed = Deed {
            id: self.state.entropy.uuid(&self.state.clock),
            at: self.now,
            actor: self.caller.actor(),
            action: note.action,
            subject: &note.subject,
            before: note.before.as_ref(),
            after: note.after.as_ref(),
            request_id: self.caller.request_id.as_deref(),
        };
        audit::record(&self.tx, &deed).await?;
        Ok(self.tx.commit().await?)
    }

    /// Ends an act that turned out to change nothing, and so leaves no row.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn nothing(self) -> Result<(), Problem> {
        Ok(self.tx.commit().await?)
    }
}
