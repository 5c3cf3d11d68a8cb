//! One endpoint a file, and how a route looks from outside.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod list;
pub(super) mod show;

use halobestie_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::compiling::Card;
use super::store::Stored;

/// A route.
#[derive(Serialize, ToSchema)]
pub(in crate::routes) struct Route {
    id: Uuid,
    created_at: Timestamp,
    status: Status,
    /// With `compiled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Card>,
    /// With `unreadable`: what is wrong with the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// How far a route is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::routes) enum Status {
    /// Its card is being made.
    Compiling,
    Compiled,
    /// The file is no track.
    Unreadable,
}

impl From<Stored> for Route {
    fn from(it: Stored) -> Self {
        let status = match (it.is_compiled, &it.card) {
            (false, _) => Status::Compiling,
            (true, Some(_)) => Status::Compiled,
            (true, None) => Status::Unreadable,
        };
        Self {
            id: it.id,
            created_at: it.created_at,
            status,
            card: it.card,
            problem: it.problem,
        }
    }
}
