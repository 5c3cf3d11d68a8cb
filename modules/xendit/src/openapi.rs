//! The description of the module's routes.

use utoipa::OpenApi;

use crate::handlers;

#[derive(OpenApi)]
#[openapi(paths(
    handlers::payments::list,
    handlers::payments::show,
    handlers::webhook::take,
    handlers::returns::success,
    handlers::returns::failure,
))]
struct Described;

/// All of it.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}
