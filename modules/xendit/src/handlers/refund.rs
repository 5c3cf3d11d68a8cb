//! A refund by order of an admin. (Being written.)

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};

use crate::state::State;

pub(crate) async fn refund(_: Arc<State>, _: Request) -> Reply {
    Err(Problem::not_found())
}
