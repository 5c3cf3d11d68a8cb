//! The one statement that writes messages: a whole group of them, of any senders and sessions.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use serde_json::Value;
use uuid::Uuid;

use super::messages::{columns, read};
use super::sides::{Sides, sides};
use crate::messages::{Message, NewMessage};

/// The unique index that makes a repeated message the same message.
pub(crate) const SENT_ONCE: &str = "chat_messages_sent_once";

/// What became of one message of a group.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is the session's next message now, and these are the session's sides.
    Written { message: Message, sides: Sides },
    /// The same message, sent before.
    Earlier(Message),
    /// The session is not active, or its time is over and its end is being written.
    NotActive,
    /// There is no such session of this sender.
    NotFound,
}

/// The columns of a group, one array each.
struct Columns<'a> {
    ids: Vec<Uuid>,
    sessions: Vec<Uuid>,
    senders: Vec<Uuid>,
    roles: Vec<&'static str>,
    marks: Vec<&'a str>,
    kinds: Vec<&'static str>,
    bodies: Vec<&'a str>,
    attachment_ids: Vec<Option<Uuid>>,
    attachments: Vec<Option<Value>>,
}

/// Writes a group in one statement and one commit; what became of each, in the group's order.
///
/// A session's row is locked from its number until the commit, so numbers are given out in commit order;
/// a failure of any part rolls all numbers back, so there are no gaps. Sessions are locked in the order
/// of their ids, so that two groups never wait for each other. The look for an earlier message is as old
/// as the statement: where the same one is committed elsewhere in that instant, the group fails at
/// [`SENT_ONCE`], and writing it again finds it.
///
/// Earlier messages are looked up one by one by the index: given a join, Postgres reads the whole table
/// for a large group, at ten thousand messages in more than twice the time already. They are fetched only
/// where there is one: in a young table Postgres may go over the whole session to find that there is none.
///
/// The arrays come out of subselects, so that the planner does not see how long they are: for short ones
/// it would find a cheaper plan, and so plan anew for every group, which takes longer than to carry it out.
///
/// The group must not hold the same message twice.
///
/// # Errors
/// When Postgres refuses any message of the group, or does not answer: nothing is written then, but for
/// a deadline, whose outcome is unknown.
pub(crate) async fn write(
    query: &impl Query,
    group: &[NewMessage],
    now: Timestamp,
) -> Result<Vec<Verdict>, DbError> {
    const SQL: &str = concat!(
        "WITH draft AS (
            SELECT * FROM unnest((SELECT $2::uuid[]), (SELECT $3::uuid[]), (SELECT $4::uuid[]),
                    (SELECT $5::text[]), (SELECT $6::text[]), (SELECT $7::text[]), (SELECT $8::text[]),
                    (SELECT $9::uuid[]), (SELECT $10::jsonb[])) WITH ORDINALITY
                AS draft (id, session_id, sender_id, sender_role, client_message_id, kind, body,
                    attachment_id, attachment, place)
        ), locked AS (
            SELECT id, customer_id, mitra_id, last_seq,
                status = 'active' AND expires_at > $1 AS is_active
            FROM chat_sessions WHERE id = ANY((SELECT $3::uuid[])::uuid[]) ORDER BY id FOR NO KEY UPDATE
        ), judged AS (
            SELECT d.*, s.customer_id, s.mitra_id, s.last_seq, s.is_active,
                coalesce(d.sender_id IN (s.customer_id, s.mitra_id), false) AS is_side,
                (SELECT e.seq FROM chat_messages e WHERE e.session_id = d.session_id
                    AND e.sender_id = d.sender_id AND e.client_message_id = d.client_message_id
                ) AS earlier_seq
            FROM draft d LEFT JOIN locked s ON s.id = d.session_id
        ), numbered AS (
            SELECT *, last_seq + row_number() OVER (PARTITION BY session_id ORDER BY place) AS seq
            FROM judged WHERE is_active AND is_side AND earlier_seq IS NULL
        ), counted AS (
            UPDATE chat_sessions c SET last_seq = n.seq
            FROM (SELECT session_id, max(seq) AS seq FROM numbered GROUP BY session_id) n
            WHERE c.id = n.session_id
        ), written AS (
            INSERT INTO chat_messages (session_id, seq, id, client_message_id, sender_id, sender_role,
                kind, body, attachment_id, attachment, sent_at)
            SELECT session_id, seq, id, client_message_id, sender_id, sender_role, kind, body,
                attachment_id, attachment, $1 FROM numbered
        )
        SELECT j.customer_id, j.mitra_id, j.is_side, n.seq AS given_seq,
            j.earlier_seq IS NOT NULL AS is_earlier, ",
        columns!(),
        " FROM judged j LEFT JOIN numbered n ON n.place = j.place
        LEFT JOIN LATERAL (SELECT * FROM chat_messages c
            WHERE j.earlier_seq IS NOT NULL
                AND c.session_id = j.session_id AND c.seq = j.earlier_seq LIMIT 1) m ON true
        ORDER BY j.place"
    );
    let it = Columns::of(group)?;
    let rows = query
        .rows(
            SQL,
            &[
                &now,
                &it.ids,
                &it.sessions,
                &it.senders,
                &it.roles,
                &it.marks,
                &it.kinds,
                &it.bodies,
                &it.attachment_ids,
                &it.attachments,
            ],
        )
        .await?;
    group
        .iter()
        .zip(&rows)
        .map(|(draft, row)| verdict(draft, row, now))
        .collect()
}

impl<'a> Columns<'a> {
    fn of(group: &'a [NewMessage]) -> Result<Self, DbError> {
        let each = || group.iter();
        let attachments = || each().map(|it| it.attachment.as_ref());
        let stored = attachments().map(|it| it.map(serde_json::to_value).transpose());
        Ok(Self {
            ids: each().map(|it| it.id).collect(),
            sessions: each().map(|it| it.session_id).collect(),
            senders: each().map(|it| it.sender_id).collect(),
            roles: each().map(|it| it.sender_role.as_str()).collect(),
            marks: each().map(|it| it.client_message_id.as_str()).collect(),
            kinds: each().map(|it| it.kind.as_str()).collect(),
            bodies: each().map(|it| it.body.as_str()).collect(),
            attachment_ids: attachments().map(|it| it.map(|it| it.id)).collect(),
            attachments: stored
                .collect::<Result<_, _>>()
                .map_err(|_| DbError::Content("an attachment that cannot be written"))?,
        })
    }
}

fn verdict(draft: &NewMessage, row: &Row, now: Timestamp) -> Result<Verdict, DbError> {
    if row.get("is_earlier") {
        return Ok(Verdict::Earlier(read(row)?));
    }
    Ok(match row.get("given_seq") {
        Some(seq) => Verdict::Written {
            message: draft.numbered(seq, now),
            sides: sides(row),
        },
        None if row.get("is_side") => Verdict::NotActive,
        None => Verdict::NotFound,
    })
}
