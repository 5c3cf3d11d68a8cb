//! `chat_reports`: complaints, each with a copy of what was said before it.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use halobestie_core::ports::Role;
use uuid::Uuid;

/// A report to be written.
pub(crate) struct NewReport<'a> {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) reporter_id: Uuid,
    pub(crate) reporter_role: Role,
    pub(crate) reason: &'a str,
    pub(crate) details: Option<&'a str>,
    pub(crate) created_at: Timestamp,
}

/// Writes a report on the other side of a session, with the session's last `evidence_max` messages;
/// whom it is about, or `None` when the session is not the reporter's.
///
/// One statement, so the copy is of the report's own instant, and no retention comes between.
pub(crate) async fn insert(
    query: &impl Query,
    it: &NewReport<'_>,
    evidence_max: i64,
) -> Result<Option<Uuid>, DbError> {
    const SQL: &str = r#"INSERT INTO chat_reports (id, session_id, reporter_id, reporter_role,
            reported_id, reason, details, evidence, created_at)
        SELECT $1, s.id, $3, $4,
            CASE WHEN s.customer_id = $3 THEN s.mitra_id ELSE s.customer_id END, $5, $6,
            coalesce((SELECT jsonb_agg(jsonb_build_object('seq', m.seq, 'id', m.id,
                    'sender_id', m.sender_id, 'sender_role', m.sender_role, 'kind', m.kind,
                    'body', m.body, 'attachment_id', m.attachment_id, 'sent_at',
                    to_char(m.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                    ORDER BY m.seq)
                FROM (SELECT * FROM chat_messages WHERE session_id = s.id
                    ORDER BY seq DESC LIMIT $8) m), '[]'), $7
        FROM chat_sessions s WHERE s.id = $2 AND $3 IN (s.customer_id, s.mitra_id)
        RETURNING reported_id"#;
    let role = it.reporter_role.as_str();
    let row = query
        .row_opt(
            SQL,
            &[
                &it.id,
                &it.session_id,
                &it.reporter_id,
                &role,
                &it.reason,
                &it.details,
                &it.created_at,
                &evidence_max,
            ],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// When this user made the `nth` report before now, counted from the latest, if it was after `since`:
/// until when there have been as many.
pub(crate) async fn nth_latest(
    query: &impl Query,
    reporter_id: Uuid,
    nth: i64,
    since: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT created_at FROM chat_reports
        WHERE reporter_id = $1 AND created_at > $2
        ORDER BY created_at DESC LIMIT 1 OFFSET $3";
    let row = query
        .row_opt(SQL, &[&reporter_id, &since, &(nth - 1)])
        .await?;
    Ok(row.map(|row| row.get(0)))
}
