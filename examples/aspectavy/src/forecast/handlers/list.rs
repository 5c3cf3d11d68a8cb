//! `GET /api/forecasts`

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, reply};
use serde::Serialize;
use utoipa::ToSchema;

use crate::forecast::state::State;
use crate::forecast::store;

/// All regions.
#[derive(Serialize, ToSchema)]
pub(in crate::forecast) struct Regions {
    items: Vec<Region>,
}

/// A region and how dangerous it is.
#[derive(Serialize, ToSchema)]
pub(in crate::forecast) struct Region {
    region: String,
    /// Absent where there is no forecast yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    danger_level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
}

/// The regions
///
/// With what is stored of each; nobody is asked.
#[utoipa::path(get, path = "/api/forecasts", tag = "forecast", responses(
    (status = 200, description = "In the order of their names", body = Regions),
))]
pub(in crate::forecast) async fn list(state: Arc<State>, _: Request) -> Reply {
    let stored = store::find(&state.db, &state.regions).await?;
    let region = |name: &String| {
        let bulletin = stored
            .iter()
            .find(|it| it.region == *name)
            .map(|it| &it.bulletin);
        Region {
            region: name.clone(),
            danger_level: bulletin.map(|it| it.danger_level),
            valid_until: bulletin.map(|it| it.valid_until),
        }
    };
    let items = state.regions.iter().map(region).collect();
    reply::ok(&Regions { items })
}
