//! Replaces the refresh tokens of concurrent refreshes in groups: after an outage everybody comes back at
//! once, and each of them costs a commit.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::clock::Clock;
use halobestie_core::grouped::{GROUPS, Grouped, Shape, answers};
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::{Db, DbError};
use prometheus::IntGauge;

use crate::refresh_token::LIFE;
use crate::store::sessions::{self, Rotation};
use crate::store::users::User;

/// How many refreshes may wait; each is a few hundred bytes.
const WAITING_MAX: usize = 16 * 1024;
/// How often a group is tried again that stood in each other's way with another statement.
const TRIES: u32 = 3;

/// Whose session it is, where the token was the living one.
type Rotated = Result<Option<User>, Arc<DbError>>;

/// The way of refresh tokens into Postgres.
pub(crate) struct Rotator(Grouped<Rotation, Rotated>);

impl Rotator {
    /// Opens the way.
    pub(crate) fn start(lifecycle: &Lifecycle, db: Db, clock: Clock, waiting: IntGauge) -> Self {
        let work = move |group| {
            let (db, clock) = (db.clone(), clock.clone());
            async move { rotate(&db, &clock, group).await }
        };
        let shape = Shape {
            name: "auth-rotator",
            groups: GROUPS,
            waiting_max: WAITING_MAX,
        };
        Self(Grouped::start(lifecycle, shape, waiting, work))
    }

    /// Replaces a living token by its successor, with whatever else is to be replaced now; whose session
    /// it is. `None` when the shown token is not the living one of a session that may go on.
    ///
    /// # Errors
    /// `overloaded`; Postgres's own. Whether the token was replaced may be unknown: the client shows it
    /// again.
    pub(crate) async fn rotate(&self, rotation: Rotation) -> Result<Option<User>, Problem> {
        Ok(self.0.ask(rotation.session_id, rotation).await??)
    }
}

async fn rotate(db: &Db, clock: &Clock, group: Vec<Rotation>) -> Vec<Rotated> {
    let mut tries = 1;
    loop {
        let now = clock.now();
        match sessions::rotate(db, &group, now + LIFE, now).await {
            Err(error) if tries < TRIES && error.is_deadlock() => tries += 1,
            done => return answers(done, group.len()),
        }
    }
}
