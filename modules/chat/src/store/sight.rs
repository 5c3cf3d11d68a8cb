//! What sockets should know, for many of them in one statement: the truth that catch-up compares with.

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query};
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::blocks::unless_blocked;
use super::name;
use super::sides::Sides;
use crate::pairing::RequestStatus;
use crate::session_state::SessionStatus;

/// The people and things of a process's sockets.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) customer_ids: Vec<Uuid>,
    pub(crate) mitra_ids: Vec<Uuid>,
    /// Sessions that some socket believes to be open.
    pub(crate) session_ids: Vec<Uuid>,
    /// Requests that some socket believes to be open.
    pub(crate) request_ids: Vec<Uuid>,
}

impl Watched {
    /// Adds a person.
    pub(crate) fn add_user(&mut self, user_id: Uuid, role: Role) {
        if role == Role::Mitra {
            self.mitra_ids.push(user_id);
        } else {
            self.customer_ids.push(user_id);
        }
    }

    /// Names everybody and everything once.
    pub(crate) fn dedup(&mut self) {
        let lists = [
            &mut self.customer_ids,
            &mut self.mitra_ids,
            &mut self.session_ids,
            &mut self.request_ids,
        ];
        for ids in lists {
            ids.sort_unstable();
            ids.dedup();
        }
    }
}

/// Where a session is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionSight {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) status: SessionStatus,
    pub(crate) last_seq: i64,
    pub(crate) version: i64,
}

impl SessionSight {
    /// The two people of it.
    pub(crate) fn sides(&self) -> Sides {
        Sides {
            customer_id: self.customer_id,
            mitra_id: self.mitra_id,
        }
    }
}

/// The open sessions of these people, and those that a socket believes to be open.
pub(crate) async fn sessions(db: &Db, watched: &Watched) -> Result<Vec<SessionSight>, DbError> {
    const SQL: &str =
        "SELECT id, customer_id, mitra_id, status, last_seq, version FROM chat_sessions
            WHERE status <> 'ended' AND customer_id = ANY($1)
        UNION
        SELECT id, customer_id, mitra_id, status, last_seq, version FROM chat_sessions
            WHERE status <> 'ended' AND mitra_id = ANY($2)
        UNION
        SELECT id, customer_id, mitra_id, status, last_seq, version FROM chat_sessions
            WHERE id = ANY($3)";
    let rows = db
        .rows(
            SQL,
            &[
                &watched.customer_ids,
                &watched.mitra_ids,
                &watched.session_ids,
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(SessionSight {
                id: row.get("id"),
                customer_id: row.get("customer_id"),
                mitra_id: row.get("mitra_id"),
                status: name(row, "status", SessionStatus::parse)?,
                last_seq: row.get("last_seq"),
                version: row.get("version"),
            })
        })
        .collect()
}

/// Where a request is, and which of the watched mitras should see its offer.
#[derive(Clone, Debug)]
pub(crate) struct RequestSight {
    pub(crate) id: Uuid,
    /// Whose it is to see; nobody's, where a session looks for another mitra by it.
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) status: RequestStatus,
    /// To how many it was offered; a customer is told when that changes.
    pub(crate) offered_to: i64,
    pub(crate) mitra_ids: Vec<Uuid>,
}

/// The open requests of or offered to these people, and those that a socket believes to be open.
pub(crate) async fn requests(
    db: &Db,
    watched: &Watched,
    now: Timestamp,
) -> Result<Vec<RequestSight>, DbError> {
    const SQL: &str = concat!(
        "SELECT r.id, CASE WHEN r.reroute_of IS NULL THEN r.customer_id END AS customer_id,
            r.status, r.offered_to::bigint,
            ARRAY(SELECT o.mitra_id FROM chat_offers o WHERE o.request_id = r.id
                AND o.mitra_id = ANY($2) AND o.declined_at IS NULL
                AND r.status = 'searching' AND r.expires_at > $4 AND",
        unless_blocked!("r.customer_id", "o.mitra_id"),
        ") AS mitra_ids
        FROM chat_requests r
        WHERE r.id = ANY($3) OR r.status = 'searching' AND (r.customer_id = ANY($1)
            OR EXISTS (SELECT 1 FROM chat_offers o
                WHERE o.request_id = r.id AND o.mitra_id = ANY($2)))"
    );
    let rows = db
        .rows(
            SQL,
            &[
                &watched.customer_ids,
                &watched.mitra_ids,
                &watched.request_ids,
                &now,
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(RequestSight {
                id: row.get("id"),
                customer_id: row.get("customer_id"),
                status: name(row, "status", RequestStatus::parse)?,
                offered_to: row.get("offered_to"),
                mitra_ids: row.get("mitra_ids"),
            })
        })
        .collect()
}
