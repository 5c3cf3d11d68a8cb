//! Prometheus metrics: one registry an app, no global, so that tests in one process do not mix.
//!
//! Names follow Prometheus's conventions: `halobestie_<thing>_<unit>`, counters end in `_total`.

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

/// Seconds, from a fast in-memory answer to a deadline.
const SECONDS_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The registry, with a maker for each kind of metric. Clones share it.
#[derive(Clone, Default)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// A counter.
    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.keep(IntCounter::new(name, help))
    }

    /// A counter with labels.
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.keep(IntCounterVec::new(Opts::new(name, help), labels))
    }

    /// A whole number that goes up and down.
    pub fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.keep(IntGauge::new(name, help))
    }

    /// Whole numbers that go up and down, with labels.
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.keep(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// A number that goes up and down.
    pub fn float_gauge(&self, name: &str, help: &str) -> Gauge {
        self.keep(Gauge::new(name, help))
    }

    /// Numbers that go up and down, with labels.
    pub fn float_gauges(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.keep(GaugeVec::new(Opts::new(name, help), labels))
    }

    /// A distribution of seconds.
    pub fn histogram(&self, name: &str, help: &str) -> Histogram {
        self.keep(Histogram::with_opts(seconds(name, help)))
    }

    /// A distribution of anything that `seconds` does not fit, up to each of these.
    pub fn histogram_of(&self, name: &str, help: &str, up_to: &[f64]) -> Histogram {
        let options = HistogramOpts::new(name, help).buckets(up_to.to_vec());
        self.keep(Histogram::with_opts(options))
    }

    /// Distributions of seconds, with labels.
    pub fn histograms(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.keep(HistogramVec::new(seconds(name, help), labels))
    }

    /// Figures that are read when they are asked for.
    pub fn collect<C: Collector + 'static>(&self, collector: C) {
        // Fails where the same one is registered twice: then it is shown already.
        let _ = self.registry.register(Box::new(collector));
    }

    /// Everything in Prometheus's text format.
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        // Writing text into memory cannot fail; a broken metric would only shorten the page.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    #[expect(
        clippy::expect_used,
        reason = "names are literals; the first test that starts finds out"
    )]
    fn keep<C: Collector + Clone + 'static>(&self, metric: prometheus::Result<C>) -> C {
        let metric = metric.expect("a metric's name and labels are well-formed");
        self.registry
            .register(Box::new(metric.clone()))
            .expect("a metric is registered once");
        metric
    }
}

fn seconds(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(SECONDS_BUCKETS.to_vec())
}
