//! A request that takes longer than the server lets it is given up: its future is dropped, which ends
//! what it waits for, and the client is told to come again.

use std::time::Duration;

use tower::timeout::{TimeoutLayer, error::Elapsed};

use crate::problem::{BoxError, Problem, codes};

/// A limit on the time from a request's head to its answer's.
pub fn layer(deadline: Duration) -> TimeoutLayer {
    TimeoutLayer::new(deadline)
}

/// What a client is told of this layer's error.
pub fn problem(error: &BoxError) -> Option<Problem> {
    error
        .is::<Elapsed>()
        .then(|| Problem::new(&codes::REQUEST_TIMEOUT))
}
