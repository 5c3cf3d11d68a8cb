//! `GET /api/customer/packages`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};

use crate::packages::Package;
use crate::state::State;
use crate::views::Items;

/// The price list
///
/// From the runtime setting `packages`; needs no sign-in.
#[utoipa::path(
    get, path = "/api/customer/packages", tag = "chat",
    responses((status = 200, description = "What a customer can ask for", body = Items<Package>)),
)]
pub(crate) async fn list(state: Arc<State>, _: Request) -> Reply {
    reply::ok(&Items {
        items: state.packages.get().0.clone(),
    })
}
