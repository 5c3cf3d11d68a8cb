//! `chat_messages`, and the counter in `chat_sessions` that numbers them.

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query, Row};
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::name;
use super::sides::{Sides, sides};
use crate::messages::{Message, MessageKind};

macro_rules! columns {
    () => {
        "m.session_id, m.seq, m.id, m.client_message_id, m.sender_id, m.sender_role, m.kind, m.body,
            m.sent_at"
    };
}

fn read(row: &Row) -> Result<Message, DbError> {
    Ok(Message {
        id: row.get("id"),
        session_id: row.get("session_id"),
        seq: row.get("seq"),
        client_message_id: row.get("client_message_id"),
        sender_id: row.get("sender_id"),
        sender_role: name(row, "sender_role", |text| text.parse::<Role>().ok())?,
        kind: name(row, "kind", MessageKind::parse)?,
        body: row.get("body"),
        sent_at: row.get("sent_at"),
    })
}

/// A message to be written.
pub(crate) struct NewMessage<'a> {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) sender_id: Uuid,
    pub(crate) sender_role: Role,
    pub(crate) client_message_id: &'a str,
    pub(crate) kind: MessageKind,
    pub(crate) body: &'a str,
    pub(crate) sent_at: Timestamp,
}

/// Writes a message under the session's next number, in one statement and one commit; the number and
/// the session's sides. `None` when the session does not take it: not active, over, not the sender's,
/// or the message is there already.
///
/// The update locks the session's row until the commit, so numbers are given out in commit order; a
/// failure of any part rolls the number back with it, so there are no gaps. Two equal messages at once
/// both pass the look for an earlier one; the second then fails at the unique index as a whole.
pub(crate) async fn insert(
    db: &impl Query,
    it: &NewMessage<'_>,
) -> Result<Option<(i64, Sides)>, DbError> {
    const SQL: &str = "WITH numbered AS (
            UPDATE chat_sessions SET last_seq = last_seq + 1
            WHERE id = $1 AND status = 'active' AND expires_at > $8
              AND $2 IN (customer_id, mitra_id)
              AND NOT EXISTS (SELECT 1 FROM chat_messages
                  WHERE session_id = $1 AND sender_id = $2 AND client_message_id = $3)
            RETURNING last_seq, customer_id, mitra_id
        ), written AS (
            INSERT INTO chat_messages (session_id, seq, id, client_message_id, sender_id,
                sender_role, kind, body, sent_at)
            SELECT $1, last_seq, $4, $3, $2, $5, $6, $7, $8 FROM numbered
        )
        SELECT last_seq, customer_id, mitra_id FROM numbered";
    let row = db
        .row_opt(
            SQL,
            &[
                &it.session_id,
                &it.sender_id,
                &it.client_message_id,
                &it.id,
                &it.sender_role.as_str(),
                &it.kind.as_str(),
                &it.body,
                &it.sent_at,
            ],
        )
        .await?;
    Ok(row.map(|row| (row.get("last_seq"), sides(&row))))
}

/// The unique index that makes a repeated message the same message.
pub(crate) const SENT_ONCE: &str = "chat_messages_sent_once";

/// What a message ran into that was not written.
pub(crate) struct Earlier {
    /// The same message, sent before; otherwise the session did not take it.
    pub(crate) message: Option<Message>,
}

/// Looks why a message was not written; `None` when the session is not the sender's.
pub(crate) async fn find_earlier(
    db: &Db,
    session_id: Uuid,
    sender_id: Uuid,
    client_message_id: &str,
) -> Result<Option<Earlier>, DbError> {
    const SQL: &str = concat!(
        "SELECT m.seq IS NOT NULL AS found, ",
        columns!(),
        " FROM chat_sessions s LEFT JOIN chat_messages m
            ON m.session_id = s.id AND m.sender_id = $2 AND m.client_message_id = $3
        WHERE s.id = $1 AND $2 IN (s.customer_id, s.mitra_id)"
    );
    let row = db
        .row_opt(SQL, &[&session_id, &sender_id, &client_message_id])
        .await?;
    row.as_ref()
        .map(|row| {
            Ok(Earlier {
                message: row.get::<_, bool>("found").then(|| read(row)).transpose()?,
            })
        })
        .transpose()
}

/// Messages after a number, ascending.
pub(crate) async fn page_after(
    db: &Db,
    session_id: Uuid,
    after_seq: i64,
    before_seq: i64,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM chat_messages m WHERE m.session_id = $1 AND m.seq > $2 AND m.seq < $3
        ORDER BY m.seq LIMIT $4"
    );
    db.rows(SQL, &[&session_id, &after_seq, &before_seq, &limit])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// The last messages before a number, ascending.
pub(crate) async fn page_before(
    db: &Db,
    session_id: Uuid,
    before_seq: i64,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM (SELECT * FROM chat_messages WHERE session_id = $1 AND seq < $2
            ORDER BY seq DESC LIMIT $3) m
        ORDER BY m.seq"
    );
    db.rows(SQL, &[&session_id, &before_seq, &limit])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// A place in a session after which messages are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) session_id: Uuid,
    pub(crate) after_seq: i64,
}

fn split(places: &[Place]) -> (Vec<Uuid>, Vec<i64>) {
    places
        .iter()
        .map(|place| (place.session_id, place.after_seq))
        .unzip()
}

/// Messages after these places, at most `limit` a session, in order within each.
pub(crate) async fn after_places(
    db: &Db,
    places: &[Place],
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM unnest($1::uuid[], $2::bigint[]) AS place (session_id, after_seq)
        CROSS JOIN LATERAL (SELECT * FROM chat_messages c
            WHERE c.session_id = place.session_id AND c.seq > place.after_seq
            ORDER BY c.seq LIMIT $3) m
        ORDER BY m.session_id, m.seq"
    );
    let (sessions, seqs) = split(places);
    db.rows(SQL, &[&sessions, &seqs, &limit])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// What a user missed in one session.
#[derive(Debug)]
pub(crate) struct Missed {
    pub(crate) session_id: Uuid,
    pub(crate) last_seq: i64,
    pub(crate) messages: Vec<Message>,
}

/// What a user missed after these places, in one statement: sessions that are not the user's are left
/// out, and each session's last number is of the same instant as its messages.
pub(crate) async fn missed_by(
    db: &Db,
    user_id: Uuid,
    places: &[Place],
    limit: i64,
) -> Result<Vec<Missed>, DbError> {
    const SQL: &str = concat!(
        "SELECT s.id AS of_session, s.last_seq, m.seq IS NOT NULL AS found, ",
        columns!(),
        " FROM unnest($1::uuid[], $2::bigint[]) AS place (session_id, after_seq)
        JOIN chat_sessions s ON s.id = place.session_id AND $3 IN (s.customer_id, s.mitra_id)
        LEFT JOIN LATERAL (SELECT * FROM chat_messages c
            WHERE c.session_id = s.id AND c.seq > place.after_seq
            ORDER BY c.seq LIMIT $4) m ON true
        ORDER BY s.id, m.seq"
    );
    let (sessions, seqs) = split(places);
    let mut missed: Vec<Missed> = Vec::new();
    for row in &db.rows(SQL, &[&sessions, &seqs, &user_id, &limit]).await? {
        let session_id: Uuid = row.get("of_session");
        if missed
            .last()
            .is_none_or(|last| last.session_id != session_id)
        {
            let last_seq = row.get("last_seq");
            missed.push(Missed {
                session_id,
                last_seq,
                messages: Vec::new(),
            });
        }
        if row.get::<_, bool>("found")
            && let Some(last) = missed.last_mut()
        {
            last.messages.push(read(row)?);
        }
    }
    Ok(missed)
}
