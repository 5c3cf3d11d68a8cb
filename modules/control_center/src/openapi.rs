//! The description of the API. The pages are for people and promise nothing to programs.

use utoipa::OpenApi;

use crate::api;

#[derive(OpenApi)]
#[openapi(paths(
    api::dashboard::show,
    api::mitras::list,
    api::mitras::create,
    api::mitras::show,
    api::mitras::update,
    api::customers::list,
    api::customers::show,
    api::customers::update,
    api::sessions::list,
    api::sessions::show,
    api::sessions::end,
    api::requests::list,
    api::requests::show,
    api::payments::list,
    api::payments::show,
    api::payments::refund,
    api::payments::refunds,
    api::reports::list,
    api::reports::show,
    api::reports::update,
    api::config::list,
    api::config::set,
    api::config::history,
    api::sweeps::list,
    api::sweeps::run,
    api::audit::list,
    api::admins::list,
    api::admins::create,
    api::admins::update,
    api::account::change,
    api::system::show,
))]
struct Described;

/// The description.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}
