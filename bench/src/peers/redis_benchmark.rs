//! The ceiling of a heartbeat: `redis-benchmark` (or `valkey-benchmark`) stores a time as fast as it may.

use anyhow::{Context as _, Error};

use super::command::output;
use crate::load::Load;
use crate::process::Meter;
use crate::results::{Latency, Round};
use crate::side::Side;

const KEY: &str = "bench:heartbeat";
const TIME: &str = "2026-01-01T00:00:00.000Z";
/// Commands a second of a round: it counts commands, not time.
const A_SECOND: u64 = 50_000;

/// Runs it for about a round's time.
pub(crate) async fn round(side: &Side, load: &Load) -> Result<Round, Error> {
    let address = side.first()?;
    let count = load.length.as_secs().max(1) * A_SECOND;
    let arguments: Vec<String> = [
        ("-h", address.ip().to_string()),
        ("-p", address.port().to_string()),
        ("-c", load.connections.to_string()),
        ("-n", count.to_string()),
    ]
    .into_iter()
    .flat_map(|(option, value)| [option.to_owned(), value])
    .chain(["--csv", "SET", KEY, TIME].map(ToOwned::to_owned))
    .collect();
    let program = if output("valkey-benchmark", &["--version".into()])
        .await
        .is_ok()
    {
        "valkey-benchmark"
    } else {
        "redis-benchmark"
    };
    let meter = Meter::start(side);
    let said = output(program, &arguments).await?;
    let mut round = read(&said, count).with_context(|| format!("{program} said {said}"))?;
    round.server_cpu_seconds = meter.stop().server_cpu_seconds;
    Ok(round)
}

/// Its line: "test","rps","avg","min","p50","p95","p99","max", times in milliseconds.
fn read(said: &str, count: u64) -> Option<Round> {
    let line = said.lines().rev().find(|line| line.starts_with('"'))?;
    let fields: Vec<f64> = line
        .split("\",\"")
        .skip(1)
        .map(|it| it.trim_end_matches('"').parse())
        .collect::<Result<_, _>>()
        .ok()?;
    let [rate, _average, least, p50, p95, p99, most] = fields[..] else {
        return None;
    };
    let us = |ms: f64| (ms * 1000.0) as u64;
    Some(Round {
        seconds: count as f64 / rate,
        operations: count,
        latency: Some(Latency {
            p50_us: us(p50),
            p90_us: us(p95),
            p99_us: us(p99),
            p999_us: us(most),
            max_us: us(most),
            curve: [
                (0.0, least),
                (50.0, p50),
                (95.0, p95),
                (99.0, p99),
                (100.0, most),
            ]
            .map(|(percentile, ms)| (percentile, us(ms)))
            .to_vec(),
        }),
        ..Round::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_line_is_read() {
        let said = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\
            \"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n\
            \"SET k v\",\"80000.00\",\"0.5\",\"0.1\",\"0.4\",\"0.9\",\"1.5\",\"3.0\"\n";
        let round = read(said, 160_000).unwrap();
        assert_eq!(round.figure("rate"), Some(80_000.0));
        assert_eq!(round.figure("p99_us"), Some(1500.0));
        assert!(read("Could not connect", 1).is_none());
    }
}
