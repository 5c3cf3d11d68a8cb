//! The description of the routes, collected from the handlers.

use utoipa::OpenApi;

use crate::handlers::{extensions, messages, offers, packages, requests, sessions, socket};

/// Every route of the module.
#[derive(OpenApi)]
#[openapi(paths(
    packages::list,
    requests::create,
    requests::show,
    requests::cancel,
    offers::list,
    offers::accept,
    offers::decline,
    sessions::list,
    sessions::show,
    sessions::end,
    sessions::reroute,
    extensions::create,
    messages::list,
    messages::send,
    messages::read,
    socket::open,
))]
pub(crate) struct ChatApi;
