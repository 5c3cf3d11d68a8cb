//! Everybody's reports, as admins see and handle them.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Params, Query, Row};
use halobestie_core::ports::{OverseenReport, ReportChange, ReportFilter, ReportStatus, Window};
use uuid::Uuid;

use super::name;

macro_rules! select_reports {
    ($evidence:literal, $where:literal) => {
        concat!(
            "SELECT r.id, r.session_id, r.reporter_id, r.reporter_role, r.reported_id, r.reason,
                r.details, r.created_at, r.status, r.note, r.handled_by, r.handled_at, ",
            $evidence,
            " AS evidence FROM chat_reports r WHERE ",
            $where
        )
    };
}

/// A page of reports, without their evidence.
pub(crate) async fn list(
    db: &impl Query,
    filter: &ReportFilter,
    window: Window,
) -> Result<Vec<OverseenReport>, DbError> {
    const LATEST: &str = select_reports!(
        "'[]'::jsonb",
        "($1::text IS NULL OR r.status = $1)
            AND ($2::uuid[] IS NULL OR r.reporter_id = ANY($2) OR r.reported_id = ANY($2))
            AND ($3::uuid IS NULL OR r.session_id = $3)
            AND r.id > $4 AND r.id < $5 ORDER BY r.id DESC LIMIT $6"
    );
    const OLDEST: &str = select_reports!(
        "'[]'::jsonb",
        "($1::text IS NULL OR r.status = $1)
            AND ($2::uuid[] IS NULL OR r.reporter_id = ANY($2) OR r.reported_id = ANY($2))
            AND ($3::uuid IS NULL OR r.session_id = $3)
            AND r.id > $4 AND r.id < $5 ORDER BY r.id LIMIT $6"
    );
    let sql = if window.oldest_first { OLDEST } else { LATEST };
    let (lower, upper) = window.bounds();
    let params: Params<'_> = &[
        &filter.status.map(ReportStatus::as_str),
        &filter.user_ids,
        &filter.session_id,
        &lower,
        &upper,
        &window.limit,
    ];
    db.rows(sql, params).await?.iter().map(read).collect()
}

/// One report, with its evidence.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<OverseenReport>, DbError> {
    const SQL: &str = select_reports!("r.evidence", "r.id = $1");
    db.row_opt(SQL, &[&id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// A report without its evidence, held until the transaction ends.
pub(crate) async fn hold(tx: &impl Query, id: Uuid) -> Result<Option<OverseenReport>, DbError> {
    const SQL: &str = select_reports!("'[]'::jsonb", "r.id = $1 FOR UPDATE");
    tx.row_opt(SQL, &[&id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Writes what is given of a change.
pub(crate) async fn change(
    tx: &impl Query,
    id: Uuid,
    change: &ReportChange,
    admin_id: Uuid,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_reports SET status = coalesce($2, status),
            note = coalesce($3, note), handled_by = $4, handled_at = $5 WHERE id = $1";
    let status = change.status.map(ReportStatus::as_str);
    tx.execute(SQL, &[&id, &status, &change.note, &admin_id, &now])
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<OverseenReport, DbError> {
    Ok(OverseenReport {
        id: row.get("id"),
        session_id: row.get("session_id"),
        reporter_id: row.get("reporter_id"),
        reporter_role: row.get("reporter_role"),
        reported_id: row.get("reported_id"),
        reason: row.get("reason"),
        details: row.get("details"),
        evidence: row.get("evidence"),
        created_at: row.get("created_at"),
        status: name(row, "status", ReportStatus::parse)?,
        note: row.get("note"),
        handled_by: row.get("handled_by"),
        handled_at: row.get("handled_at"),
    })
}
