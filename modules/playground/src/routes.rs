//! The route table, and what its handlers answer from.

use std::sync::Arc;

use halobestie_core::http::html::escape;
use halobestie_core::http::{Access, Routes};
use utoipa::OpenApi;

use crate::assets::PAGE;
use crate::config::PlaygroundConfig;
use crate::handlers;

/// What is answered, ready at the start.
pub(crate) struct State {
    pub(crate) page: String,
}

/// Everything that the public listener serves for this module.
pub(crate) fn public(config: &PlaygroundConfig) -> Routes {
    let sandbox = escape(config.sandbox_url.as_deref().unwrap_or_default());
    let page = PAGE.replace("{{sandbox}}", &sandbox);
    Routes::with(Arc::new(State { page }))
        .get("/playground", Access::Anyone, handlers::page)
        .get("/playground/{file}", Access::Anyone, handlers::file)
        .into()
}

/// Every route of the module.
#[derive(OpenApi)]
#[openapi(paths(handlers::page, handlers::file))]
pub(crate) struct PlaygroundApi;
