//! The routes, a row each.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use halobestie_core::ports::Role;

use crate::handlers::{payments, returns, webhook};
use crate::state::State;

/// Where Xendit's webhooks go.
pub(crate) const WEBHOOK: &str = "/api/webhooks/xendit";

/// An event is a few kilobytes.
const EVENT_BYTES_MAX: usize = 256 * 1024;

/// Routes of the public listener.
pub(crate) fn public(state: Arc<State>) -> Routes {
    let customer = Access::Only(Role::Customer);
    Routes::with(state)
        .get("/api/customer/payments", customer, payments::list)
        .get("/api/customer/payments/{id}", customer, payments::show)
        .post(WEBHOOK, Access::Anyone, webhook::take)
        .body_limit(EVENT_BYTES_MAX)
        .get(returns::SUCCESS, Access::Anyone, returns::success)
        .get(returns::FAILURE, Access::Anyone, returns::failure)
        .into()
}
