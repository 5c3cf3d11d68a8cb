//! One log line and two metrics a request, when it has been answered. Never query strings, bodies or
//! tokens: the line names the route's template, not the address.

use std::sync::Arc;
use std::time::Instant;

use tracing::info;

use super::around::Around;
use crate::http::exchange::Exchange;
use crate::http::traffic::{RouteStats, method_label};
use crate::http::{RawRequest, Response, Traffic};

/// The layer of one listener.
#[derive(Clone, Debug)]
pub struct TraceRequests {
    unrouted: Arc<RouteStats>,
}

impl TraceRequests {
    /// Labels what it sees with the listener's name.
    pub fn new(listener: &'static str, traffic: &Traffic) -> Self {
        Self {
            unrouted: traffic.unrouted(listener),
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Begun {
    at: Instant,
    method: &'static str,
    exchange: Option<Arc<Exchange>>,
    unrouted: Arc<RouteStats>,
}

impl Around for TraceRequests {
    type Memory = Begun;

    fn before(&self, req: &mut RawRequest) -> Result<Begun, Response> {
        Ok(Begun {
            at: Instant::now(),
            method: method_label(req.method()),
            exchange: Exchange::of(req.extensions()).cloned(),
            unrouted: self.unrouted.clone(),
        })
    }

    fn after(begun: Begun, response: Response) -> Response {
        let took = begun.at.elapsed();
        let exchange = begun.exchange.as_ref();
        let route = exchange
            .and_then(|it| it.route())
            .unwrap_or(&begun.unrouted);
        let caller = exchange.and_then(|it| it.caller());
        route.count(response.status(), took);
        info!(
            listener = route.listener(),
            method = begun.method,
            route = route.template(),
            status = response.status().as_u16(),
            duration_ms = took.as_secs_f64() * 1000.0,
            user.id = caller.map(tracing::field::display),
            "request"
        );
        response
    }
}
