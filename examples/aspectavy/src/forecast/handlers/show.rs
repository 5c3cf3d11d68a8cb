//! `GET /api/forecasts/{region}`

use std::sync::Arc;

use halobestie_core::http::{Body, Reply, Request, Response, conditional, reply};
use halobestie_core::{Problem, Timestamp};
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::forecast::bulletin::Bulletin;
use crate::forecast::error::ForecastError;
use crate::forecast::reading;
use crate::forecast::state::State;
use crate::forecast::store::Stored;

/// The forecast of a region.
#[derive(Serialize, ToSchema)]
pub(in crate::forecast) struct Shown {
    region: String,
    #[serde(flatten)]
    bulletin: Bulletin,
    /// When it came from its service.
    fetched_at: Timestamp,
    /// Whether its service has not been heard of for long, so that there may be a newer one.
    stale: bool,
}

/// A forecast
///
/// The last good one, however its service is doing: see `stale` and `valid_until`. Send the `ETag` of the
/// last answer as `If-None-Match`.
#[utoipa::path(
    get, path = "/api/forecasts/{region}", tag = "forecast",
    params(
        ("region" = String, Path, description = "As in the list."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the last answer."),
    ),
    responses(
        (status = 200, description = "The forecast", body = Shown),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "`not_found`: there is no such region"),
        (status = 503, description = "`forecast_unavailable`: there is none yet, and its service is away"),
    ),
)]
pub(in crate::forecast) async fn show(state: Arc<State>, req: Request) -> Reply {
    let region: String = req.param("region")?;
    let stored = reading::read(&state, &region).await.map_err(problem)?;
    let stale = reading::is_stale(&state, &stored);
    let etag = tag(&stored, stale)?;
    let mut response = if conditional::is_known(req.headers(), &etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let Stored {
            region,
            bulletin,
            fetched_at,
            ..
        } = stored;
        reply::ok(&Shown {
            region,
            bulletin,
            fetched_at,
            stale,
        })?
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, etag);
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60"),
    );
    Ok(response)
}

/// Another forecast has come at another time; and one that has grown stale is shown otherwise.
fn tag(stored: &Stored, stale: bool) -> Result<HeaderValue, Problem> {
    let age = if stale { "stale" } else { "fresh" };
    let tag = format!("W/\"{}-{age}\"", stored.fetched_at.unix_ms());
    HeaderValue::try_from(tag).map_err(Problem::internal)
}

/// Several readers may have had this failure together.
fn problem(error: Arc<ForecastError>) -> Problem {
    use halobestie_core::Coded as _;
    let problem = Problem::new(error.code());
    match error.retry_after() {
        Some(wait) => problem.retry_after(wait),
        None => problem,
    }
    .because(error)
}
