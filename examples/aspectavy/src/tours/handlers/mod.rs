//! One endpoint a file, and how a tour looks from outside.

pub(super) mod add_points;
pub(super) mod begin;
pub(super) mod delete;
pub(super) mod finalise;
pub(super) mod list;
pub(super) mod show;

use halobestie_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::finalising::Summary;
use super::store::Stored;

/// A tour.
#[derive(Serialize, ToSchema)]
pub(in crate::tours) struct Tour {
    id: Uuid,
    status: Status,
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// With `finalised`.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
}

/// How far a tour is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::tours) enum Status {
    Recording,
    /// It has ended, and its summary is being made.
    Finalising,
    Finalised,
}

impl From<Stored> for Tour {
    fn from(it: Stored) -> Self {
        let status = match (it.ended_at, &it.summary) {
            (None, _) => Status::Recording,
            (Some(_), None) => Status::Finalising,
            (Some(_), Some(_)) => Status::Finalised,
        };
        Self {
            id: it.id,
            status,
            started_at: it.started_at,
            ended_at: it.ended_at,
            summary: it.summary,
        }
    }
}
