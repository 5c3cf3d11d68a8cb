//! Reads of `chat_messages`. They are written by [`groups`](super::groups).

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query, Row};
use halobestie_core::ports::{Attachment, Role};
use serde_json::Value;
use uuid::Uuid;

use super::{ids, name};
use crate::messages::{Message, MessageKind};

macro_rules! columns {
    () => {
        "m.session_id, m.seq, m.id, m.client_message_id, m.sender_id, m.sender_role, m.kind, m.body,
            m.attachment, m.sent_at"
    };
}
pub(super) use columns;

/// Reads a message.
pub(super) fn read(row: &Row) -> Result<Message, DbError> {
    Ok(Message {
        id: row.get("id"),
        session_id: row.get("session_id"),
        seq: row.get("seq"),
        client_message_id: row.get("client_message_id"),
        sender_id: row.get("sender_id"),
        sender_role: name(row, "sender_role", |text| text.parse::<Role>().ok())?,
        kind: name(row, "kind", MessageKind::parse)?,
        body: row.get("body"),
        attachment: attachment(row)?,
        sent_at: row.get("sent_at"),
    })
}

/// What was attached, as it was when the message was sent: history needs no other module.
fn attachment(row: &Row) -> Result<Option<Attachment>, DbError> {
    let stored: Option<Value> = row.get("attachment");
    let attachment = stored.map(serde_json::from_value).transpose();
    attachment.map_err(|_| DbError::Content("an attachment that cannot be read"))
}

/// What a sender and its session have to do with each other.
pub(crate) struct Standing {
    /// The same message, sent before.
    pub(crate) earlier: Option<Message>,
    /// Whether the session takes messages of this sender now.
    pub(crate) takes: bool,
}

/// Looks what a message would run into; `None` where the session is not the sender's and the message
/// was not sent before.
pub(crate) async fn standing(
    db: &Db,
    session_id: Uuid,
    sender_id: Uuid,
    client_message_id: &str,
    now: Timestamp,
) -> Result<Option<Standing>, DbError> {
    const SQL: &str = concat!(
        "SELECT m.seq IS NOT NULL AS found, $2 IN (s.customer_id, s.mitra_id) AND s.status = 'active'
            AND s.expires_at > $4 AS takes, ",
        columns!(),
        " FROM chat_sessions s LEFT JOIN chat_messages m
            ON m.session_id = s.id AND m.sender_id = $2 AND m.client_message_id = $3
        WHERE s.id = $1 AND (m.seq IS NOT NULL OR $2 IN (s.customer_id, s.mitra_id))"
    );
    let row = db
        .row_opt(SQL, &[&session_id, &sender_id, &client_message_id, &now])
        .await?;
    let standing = |row: &Row| {
        let found: bool = row.get("found");
        Ok(Standing {
            earlier: found.then(|| read(row)).transpose()?,
            takes: row.get::<_, Option<bool>>("takes").unwrap_or(false),
        })
    };
    row.as_ref().map(standing).transpose()
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

/// Messages after these places, at most `limit` a session, in order within each: those of the sessions
/// that one of these people has a side of, at that instant.
pub(crate) async fn after_places(
    db: &Db,
    user_ids: &[Uuid],
    places: &[Place],
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM unnest($1::uuid[], $2::bigint[]) AS place (session_id, after_seq)
        JOIN chat_sessions s ON s.id = place.session_id
            AND (s.customer_id = ANY($3) OR s.mitra_id = ANY($3))
        CROSS JOIN LATERAL (SELECT * FROM chat_messages c
            WHERE c.session_id = s.id AND c.seq > place.after_seq
            ORDER BY c.seq LIMIT $4) m
        ORDER BY m.session_id, m.seq"
    );
    let (sessions, seqs) = split(places);
    db.rows(SQL, &[&sessions, &seqs, &user_ids, &limit])
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

/// Somebody who comes back, and how far they had come in each session.
#[derive(Debug)]
pub(crate) struct Return {
    pub(crate) user_id: Uuid,
    pub(crate) places: Vec<Place>,
}

/// What each of these people missed after their places, at most `limit` messages a session, in one
/// statement: sessions that are not theirs are left out, and each session's last number is of the same
/// instant as its messages.
pub(crate) async fn missed_by(
    db: &Db,
    returns: &[Return],
    limit: i64,
) -> Result<Vec<Vec<Missed>>, DbError> {
    const SQL: &str = concat!(
        "SELECT place.whose, s.id AS of_session, s.last_seq, m.seq IS NOT NULL AS found, ",
        columns!(),
        " FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[])
            AS place (session_id, after_seq, user_id, whose)
        JOIN chat_sessions s ON s.id = place.session_id
            AND place.user_id IN (s.customer_id, s.mitra_id)
        LEFT JOIN LATERAL (SELECT * FROM chat_messages c
            WHERE c.session_id = s.id AND c.seq > place.after_seq
            ORDER BY c.seq LIMIT $5) m ON true
        ORDER BY place.whose, s.id, m.seq"
    );
    let (mut sessions, mut seqs, mut users, mut whose) = (vec![], vec![], vec![], vec![]);
    for (number, back) in (0_i64..).zip(returns) {
        for place in &back.places {
            sessions.push(place.session_id);
            seqs.push(place.after_seq);
            users.push(back.user_id);
            whose.push(number);
        }
    }
    let mut missed: Vec<Vec<Missed>> = returns.iter().map(|_| Vec::new()).collect();
    let params: halobestie_core::pg::Params<'_> = &[&sessions, &seqs, &users, &whose, &limit];
    for row in &db.rows(SQL, params).await? {
        let whose = usize::try_from(row.get::<_, i64>("whose")).unwrap_or(usize::MAX);
        if let Some(missed) = missed.get_mut(whose) {
            add(missed, row)?;
        }
    }
    Ok(missed)
}

/// Adds a row of a session and one of its messages; those of one session come one after the other.
fn add(missed: &mut Vec<Missed>, row: &Row) -> Result<(), DbError> {
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
    Ok(())
}

/// Those of these uploads that some message carries.
pub(crate) async fn carried(db: &Db, upload_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str =
        "SELECT DISTINCT attachment_id FROM chat_messages WHERE attachment_id = ANY($1)";
    Ok(ids(&db.rows(SQL, &[&upload_ids]).await?))
}
