//! Messages over HTTP, every connection in a session of its own.

use anyhow::Error;

use super::World;
use crate::fixture::Session;
use crate::http_client::{Answer, request};
use crate::http_task::{Asking, HttpTask, expect_status};
use crate::peers::pgbench;
use crate::results::Round;
use crate::side::{Side, Speaks};
use crate::texts;
use crate::token::Role;

/// One side of a session, who writes.
pub(super) struct Writer {
    path: String,
    token: String,
    request: Vec<u8>,
    run: u64,
    count: u64,
}

impl Writer {
    pub(super) fn new(world: &World, session: &Session) -> Self {
        Self {
            path: format!("/api/chat/sessions/{}/messages", session.id),
            token: world.mint.token(session.customer_id, Role::Customer),
            request: Vec::new(),
            run: world.run_id(),
            count: 0,
        }
    }
}

impl Asking for Writer {
    fn ask(&mut self) -> &[u8] {
        self.count += 1;
        let message = texts::message(self.run, self.count);
        self.request = request("POST", &self.path, Some(&self.token), &message);
        &self.request
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Result<(), String> {
        expect_status(answer, 201)
    }
}

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    if side.speaks == Speaks::Pgbench {
        return pgbench::round(side, &world.load).await;
    }
    let sessions = world.fixture.some_sessions(world.load.connections)?;
    let writers = sessions.iter().map(|session| Writer::new(world, session));
    let mut tasks = HttpTask::all(side.first()?, writers).await?;
    world.load.measure(side, &mut tasks).await
}
