//! What both listeners share: the maker of request ids, and the metrics of requests, connections and
//! sockets. Labels are bounded: routes are templates, methods and statuses come from fixed lists.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::http::exchange::RequestIds;
use crate::metrics::Metrics;

/// Request ids and metrics, once a process. Clones share them.
#[derive(Clone, Debug)]
pub struct Traffic(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ids: RequestIds,
    requests: IntCounterVec,
    seconds: HistogramVec,
    connections: IntGaugeVec,
    sockets: IntGauge,
}

impl Traffic {
    /// Registers the metrics.
    pub fn new(metrics: &Metrics, clock: Clock, entropy: &Entropy) -> Self {
        Self(Arc::new(Shared {
            ids: RequestIds::new(clock, entropy),
            requests: metrics.counters(
                "halobestie_http_requests_total",
                "Requests answered.",
                &["listener", "route", "method", "status"],
            ),
            seconds: metrics.histograms(
                "halobestie_http_request_seconds",
                "Time from a request's head to its answer's.",
                &["listener", "route"],
            ),
            connections: metrics.gauges(
                "halobestie_http_connections",
                "Open connections, WebSockets included.",
                &["listener"],
            ),
            sockets: metrics.gauge("halobestie_sockets", "Open WebSockets."),
        }))
    }

    /// Makes request ids.
    pub fn ids(&self) -> &RequestIds {
        &self.0.ids
    }

    /// The gauge of a listener's open connections.
    pub(crate) fn connections(&self, listener: &str) -> IntGauge {
        self.0.connections.with_label_values(&[listener])
    }

    /// The gauge of open WebSockets.
    pub(crate) fn sockets(&self) -> &IntGauge {
        &self.0.sockets
    }

    /// The metrics of a route.
    pub(crate) fn route(
        &self,
        listener: &'static str,
        template: &'static str,
        method: &Method,
    ) -> Arc<RouteStats> {
        self.stats(listener, template, method_label(method))
    }

    /// The metrics of requests that no row took: unknown addresses, wrong methods, shed requests.
    pub(crate) fn unrouted(&self, listener: &'static str) -> Arc<RouteStats> {
        self.stats(listener, "(none)", OTHER_METHOD)
    }

    fn stats(
        &self,
        listener: &'static str,
        template: &'static str,
        method: &'static str,
    ) -> Arc<RouteStats> {
        Arc::new(RouteStats {
            listener,
            template,
            method,
            requests: self.0.requests.clone(),
            seconds: self.0.seconds.with_label_values(&[listener, template]),
            common: Default::default(),
        })
    }
}

/// The statuses whose counters a route keeps at hand; others are looked up.
const COMMON: [StatusCode; 12] = [
    StatusCode::OK,
    StatusCode::CREATED,
    StatusCode::NO_CONTENT,
    StatusCode::ACCEPTED,
    StatusCode::SWITCHING_PROTOCOLS,
    StatusCode::NOT_MODIFIED,
    StatusCode::UNAUTHORIZED,
    StatusCode::NOT_FOUND,
    StatusCode::CONFLICT,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// A route's labels and the metrics that they resolve to.
#[derive(Debug)]
pub struct RouteStats {
    listener: &'static str,
    template: &'static str,
    method: &'static str,
    requests: IntCounterVec,
    seconds: Histogram,
    common: [OnceLock<IntCounter>; COMMON.len()],
}

impl RouteStats {
    /// The listener's name.
    pub fn listener(&self) -> &'static str {
        self.listener
    }

    /// The path as the route table has it: never with ids in it.
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// Counts an answer.
    pub(crate) fn count(&self, status: StatusCode, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
        match COMMON.iter().position(|common| *common == status) {
            Some(at) => self.common[at].get_or_init(|| self.counter(status)).inc(),
            None => self.counter(status).inc(),
        }
    }

    fn counter(&self, status: StatusCode) -> IntCounter {
        let labels = [self.listener, self.template, self.method, status.as_str()];
        self.requests.with_label_values(&labels)
    }
}

const OTHER_METHOD: &str = "other";

/// A method as a label. Methods are the client's to make up, so those that we do not know share one.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => OTHER_METHOD,
    }
}
