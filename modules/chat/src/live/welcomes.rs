//! What sockets have to know that come or come back, read for all that do so together: after an outage or
//! a deploy that is everybody, in the same seconds.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use halobestie_core::grouped::{GROUPS, Grouped, Shape, answers};
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Person, Role};
use halobestie_core::{BoxError, Problem};
use uuid::Uuid;

use crate::metrics::ChatMetrics;
use crate::offering;
use crate::state::State;
use crate::store::messages::{self, Missed, Place, Return};
use crate::store::sight::{self, SessionSight, Watched};
use crate::views::Offer;

/// How many sockets may wait: all that a process is likely to have. They wait for little.
const WAITING_MAX: usize = 32 * 1024;
/// How many messages one statement reads, over all sessions of all who come back together.
const ROWS_MAX: usize = 4000;
/// How many of each session, at least and at most.
const ROWS_OF_SESSION: (usize, usize) = (10, 1000);

/// Somebody who comes.
pub(crate) struct Comer {
    user_id: Uuid,
    role: Role,
}

/// What a socket is to know when it comes.
#[derive(Default)]
pub(crate) struct Welcome {
    /// The sessions that are open.
    pub(crate) sessions: Vec<SessionSight>,
    /// Who it is; a courtesy, without which the socket works.
    pub(crate) person: Option<Person>,
    /// The open offers of a mitra. Catch-up finds what is not there.
    pub(crate) offers: Vec<Offer>,
}

/// One answer of a group: the same cause for everybody whom it hit.
type Shared<T> = Result<T, Arc<DbError>>;

/// The ways to them.
pub(crate) struct Welcomes {
    comers: Grouped<Comer, Shared<Welcome>>,
    returns: Grouped<Return, Shared<Vec<Missed>>>,
}

impl Welcomes {
    /// Opens the ways. The state is where it is asked, and this is a part of it.
    pub(crate) fn start(lifecycle: &Lifecycle, metrics: &ChatMetrics, state: &Weak<State>) -> Self {
        let comers = of_state(state, welcome);
        let returns = of_state(state, missed);
        let waiting = || metrics.arriving.clone();
        let shape = |name| Shape {
            name,
            groups: GROUPS,
            waiting_max: WAITING_MAX,
        };
        Self {
            comers: Grouped::start(lifecycle, shape("chat-comers"), waiting(), comers),
            returns: Grouped::start(lifecycle, shape("chat-returns"), waiting(), returns),
        }
    }

    /// What a socket is to know that comes now. Whoever asks must be subscribed to the person's events
    /// before: what happens in between comes as one.
    ///
    /// # Errors
    /// When the sessions could not be read.
    pub(crate) async fn of(&self, user_id: Uuid, role: Role) -> Result<Welcome, BoxError> {
        Ok(self.comers.ask(user_id, Comer { user_id, role }).await??)
    }

    /// What a person missed after these places: a page of each session that is theirs.
    ///
    /// # Errors
    /// `overloaded`; Postgres's own.
    pub(crate) async fn missed(
        &self,
        user_id: Uuid,
        places: Vec<Place>,
    ) -> Result<Vec<Missed>, Problem> {
        let back = Return { user_id, places };
        Ok(self.returns.ask(user_id, back).await??)
    }
}

/// Work that needs the state, for as long as there is one.
fn of_state<T, A, F>(
    state: &Weak<State>,
    work: fn(Arc<State>, Vec<T>) -> F,
) -> impl Fn(Vec<T>) -> BoxFuture<'static, Vec<A>> + Send + 'static
where
    T: 'static,
    A: Send + 'static,
    F: Future<Output = Vec<A>> + Send + 'static,
{
    let state = state.clone();
    move |group| match state.upgrade() {
        Some(state) => work(state, group).boxed(),
        None => std::future::ready(Vec::new()).boxed(),
    }
}

async fn welcome(state: Arc<State>, comers: Vec<Comer>) -> Vec<Shared<Welcome>> {
    let mut watched = Watched::default();
    for comer in &comers {
        watched.add_user(comer.user_id, comer.role);
    }
    watched.dedup();
    let ids: Vec<Uuid> = comers.iter().map(|it| it.user_id).collect();
    let (sessions, people, offers) = tokio::join!(
        sight::sessions(&state.db, &watched),
        state.directory.people(&ids),
        offering::open_offers(&state, &watched.mitra_ids),
    );
    let sessions = match sessions {
        Ok(sessions) => by_person(&sessions),
        Err(error) => return answers(Err(error), comers.len()),
    };
    let (people, offers) = (people.unwrap_or_default(), offers.unwrap_or_default());
    let of = |user_id: Uuid| Welcome {
        sessions: sessions.get(&user_id).cloned().unwrap_or_default(),
        person: people.get(&user_id).cloned(),
        offers: offers.get(&user_id).cloned().unwrap_or_default(),
    };
    ids.into_iter().map(|id| Ok(of(id))).collect()
}

fn by_person(sessions: &[SessionSight]) -> HashMap<Uuid, Vec<SessionSight>> {
    let mut of_each: HashMap<Uuid, Vec<SessionSight>> = HashMap::new();
    for session in sessions {
        for user_id in [session.customer_id, session.mitra_id] {
            of_each.entry(user_id).or_default().push(*session);
        }
    }
    of_each
}

async fn missed(state: Arc<State>, returns: Vec<Return>) -> Vec<Shared<Vec<Missed>>> {
    let places: usize = returns.iter().map(|it| it.places.len()).sum();
    let (least, most) = ROWS_OF_SESSION;
    let limit = (ROWS_MAX / places.max(1)).clamp(least, most);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let missed = messages::missed_by(&state.db, &returns, limit).await;
    answers(missed, returns.len())
}
