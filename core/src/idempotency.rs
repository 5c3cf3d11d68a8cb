//! `Idempotency-Key`: the same key and caller gets the first answer again for 24 hours.
//!
//! The key's row is written in the transaction that does the work, so a crash leaves either both or
//! neither, and a second request with the same key waits at the unique index until the first has
//! committed. A failed request rolls its row back: repeating it tries again.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::http::{Reply, Request, Response, reply};
use crate::pg::{DbError, Query, Tx};
use crate::problem::{Problem, codes};
use crate::timestamp::Timestamp;

/// Keys live this long; the sweep `idempotency-cleanup` removes older ones.
pub const KEY_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// The longest key taken.
const KEY_CHARS_MAX: usize = 255;

/// A key that a caller sent with a request.
pub struct Key {
    caller: Uuid,
    route: &'static str,
    key: String,
    fingerprint: Vec<u8>,
}

/// What to do with a keyed request.
pub enum Begun {
    /// The first of its key: do the work, then [`Key::record`] the answer.
    First,
    /// Seen before: answer this.
    Replay(Response),
}

impl Key {
    /// The key of a request, if the caller sent one. `route` names the operation: one caller may use
    /// one key on different operations.
    ///
    /// # Errors
    /// `validation_failed` on a key that is empty, too long or not printable.
    pub fn of(
        req: &Request,
        caller: Uuid,
        route: &'static str,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(value) = req.headers().get("idempotency-key") else {
            return Ok(None);
        };
        let key = value.to_str().unwrap_or_default().trim();
        Self::named(key, req.uri().path(), caller, route, body).map(Some)
    }

    /// A key that came in another way than by the header: by a form's field. `path` is the address that
    /// was called.
    ///
    /// # Errors
    /// As [`Key::of`].
    pub fn named(
        key: &str,
        path: &str,
        caller: Uuid,
        route: &'static str,
        body: &[u8],
    ) -> Result<Self, Problem> {
        if key.is_empty() || key.len() > KEY_CHARS_MAX {
            let message = format!("must be 1 to {KEY_CHARS_MAX} printable ASCII characters");
            return Err(Problem::invalid("Idempotency-Key", message));
        }
        // The address is part of what was asked: one key must not serve two sessions' extensions.
        let mut fingerprint = Sha256::new();
        fingerprint.update(path.as_bytes());
        fingerprint.update([0]);
        fingerprint.update(body);
        let fingerprint = fingerprint.finalize().to_vec();
        Ok(Self {
            caller,
            route,
            key: key.to_owned(),
            fingerprint,
        })
    }

    /// Takes the key inside the transaction that will do the work.
    ///
    /// # Errors
    /// `idempotency_conflict` when the key was used with another body; Postgres's failures.
    pub async fn begin(&self, tx: &Tx<'_>, now: Timestamp) -> Result<Begun, Problem> {
        const TAKE: &str =
            "INSERT INTO idempotency_keys (caller_id, route, key, fingerprint, created_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (caller_id, route, key) DO UPDATE
               SET fingerprint = excluded.fingerprint, created_at = excluded.created_at,
                   status = NULL, body = NULL
             WHERE idempotency_keys.created_at < $6";
        let expired = now - KEY_LIFE;
        let params: crate::pg::Params<'_> = &[
            &self.caller,
            &self.route,
            &self.key,
            &self.fingerprint,
            &now,
            &expired,
        ];
        if tx.execute(TAKE, params).await? == 1 {
            return Ok(Begun::First);
        }
        const SEEN: &str = "SELECT fingerprint, status, body FROM idempotency_keys
            WHERE caller_id = $1 AND route = $2 AND key = $3";
        let row = tx
            .row(SEEN, &[&self.caller, &self.route, &self.key])
            .await?;
        let fingerprint: &[u8] = row.get(0);
        if fingerprint != self.fingerprint {
            return Err(Problem::new(&codes::IDEMPOTENCY_CONFLICT));
        }
        let (status, body): (Option<i16>, Option<Vec<u8>>) = (row.get(1), row.get(2));
        let status = status.and_then(|status| u16::try_from(status).ok());
        match (
            status.and_then(|status| StatusCode::from_u16(status).ok()),
            body,
        ) {
            (Some(status), Some(body)) => Ok(Begun::Replay(reply::bytes(
                status,
                reply::JSON,
                Bytes::from(body),
            ))),
            _ => {
                Err(DbError::Content("an idempotency key was committed without its answer").into())
            }
        }
    }

    /// Keeps the answer beside the work, and gives it back to be sent after the commit.
    ///
    /// # Errors
    /// Postgres's failures.
    pub async fn record<T: Serialize>(&self, tx: &Tx<'_>, status: StatusCode, answer: &T) -> Reply {
        const KEEP: &str = "UPDATE idempotency_keys SET status = $4, body = $5
            WHERE caller_id = $1 AND route = $2 AND key = $3";
        let body = serde_json::to_vec(answer).map_err(Problem::internal)?;
        let code = i16::try_from(status.as_u16()).unwrap_or(500);
        tx.execute(KEEP, &[&self.caller, &self.route, &self.key, &code, &body])
            .await?;
        Ok(reply::bytes(status, reply::JSON, body))
    }
}
