//! The system: what runs, and what it was built and configured with.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::about::VERSION;
use halobestie_core::config::Shown;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::readiness::Report;
use halobestie_core::replicas::{self, Replica};
use halobestie_core::{Problem, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::Caller;
use crate::state::State;

/// Longer than two signs of life are apart, and one that is late.
const ALIVE_WITHIN: Duration = Duration::from_secs(45);

/// A module that is compiled in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Module)]
pub(crate) struct ModuleView {
    pub(crate) name: &'static str,
    pub(crate) is_enabled: bool,
    /// What it promises to the others.
    pub(crate) provides: Vec<String>,
}

/// A value of the configuration.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::ConfigValue)]
pub(crate) struct ValueView {
    /// The section and key.
    pub(crate) key: String,
    /// The environment variable that sets it.
    pub(crate) variable: Option<String>,
    /// `[redacted]` for a secret that is set.
    pub(crate) value: String,
    /// Where it came from.
    pub(crate) origin: String,
}

/// The system, as the process that answers sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::System)]
pub(crate) struct SystemView {
    pub(crate) version: &'static str,
    /// The process that answers.
    pub(crate) replica_id: Uuid,
    pub(crate) started_at: Timestamp,
    /// As `/readyz` says.
    pub(crate) readiness: Report,
    pub(crate) modules: Vec<ModuleView>,
    /// Every process that is alive, those that started first first.
    pub(crate) replicas: Vec<Replica>,
    /// Of the process that answers.
    pub(crate) config: Vec<ValueView>,
}

/// The system; what the API and the page show.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn now(state: &State) -> Result<SystemView, Problem> {
    let about = &state.about;
    let modules = about.modules.iter().map(|it| ModuleView {
        name: it.name,
        is_enabled: it.is_enabled,
        provides: it.provides.clone(),
    });
    let value = |it: &Shown| ValueView {
        key: it.key.clone(),
        variable: it.variable.clone(),
        value: it.value.clone(),
        origin: it.origin.clone(),
    };
    let since = state.clock.now() - ALIVE_WITHIN;
    Ok(SystemView {
        version: VERSION,
        replica_id: about.replica_id,
        started_at: about.started_at,
        readiness: state.readiness()?.report().await,
        modules: modules.collect(),
        replicas: replicas::alive(&state.db, since).await?,
        config: about.config.iter().map(value).collect(),
    })
}

/// Show the system
#[utoipa::path(
    operation_id = "admin_system",
    get, path = "/api/admin/system", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "The system", body = SystemView),
        (status = 403, description = "`forbidden`: admins only"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, _: Caller, _: Request) -> Reply {
    reply::ok(&now(&state).await?)
}
