//! Everybody's sessions, as admins see them.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Params, Query, Row};
use halobestie_core::ports::{
    ChatCounts, Happening, OverseenExtension, OverseenSession, SessionFilter, TimeEntry,
    TranscriptMessage, Window,
};
use uuid::Uuid;

/// What goes on, each count by an index that holds little more than what it counts.
pub(crate) async fn counts(
    db: &impl Query,
    now: Timestamp,
    minute_ago: Timestamp,
) -> Result<ChatCounts, DbError> {
    const SQL: &str = "SELECT s.active, s.pending, s.rerouting,
            (SELECT count(*) FROM chat_requests
              WHERE status = 'searching' AND expires_at > $1 AND reroute_of IS NULL) AS searching,
            (SELECT count(*) FROM chat_messages WHERE sent_at > $2) AS messages
        FROM (SELECT count(*) FILTER (WHERE status = 'active') AS active,
                     count(*) FILTER (WHERE status = 'pending_payment') AS pending,
                     count(*) FILTER (WHERE status = 'rerouting') AS rerouting
                FROM chat_sessions WHERE status <> 'ended') s";
    let row = db.row(SQL, &[&now, &minute_ago]).await?;
    Ok(ChatCounts {
        active_sessions: row.get("active"),
        pending_payment_sessions: row.get("pending"),
        rerouting_sessions: row.get("rerouting"),
        searching_requests: row.get("searching"),
        messages_last_minute: row.get("messages"),
    })
}

macro_rules! select_sessions {
    ($($where:literal),+) => {
        concat!(
            "SELECT s.id, s.request_id, s.status, s.customer_id, s.mitra_id, s.former_mitra_ids,
                s.topic, s.package, s.created_at, s.started_at, s.expires_at, s.paused_ms, s.ended_at,
                s.end_reason, s.last_seq, s.erased_at,
                (SELECT stars FROM chat_ratings r WHERE r.session_id = s.id) AS stars
            FROM chat_sessions s WHERE ",
            $($where),+
        )
    };
}

macro_rules! page_of_sessions {
    ($among:literal, $order:literal) => {
        select_sessions!(
            $among,
            "($1::text IS NULL OR s.status = $1)
            AND ($2::uuid IS NULL OR s.customer_id = $2 OR s.mitra_id = $2)
            AND ($3::uuid[] IS NULL OR s.customer_id = ANY($3))
            AND ($4::uuid[] IS NULL OR s.mitra_id = ANY($4))
            AND s.id > $5 AND s.id < $6",
            $order
        )
    };
}

/// A page of sessions. Open ones are asked for as such, so that the few are not searched among the many.
pub(crate) async fn list(
    db: &impl Query,
    filter: &SessionFilter,
    window: Window,
) -> Result<Vec<OverseenSession>, DbError> {
    const LATEST: &str = page_of_sessions!("", " ORDER BY s.id DESC LIMIT $7");
    const OLDEST: &str = page_of_sessions!("", " ORDER BY s.id LIMIT $7");
    const OPEN_LATEST: &str =
        page_of_sessions!("s.status <> 'ended' AND ", " ORDER BY s.id DESC LIMIT $7");
    const OPEN_OLDEST: &str =
        page_of_sessions!("s.status <> 'ended' AND ", " ORDER BY s.id LIMIT $7");
    let is_open = filter.status.as_deref().is_some_and(|it| it != "ended");
    let sql = match (is_open, window.oldest_first) {
        (false, false) => LATEST,
        (false, true) => OLDEST,
        (true, false) => OPEN_LATEST,
        (true, true) => OPEN_OLDEST,
    };
    let status = filter.status.as_deref().filter(|it| *it != "open");
    let (lower, upper) = window.bounds();
    let params: Params<'_> = &[
        &status,
        &filter.user_id,
        &filter.customer_ids,
        &filter.mitra_ids,
        &lower,
        &upper,
        &window.limit,
    ];
    Ok(db.rows(sql, params).await?.iter().map(read).collect())
}

/// One session.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<OverseenSession>, DbError> {
    const SQL: &str = select_sessions!("s.id = $1");
    Ok(db.row_opt(SQL, &[&id]).await?.as_ref().map(read))
}

fn read(row: &Row) -> OverseenSession {
    OverseenSession {
        id: row.get("id"),
        request_id: row.get("request_id"),
        status: row.get("status"),
        customer_id: row.get("customer_id"),
        mitra_id: row.get("mitra_id"),
        former_mitra_ids: row.get("former_mitra_ids"),
        topic: row.get("topic"),
        package: row.get("package"),
        created_at: row.get("created_at"),
        started_at: row.get("started_at"),
        expires_at: row.get("expires_at"),
        paused_ms: row.get("paused_ms"),
        ended_at: row.get("ended_at"),
        end_reason: row.get("end_reason"),
        last_seq: row.get("last_seq"),
        stars: row.get("stars"),
        erased_at: row.get("erased_at"),
    }
}

/// What happened to a session and to the request that it came of, oldest first.
pub(crate) async fn history(db: &impl Query, id: Uuid) -> Result<Vec<Happening>, DbError> {
    const SQL: &str = "SELECT event, actor, actor_id, note, at FROM chat_events
        WHERE session_id = $1
           OR request_id = (SELECT request_id FROM chat_sessions WHERE id = $1)
        ORDER BY id LIMIT 1000";
    let rows = db.rows(SQL, &[&id]).await?;
    let happenings = rows.iter().map(|row| Happening {
        event: row.get("event"),
        actor: row.get("actor"),
        actor_id: row.get("actor_id"),
        note: row.get("note"),
        at: row.get("at"),
    });
    Ok(happenings.collect())
}

/// The extensions of a session, oldest first.
pub(crate) async fn extensions(
    db: &impl Query,
    session_id: Uuid,
) -> Result<Vec<OverseenExtension>, DbError> {
    const SQL: &str = "SELECT id, package, status, created_at, closed_at FROM chat_extensions
        WHERE session_id = $1 ORDER BY id LIMIT 1000";
    let rows = db.rows(SQL, &[&session_id]).await?;
    let extensions = rows.iter().map(|row| OverseenExtension {
        id: row.get("id"),
        package: row.get("package"),
        status: row.get("status"),
        created_at: row.get("created_at"),
        closed_at: row.get("closed_at"),
    });
    Ok(extensions.collect())
}

/// The books of a session's time, oldest first.
pub(crate) async fn time_books(
    db: &impl Query,
    session_id: Uuid,
) -> Result<Vec<TimeEntry>, DbError> {
    const SQL: &str = "SELECT kind, ms, subject_id, at FROM chat_time
        WHERE session_id = $1 ORDER BY id LIMIT 1000";
    let rows = db.rows(SQL, &[&session_id]).await?;
    let entries = rows.iter().map(|row| TimeEntry {
        kind: row.get("kind"),
        ms: row.get("ms"),
        subject_id: row.get("subject_id"),
        at: row.get("at"),
    });
    Ok(entries.collect())
}

/// What was said, ascending.
pub(crate) async fn transcript(
    db: &impl Query,
    id: Uuid,
    after_seq: i64,
    limit: i64,
) -> Result<Vec<TranscriptMessage>, DbError> {
    const SQL: &str = "SELECT id, seq, sender_id, sender_role, kind, body, attachment, sent_at
        FROM chat_messages WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let rows = db.rows(SQL, &[&id, &after_seq, &limit]).await?;
    let messages = rows.iter().map(|row| TranscriptMessage {
        id: row.get("id"),
        seq: row.get("seq"),
        sender_id: row.get("sender_id"),
        sender_role: row.get("sender_role"),
        kind: row.get("kind"),
        body: row.get("body"),
        attachment: row.get("attachment"),
        sent_at: row.get("sent_at"),
    });
    Ok(messages.collect())
}
