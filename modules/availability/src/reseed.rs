//! Reseeding: bringing the whole mirror up to Postgres, while it is being read and written.
//!
//! States are shown one after the other, each under its version, and only what Postgres does not know
//! is removed, after asking again. So nobody who is online is missing at any moment, and a write that
//! happens meanwhile is never undone. It follows every connect to Valkey, every finding that the
//! mirror is damaged or was emptied, and the sweep `valkey-online-mirror`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::DbError;
use halobestie_core::valkey::Valkey;
use tokio::time::sleep;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::mirror::{Applied, Census, MirrorError, Precedence};
use crate::mitra::MitraState;
use crate::roster::Roster;
use crate::store;

/// Rows read and shown at once.
const PAGE: usize = 500;
/// Between two reseeds, so that a mirror that is damaged over and over, or a Postgres that is away,
/// costs one try a second.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a start waits for Valkey before it goes on without.
const FIRST_CONNECT: Duration = Duration::from_secs(1);

/// Why a reseed did not end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReseedError {
    /// Postgres.
    #[error("cannot read the mitras")]
    Db(#[from] DbError),
    /// The mirror.
    #[error("cannot fill the mirror")]
    Mirror(#[from] MirrorError),
    /// Somebody emptied Valkey in the middle of it.
    #[error("the mirror was emptied while it was being filled")]
    Emptied,
}

/// The step of the start: seeds the mirror before the listeners bind. Without Valkey the start goes
/// on, and Postgres answers until Valkey is back.
pub(crate) async fn seed_at_start(
    roster: Arc<Roster>,
    valkey: Option<Valkey>,
) -> Result<(), BoxError> {
    if let Some(valkey) = valkey {
        valkey.first_connect(FIRST_CONNECT).await;
    }
    match roster.reseed().await {
        Ok(shown) => info!(differing = shown, "the mirror of mitras is seeded"),
        Err(ReseedError::Db(error)) => return Err(error.into()),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            warn!(
                error,
                "the mirror of mitras is not seeded: starting on Postgres alone"
            );
        }
    }
    Ok(())
}

/// The service: reseeds whenever it is called for.
pub(crate) async fn keep_seeded(roster: Arc<Roster>, lifecycle: Lifecycle) -> Result<(), BoxError> {
    let keep = async {
        loop {
            roster.mirror.reseed_wanted().await;
            match roster.reseed().await {
                Ok(healed) => info!(healed, "the mirror of mitras is reseeded"),
                Err(error) => give_way_to(&roster, &error),
            }
            sleep(PAUSE).await;
        }
    };
    // `None` says that the process is stopping; a reseed may end anywhere.
    let _: Option<()> = lifecycle.soft().run_until_cancelled(keep).await;
    Ok(())
}

fn give_way_to(roster: &Roster, error: &ReseedError) {
    let cause = error as &dyn std::error::Error;
    match error {
        // Its next connect calls for the next reseed.
        ReseedError::Mirror(mirror) if mirror.is_away() => {
            debug!(error = cause, "valkey went away during a reseed");
        }
        _ => {
            warn!(
                error = cause,
                "cannot reseed the mirror of mitras; trying again"
            );
            roster.mirror.want_reseed();
        }
    }
}

/// Everyone whom a reseed has met in Postgres.
#[derive(Default)]
struct People {
    /// In the order of Postgres, which is that of [`Uuid`].
    ids: Vec<Uuid>,
    census: Census,
}

impl People {
    fn add(&mut self, states: &[MitraState]) {
        self.ids.extend(states.iter().map(|state| state.mitra.id));
        self.census.add(states);
    }

    fn has(&self, id: Uuid) -> bool {
        self.ids.binary_search(&id).is_ok()
    }
}

impl Roster {
    /// Brings the whole mirror up to Postgres; how many mitras it had shown differently.
    ///
    /// # Errors
    /// When Postgres or Valkey goes away meanwhile; what was shown until then is right.
    pub(crate) async fn reseed(&self) -> Result<u64, ReseedError> {
        let seeded = self.seed().await;
        match &seeded {
            Ok(applied) => self.meters.reseeded(applied.differing),
            Err(_) => self.meters.reseed_failed(),
        }
        let applied = seeded?;
        if applied.flipped {
            self.changed();
        }
        Ok(applied.differing)
    }

    async fn seed(&self) -> Result<Applied, ReseedError> {
        let mirror = self.mirror.mirror();
        let connection = self.mirror.connection();
        let canary = self.entropy.uuid(&self.clock);
        mirror.begin_seed(canary).await?;
        let (mut applied, people) = self.show_everyone().await?;
        applied += self.settle_strays(&people).await?;
        if !mirror.end_seed(canary, self.clock.now()).await? {
            return Err(ReseedError::Emptied);
        }
        self.mirror.trust(connection);
        Ok(applied)
    }

    /// A page is shown while the next is read.
    async fn show_everyone(&self) -> Result<(Applied, People), ReseedError> {
        let (mut applied, mut people) = (Applied::default(), People::default());
        let mut page = store::page_after(&self.db, Uuid::nil(), PAGE).await?;
        while let Some(last) = page.last() {
            let after = last.id;
            let states = self.all_loaded(page).await?;
            people.add(&states);
            let next = store::page_after(&self.db, after, PAGE);
            let (shown, next) = tokio::join!(self.show_all(states), next);
            applied += shown?;
            page = next?;
        }
        Ok((applied, people))
    }

    /// Shows those of these states that are shown otherwise, and overrules a mirror that knows newer
    /// versions than Postgres.
    async fn show_all(&self, states: Vec<MitraState>) -> Result<Applied, ReseedError> {
        let (mirror, now) = (self.mirror.mirror(), self.clock.now());
        let states = mirror.differing(states).await?;
        let mut applied = mirror.apply(&states, Precedence::Newest, now).await?;
        if applied.ahead.is_empty() {
            return Ok(applied);
        }
        // Either the row has changed since it was read, and reading it again shows that; or Postgres
        // was set back.
        let ahead: HashMap<Uuid, i64> = applied.ahead.drain(..).collect();
        let ids: Vec<Uuid> = ahead.keys().copied().collect();
        let mut set_back = store::by_ids(&self.db, &ids).await?;
        set_back.retain(|mitra| {
            ahead
                .get(&mitra.id)
                .is_some_and(|shown| mitra.version < *shown)
        });
        let states = self.all_loaded(set_back).await?;
        applied += mirror.apply(&states, Precedence::Postgres, now).await?;
        Ok(applied)
    }

    /// Removes what the mirror knows and Postgres does not. A mitra that was added meanwhile is in
    /// the mirror only because it is in Postgres: it is found there now.
    async fn settle_strays(&self, people: &People) -> Result<Applied, ReseedError> {
        let mirror = self.mirror.mirror();
        let is_known = |name: &str| name.parse().is_ok_and(|id| people.has(id));
        let strays = mirror.strays(&people.census, &is_known).await?;
        let strays: Vec<String> = strays.into_iter().collect();
        let mut applied = Applied::default();
        for some in strays.chunks(PAGE) {
            let ids: Vec<Uuid> = some
                .iter()
                .filter_map(|member| member.parse().ok())
                .collect();
            let late = store::by_ids(&self.db, &ids).await?;
            let is_late = |member: &String| late.iter().any(|it| it.id.to_string() == *member);
            let gone: Vec<String> = some
                .iter()
                .filter(|member| !is_late(member))
                .cloned()
                .collect();
            mirror.remove(&gone).await?;
            applied += Applied {
                differing: gone.len() as u64,
                ..Applied::default()
            };
            applied += self.show_all(self.all_loaded(late).await?).await?;
        }
        Ok(applied)
    }
}
