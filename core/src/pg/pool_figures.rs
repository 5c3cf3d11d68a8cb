//! What the pool shows to Prometheus: read when asked for, so that nothing counts on the hot path.

use deadpool_postgres::Pool;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGaugeVec, Opts};

/// Connections of a pool by what they do, and the callers that wait for one.
pub(super) struct PoolFigures {
    pool: Pool,
    connections: IntGaugeVec,
}

impl PoolFigures {
    pub(super) fn new(pool: Pool) -> prometheus::Result<Self> {
        let options = Opts::new(
            "halobestie_db_connections",
            "Connections of the pool (in_use, idle, max) and callers that wait for one (waiting).",
        );
        Ok(Self {
            pool,
            connections: IntGaugeVec::new(options, &["state"])?,
        })
    }
}

impl Collector for PoolFigures {
    fn desc(&self) -> Vec<&Desc> {
        self.connections.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let status = self.pool.status();
        let figures = [
            ("in_use", status.size.saturating_sub(status.available)),
            ("idle", status.available),
            ("waiting", status.waiting),
            ("max", status.max_size),
        ];
        for (state, count) in figures {
            let gauge = self.connections.with_label_values(&[state]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.connections.collect()
    }
}
