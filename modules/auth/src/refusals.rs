//! Refusals remembered in Valkey, so that a flood costs Postgres a statement now and then.
//!
//! Postgres alone grants: what is kept here is only that it has said no, and until when. So nothing is
//! ever counted twice, two replicas that want the last place are judged by Postgres, and whatever
//! Valkey loses or has never heard of costs a look there. A refusal is kept for a few seconds at most,
//! so that one which a message given back has overtaken does not stay.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use halobestie_core::Timestamp;
use halobestie_core::valkey::Valkey;
use halobestie_core::valkey::redis::{Cmd, cmd};

use crate::keys::Hash;
use crate::limits::{Limit, Limited};

/// How long a refusal is kept at most.
const KEPT: Duration = Duration::from_secs(5);

/// Who asks: what limits are counted by.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) phone_hash: &'a Hash,
    pub(crate) network_hash: &'a Hash,
}

/// The memory. Without Valkey there is none.
pub(crate) struct Refusals(Option<Valkey>);

impl Refusals {
    /// A memory in this Valkey.
    pub(crate) fn new(valkey: Option<Valkey>) -> Self {
        Self(valkey)
    }

    /// The refusal that is known to hold, if any. An error of Valkey is no refusal.
    pub(crate) async fn known(&self, asker: Asker<'_>, now: Timestamp) -> Option<Limited> {
        const LIMITS: [Limit; 3] = [Limit::Phone, Limit::Network, Limit::Budget];
        let valkey = self.0.as_ref()?;
        let keys = LIMITS.map(|limit| key(valkey, limit, asker));
        let known: Vec<Option<i64>> = valkey.run(cmd("MGET").arg(&keys)).await.ok()?;
        let refusals = LIMITS.into_iter().zip(known).filter_map(|(by, until)| {
            let until = Timestamp::from_unix_ms(until?);
            (until > now).then_some(Limited { by, until })
        });
        refusals.max_by_key(|it| it.until)
    }

    /// Remembers what Postgres has said.
    pub(crate) async fn remember(&self, limited: Limited, asker: Asker<'_>, now: Timestamp) {
        let Some(valkey) = &self.0 else { return };
        let kept = limited.until.since(now).min(KEPT).as_millis();
        let mut set = cmd("SET");
        set.arg(key(valkey, limited.by, asker))
            .arg(limited.until.unix_ms());
        set.arg("PX").arg(u64::try_from(kept).unwrap_or(1).max(1));
        forgivable(valkey, &set).await;
    }

    /// Forgets what held while a message that was not sent counted.
    pub(crate) async fn forget(&self, asker: Asker<'_>) {
        let Some(valkey) = &self.0 else { return };
        let keys =
            [Limit::Phone, Limit::Network, Limit::Budget].map(|limit| key(valkey, limit, asker));
        forgivable(valkey, cmd("DEL").arg(&keys)).await;
    }
}

/// Valkey counts and logs its own errors; losing a refusal costs a look into Postgres.
async fn forgivable(valkey: &Valkey, command: &Cmd) {
    let _: Result<(), _> = valkey.run(command).await;
}

fn key(valkey: &Valkey, limit: Limit, asker: Asker<'_>) -> String {
    let name = limit.as_str();
    valkey.key(&match limit {
        Limit::Phone => format!("auth:refused:{name}:{}", text(asker.phone_hash)),
        Limit::Network => format!("auth:refused:{name}:{}", text(asker.network_hash)),
        Limit::Budget => format!("auth:refused:{name}"),
    })
}

fn text(hash: &Hash) -> String {
    URL_SAFE_NO_PAD.encode(hash)
}
