//! The promised keys as they stand in Valkey, read by their names.

use halobestie_core::BoxError;
use halobestie_core::valkey::redis::{cmd, pipe};
use halobestie_core::valkey::{Valkey, ValkeyError};

/// Keys of one command: Valkey serves nobody else meanwhile, so it must be short.
const KEYS_PER_COMMAND: usize = 1000;
/// Keys looked through in one round of a search, and rounds at most.
const KEYS_PER_ROUND: usize = 1000;
const ROUNDS_MAX: u32 = 10_000;

/// What is kept for each mitra under a key of its own.
const OWN: [&str; 2] = ["mitra:capacity:", "mitra:heartbeat:"];

/// The keys.
pub(super) struct Shown(Valkey);

/// What is shown of one mitra.
pub(super) struct Row {
    pub(super) is_online: bool,
    pub(super) is_deactivated: bool,
    pub(super) capacity: Option<String>,
    pub(super) heartbeat: Option<String>,
    /// Where the mitra stands among the free: the Unix milliseconds of its heartbeat.
    pub(super) free_at: Option<f64>,
    pub(super) max_sessions: Option<String>,
    pub(super) version: Option<String>,
}

/// The answers about many mitras, column by column.
type Columns = (
    Vec<bool>,
    Vec<bool>,
    Vec<Option<f64>>,
    Vec<Option<String>>,
    Vec<Option<Vec<u8>>>,
    Vec<Option<String>>,
    Vec<Option<String>>,
);

impl Shown {
    pub(super) fn new(valkey: Valkey) -> Self {
        Self(valkey)
    }

    pub(super) fn is_up(&self) -> bool {
        self.0.is_up()
    }

    /// Whether the mirror is seeded, and which keys are of a wrong type.
    pub(super) async fn shape(&self) -> Result<(bool, Vec<String>), ValkeyError> {
        const TYPES: [(&str, &str); 6] = [
            ("mitras:online", "set"),
            ("mitras:deactivated", "set"),
            ("mitras:free", "zset"),
            ("mitras:max_sessions", "hash"),
            ("mitras:version", "hash"),
            ("mitras:seeded_at", "string"),
        ];
        let mut ask = pipe();
        for (key, _) in TYPES {
            ask.cmd("TYPE").arg(self.0.key(key));
        }
        let found: Vec<String> = self.0.run_all(&ask).await?;
        let is_seeded = found.last().is_some_and(|found| found != "none");
        let wrong = TYPES
            .iter()
            .zip(&found)
            .filter(|((_, wanted), found)| found != wanted && *found != "none")
            .map(|((key, wanted), found)| format!("{key} is a {found} and should be a {wanted}"));
        Ok((is_seeded, wrong.collect()))
    }

    /// What is shown of these mitras, a page of them at most.
    pub(super) async fn rows(&self, ids: &[String]) -> Result<Vec<Row>, ValkeyError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let own = |kind: &str| -> Vec<String> {
            ids.iter()
                .map(|id| self.0.key(&format!("{kind}{id}")))
                .collect()
        };
        let [capacity, heartbeat] = OWN.map(own);
        let mut ask = pipe();
        ask.cmd("SMISMEMBER")
            .arg(self.0.key("mitras:online"))
            .arg(ids);
        ask.cmd("SMISMEMBER")
            .arg(self.0.key("mitras:deactivated"))
            .arg(ids);
        ask.cmd("ZMSCORE").arg(self.0.key("mitras:free")).arg(ids);
        ask.cmd("MGET").arg(capacity);
        ask.cmd("MGET").arg(heartbeat);
        ask.cmd("HMGET")
            .arg(self.0.key("mitras:max_sessions"))
            .arg(ids);
        ask.cmd("HMGET").arg(self.0.key("mitras:version")).arg(ids);
        let (online, deactivated, free, capacities, heartbeats, limits, versions): Columns =
            self.0.run_all(&ask).await?;
        let text = |column: &[Option<String>], row: usize| column.get(row).cloned().flatten();
        let row = |row: usize| Row {
            is_online: online.get(row).copied().unwrap_or(false),
            is_deactivated: deactivated.get(row).copied().unwrap_or(false),
            capacity: text(&capacities, row),
            // Whatever stands there, it is there.
            heartbeat: heartbeats
                .get(row)
                .and_then(Option::as_ref)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            free_at: free.get(row).copied().flatten(),
            max_sessions: text(&limits, row),
            version: text(&versions, row),
        };
        Ok((0..ids.len()).map(row).collect())
    }

    /// Whose the keys of single mitras are: each with its name, the prefix left out.
    pub(super) async fn owners(&self) -> Result<Vec<Owned>, BoxError> {
        let prefix = self.0.key("");
        let pattern = format!("{}mitra:*", literally(&prefix));
        let (mut found, mut cursor) = (Vec::new(), 0_u64);
        for _ in 0..ROUNDS_MAX {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern);
            scan.arg("COUNT").arg(KEYS_PER_ROUND);
            let (next, keys): (u64, Vec<String>) = self.0.run(&scan).await?;
            let names = keys.iter().filter_map(|key| key.strip_prefix(&prefix));
            found.extend(names.filter_map(Owned::of));
            cursor = next;
            if cursor == 0 {
                return Ok(found);
            }
        }
        Err("too many keys to look through".into())
    }

    /// Deletes keys, given without the prefix.
    pub(super) async fn delete(&self, names: &[String]) -> Result<(), ValkeyError> {
        for some in names.chunks(KEYS_PER_COMMAND) {
            let keys: Vec<String> = some.iter().map(|name| self.0.key(name)).collect();
            let mut delete = cmd("DEL");
            delete.arg(keys);
            self.0.run::<u64>(&delete).await?;
        }
        Ok(())
    }
}

/// A key of a single mitra.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) key: String,
    pub(super) owner: String,
}

impl Owned {
    fn of(key: &str) -> Option<Self> {
        let owner = OWN.iter().find_map(|kind| key.strip_prefix(kind))?;
        Some(Self {
            key: key.to_owned(),
            owner: owner.to_owned(),
        })
    }
}

/// A pattern that matches this text and no other.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if "*?[]^-\\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(literally("app:v1*"), "app:v1\\*");
        assert_eq!(literally("a[b]?"), "a\\[b\\]\\?");
    }

    #[test]
    fn only_keys_of_single_mitras_have_an_owner() {
        let owner = |key| Owned::of(key).map(|it| it.owner);
        assert_eq!(owner("mitra:capacity:x").as_deref(), Some("x"));
        assert_eq!(owner("mitra:heartbeat:").as_deref(), Some(""));
        assert_eq!(owner("mitra:other:x"), None);
        assert_eq!(owner("mitras:online"), None);
    }
}
