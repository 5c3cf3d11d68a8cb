//! Mirror against truth, for `halobestie doctor`: what Valkey shows otherwise than Postgres has it, and
//! keys that belong to nobody.
//!
//! It reads the promised keys by their names, past the mirror's own code, so that a mistake there is
//! found as well. The service runs meanwhile: a difference counts only when it is still there at the
//! last of several looks, because any single one may fall into the moment between a commit and its
//! write-through.

mod compare;
mod orphans;
mod shown;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::doctor::{Details, Examination, Finding, with_causes};
use halobestie_core::valkey::Valkey;
use tokio::time::sleep;
use uuid::Uuid;

use self::compare::Compared;
use self::shown::Shown;
use crate::mirror::Census;
use crate::mitra::Mitra;
use crate::roster::Roster;
use crate::store;

/// Mitras compared at once.
const PAGE: usize = 1000;
/// How often a mitra must differ, and how long a change may be on its way.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// Enough for a hundred thousand mitras.
const LIMIT: Duration = Duration::from_secs(60);

const ADVICE: &str = "`halobestie doctor --repair` reseeds the mirror now; workers do so every \
                      VALKEY_ONLINE_MIRROR_SWEEP_SECONDS, so drift that comes back has a cause";

/// The examination and its repair.
pub(crate) fn examination(roster: &Arc<Roster>, valkey: Option<Valkey>) -> Examination {
    const LOOKS_AT: &str = "what Valkey shows of every mitra against Postgres";
    let doctor = Arc::new(Doctor {
        roster: roster.clone(),
        shown: valkey.map(Shown::new),
    });
    let surgeon = doctor.clone();
    let examine = move || {
        let doctor = doctor.clone();
        async move { doctor.examine().await }
    };
    Examination::new("mirror", LOOKS_AT, examine)
        .within(LIMIT)
        .repaired_by(move || {
            let surgeon = surgeon.clone();
            async move { surgeon.repair().await }
        })
}

struct Doctor {
    roster: Arc<Roster>,
    shown: Option<Shown>,
}

impl Doctor {
    async fn examine(&self) -> Finding {
        let Some(shown) = &self.shown else {
            return Finding::skipped(
                "without Valkey each process keeps a mirror in its own memory",
            );
        };
        if !shown.is_up() {
            return Finding::skipped("not looked at: it needs valkey");
        }
        match Drift::find(&self.roster, shown).await {
            Ok(drift) => drift.judge(),
            Err(error) => Finding::problem(
                format!("cannot compare: {}", with_causes(&*error)),
                "Postgres and Valkey answered a moment ago: ask again",
            ),
        }
    }

    async fn repair(&self) -> Result<String, BoxError> {
        let shown = self.shown.as_ref().ok_or("no Valkey is configured")?;
        let healed = self.roster.reseed().await?;
        let nobody_is_known = HashSet::new();
        let orphans = orphans::find(&self.roster.db, shown, &nobody_is_known).await?;
        shown.delete(&orphans).await?;
        Ok(format!(
            "reseeded: {healed} mitras had been shown otherwise; {} orphaned keys removed",
            orphans.len()
        ))
    }
}

/// How the mirror differs from Postgres.
#[derive(Default)]
struct Drift {
    is_unseeded: bool,
    mitras: usize,
    /// Keys of a wrong type, facts shown wrongly, members that nobody is.
    wrong: Details,
    /// Heartbeats that are missing or left over: these pass by themselves.
    heartbeats: Details,
    /// Keys that belong to nobody.
    orphans: Details,
}

impl Drift {
    async fn find(roster: &Roster, shown: &Shown) -> Result<Self, BoxError> {
        let mut drift = Self::default();
        let (is_seeded, mistyped) = shown.shape().await?;
        drift.is_unseeded = !is_seeded;
        mistyped.into_iter().for_each(|it| drift.wrong.push(|| it));
        // What is absent from a mirror that is not seeded means nothing, and sets that are none
        // cannot be read.
        if drift.is_unseeded || !drift.wrong.is_empty() {
            return Ok(drift);
        }
        let (known, suspects) = everyone(roster, shown).await?;
        drift.mitras = known.len();
        drift.look_again(roster, shown, suspects).await?;
        for stray in strays(roster, &known).await? {
            drift
                .wrong
                .push(|| format!("{stray} is shown and is no mitra of Postgres"));
        }
        let orphans = orphans::find(&roster.db, shown, &known).await?;
        drift.orphans = orphans
            .iter()
            .map(|key| format!("{key} belongs to no mitra of Postgres"))
            .collect();
        Ok(drift)
    }

    /// Looks at those who differed until they no longer do, or have had their looks.
    async fn look_again(
        &mut self,
        roster: &Roster,
        shown: &Shown,
        mut suspects: Vec<Uuid>,
    ) -> Result<(), BoxError> {
        for look in 2..=LOOKS {
            if suspects.is_empty() {
                return Ok(());
            }
            sleep(BETWEEN_LOOKS).await;
            let asked = std::mem::take(&mut suspects);
            for some in asked.chunks(PAGE) {
                let mitras = store::by_ids(&roster.db, some).await?;
                for compared in compare_all(roster, shown, mitras).await? {
                    suspects.push(compared.id);
                    if look == LOOKS {
                        self.keep(compared);
                    }
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, compared: Compared) {
        for it in compared.wrong {
            self.wrong.push(|| it);
        }
        if let Some(it) = compared.heartbeat {
            self.heartbeats.push(|| it);
        }
    }

    fn judge(self) -> Finding {
        let (wrong, heartbeats, orphans) =
            (self.wrong.count, self.heartbeats.count, self.orphans.count);
        let mut all = self.wrong;
        all.append(self.heartbeats);
        all.append(self.orphans);
        if wrong > 0 {
            let text = format!("{wrong} facts are shown otherwise than in Postgres");
            return Finding::problem(text, ADVICE).with_details(all);
        }
        if self.is_unseeded {
            let text = "not seeded: Postgres answers until a server starts or reseeds";
            return Finding::warning(text, ADVICE);
        }
        let text = format!("{} mitras are shown as Postgres has them", self.mitras);
        if all.is_empty() {
            return Finding::ok(text);
        }
        let text = format!("{text}; {heartbeats} heartbeats amiss, {orphans} keys of nobody");
        Finding::warning(text, ADVICE).with_details(all)
    }
}

/// Every mitra of Postgres, and those that the mirror shows otherwise at the first look.
async fn everyone(roster: &Roster, shown: &Shown) -> Result<(HashSet<Uuid>, Vec<Uuid>), BoxError> {
    let (mut known, mut suspects) = (HashSet::new(), Vec::new());
    let mut after = Uuid::nil();
    loop {
        let page = store::page_after(&roster.db, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok((known, suspects));
        };
        after = last.id;
        known.extend(page.iter().map(|mitra| mitra.id));
        let differing = compare_all(roster, shown, page).await?;
        suspects.extend(differing.iter().map(|it| it.id));
    }
}

/// Those of these mitras that the mirror shows otherwise, and how.
async fn compare_all(
    roster: &Roster,
    shown: &Shown,
    mitras: Vec<Mitra>,
) -> Result<Vec<Compared>, BoxError> {
    let states = roster.all_loaded(mitras).await?;
    let ids: Vec<String> = states.iter().map(|it| it.mitra.id.to_string()).collect();
    let rows = shown.rows(&ids).await?;
    let compared = states.iter().zip(&rows);
    Ok(compared
        .map(|(state, row)| compare::compare(state, row))
        .filter(|it| !it.is_same())
        .collect())
}

/// Names in the mirror's lists that no mitra has.
async fn strays(roster: &Roster, known: &HashSet<Uuid>) -> Result<Vec<String>, BoxError> {
    let is_known = |name: &str| name.parse().is_ok_and(|id: Uuid| known.contains(&id));
    let names = roster
        .mirror
        .mirror()
        .strays(&Census::default(), &is_known)
        .await?;
    Ok(orphans::unknown(&roster.db, names, known).await?)
}
