//! Probes: is the process alive, is it ready, and what does it count.
//!
//! `/livez` and `/health` touch nothing: a liveness probe that asks Postgres would have every replica
//! restarted by Postgres's bad day. The others read the cached state of [`Readiness`].

use std::sync::Arc;

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::http::{Access, Reply, Request, Routes, reply};
use crate::metrics::Metrics;
use crate::readiness::{Readiness, Report};

/// The description of core's own routes.
#[derive(OpenApi)]
#[openapi(paths(livez, health, readyz, api_health, metrics))]
pub(crate) struct Description;

/// Alive.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the API can do its work.
#[derive(Serialize, ToSchema)]
struct ApiHealth {
    /// Whether Postgres answers.
    ok: bool,
    /// `connected` or `unreachable`.
    #[schema(example = "connected")]
    database: &'static str,
}

/// The probes of the public listener.
pub fn public(readiness: &Readiness) -> Routes {
    Routes::with(Arc::new(readiness.clone()))
        .get("/livez", Access::Anyone, livez)
        .get("/health", Access::Anyone, health)
        .get("/readyz", Access::Anyone, readyz)
        .get("/api/health", Access::Anyone, api_health)
        .into()
}

/// The probes and the metrics of the internal listener.
pub fn internal(readiness: &Readiness, registry: &Metrics) -> Routes {
    let mut routes: Routes = Routes::with(Arc::new(readiness.clone()))
        .get("/livez", Access::Anyone, livez)
        .get("/health", Access::Anyone, health)
        .get("/readyz", Access::Anyone, readyz)
        .into();
    let registry = Arc::new(registry.clone());
    routes.append(
        Routes::with(registry)
            .get("/metrics", Access::Anyone, metrics)
            .into(),
    );
    routes
}

/// Is the process alive?
///
/// Answers as long as the process can answer, and touches nothing else. On both listeners.
#[utoipa::path(get, path = "/livez", tag = "operations", responses(
    (status = 200, description = "The process is alive", body = Alive),
))]
async fn livez(_: Arc<Readiness>, _: Request) -> Reply {
    fresh(StatusCode::OK, &Alive { status: "ok" })
}

/// Is the process alive? (older name)
///
/// The same as `/livez`, for load balancers that look here. On both listeners.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "The process is alive", body = Alive),
))]
async fn health(_: Arc<Readiness>, _: Request) -> Reply {
    fresh(StatusCode::OK, &Alive { status: "ok" })
}

/// Should the process get requests?
///
/// Postgres, migrations and draining decide; without Valkey the process is degraded and still ready.
/// A silent worker decides only where `READY_REQUIRES_WORKER` is set. The answer may be a second old.
/// On both listeners.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, description = "Ready, perhaps degraded", body = Report),
    (status = 503, description = "Not ready", body = Report),
))]
async fn readyz(readiness: Arc<Readiness>, _: Request) -> Reply {
    let report = readiness.report().await;
    let status = if report.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    fresh(status, &report)
}

/// Can the API do its work?
///
/// Whether Postgres answers; the answer may be a second old. On the public listener.
#[utoipa::path(get, path = "/api/health", tag = "operations", responses(
    (status = 200, description = "Postgres answers", body = ApiHealth),
    (status = 503, description = "Postgres does not answer", body = ApiHealth),
))]
async fn api_health(readiness: Arc<Readiness>, _: Request) -> Reply {
    if readiness.database_answers().await {
        fresh(
            StatusCode::OK,
            &ApiHealth {
                ok: true,
                database: "connected",
            },
        )
    } else {
        let unreachable = ApiHealth {
            ok: false,
            database: "unreachable",
        };
        fresh(StatusCode::SERVICE_UNAVAILABLE, &unreachable)
    }
}

/// Metrics for Prometheus
///
/// In Prometheus's text format. On the internal listener.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "All metrics of this process", body = String, content_type = "text/plain"),
))]
async fn metrics(registry: Arc<Metrics>, _: Request) -> Reply {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(reply::bytes(
        StatusCode::OK,
        content_type,
        registry.render(),
    ))
}

fn fresh<T: Serialize>(status: StatusCode, answer: &T) -> Reply {
    let mut response = reply::json(status, answer)?;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
