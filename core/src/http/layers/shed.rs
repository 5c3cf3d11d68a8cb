//! More requests than the server takes at once are refused, at once.
//!
//! hyper runs a clone of the stack for each request, so no back-pressure reaches it: without load shed
//! directly outside the concurrency limit, requests would pile up inside futures.

use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::{LoadShedLayer, error::Overloaded};

use crate::problem::{BoxError, Problem, codes};

/// Load shed outside a limit on requests in flight.
pub fn layer(requests_max: usize) -> (LoadShedLayer, GlobalConcurrencyLimitLayer) {
    (
        LoadShedLayer::new(),
        GlobalConcurrencyLimitLayer::new(requests_max),
    )
}

/// What a client is told of this layer's error.
pub fn problem(error: &BoxError) -> Option<Problem> {
    error
        .is::<Overloaded>()
        .then(|| Problem::new(&codes::OVERLOADED))
}
