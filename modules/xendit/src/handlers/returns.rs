//! Where a browser lands after paying. (Being written: the signatures that the rest relies on.)

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use uuid::Uuid;

use crate::state::State;

/// The page after paying.
pub(crate) const SUCCESS: &str = "/payment/return/success";
/// The page otherwise.
pub(crate) const FAILURE: &str = "/payment/return/failure";

/// Where the browser of whoever pays this is sent: afterwards, and otherwise.
pub(crate) fn links(state: &State, payment_id: Uuid) -> (String, String) {
    let base = state.server.public_base_url.trim_end_matches('/');
    let ours = |page: &str| format!("{base}{page}?payment_id={payment_id}");
    let success = state.success_url.clone().unwrap_or_else(|| ours(SUCCESS));
    let failure = state.failure_url.clone().unwrap_or_else(|| ours(FAILURE));
    (success, failure)
}

pub(crate) async fn success(_: Arc<State>, _: Request) -> Reply {
    Err(Problem::not_found())
}

pub(crate) async fn failure(_: Arc<State>, _: Request) -> Reply {
    Err(Problem::not_found())
}
