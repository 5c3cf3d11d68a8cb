//! The ceiling of whatever is durable: `pgbench` commits single rows at the same concurrency.

use anyhow::{Context as _, Error};

use super::command::output;
use crate::fixture::connect;
use crate::load::Load;
use crate::process::Meter;
use crate::results::{Latency, Round};
use crate::side::Side;

/// The table has what a message has: two ids, a number and a text; and one index.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS bench_rows (
        id uuid PRIMARY KEY, owner_id uuid NOT NULL, number bigint NOT NULL, body text NOT NULL);
    TRUNCATE bench_rows";
const ROW: &str = "INSERT INTO bench_rows VALUES (gen_random_uuid(), gen_random_uuid(), :client_id,
    'Halo kak, saya sudah di sini. Mau cerita apa hari ini?');\n";

/// Runs it for a round's time.
pub(crate) async fn round(side: &Side, load: &Load) -> Result<Round, Error> {
    let database = side.database.as_deref();
    let database = database.context("pgbench needs database=postgres://…")?;
    let client = connect(database).await?;
    client
        .batch_execute(TABLE)
        .await
        .context("the table of rows")?;
    let script = std::env::temp_dir().join(format!("bench-row-{}.sql", std::process::id()));
    std::fs::write(&script, ROW).context("cannot write pgbench's script")?;
    let mut arguments = words(&["--no-vacuum", "--protocol=prepared", "--jobs=1"]);
    arguments.push(format!("--client={}", load.connections));
    arguments.push(format!("--time={}", load.length.as_secs().max(1)));
    arguments.push(format!("--file={}", script.display()));
    if let Some(rate) = load.rate {
        arguments.push(format!("--rate={rate}"));
    }
    arguments.push(database.to_owned());
    let meter = Meter::start(side);
    let said = output("pgbench", &arguments).await;
    let used = meter.stop();
    // The script is rewritten by the next round in any case.
    let _ = std::fs::remove_file(&script);
    read(&said?, used.store_cpu_seconds)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

/// What pgbench says of its run.
fn read(said: &str, store_cpu_seconds: Option<f64>) -> Result<Round, Error> {
    let after = |what: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(what))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let operations = after("number of transactions actually processed: ");
    let operations = operations.with_context(|| format!("pgbench said {said}"))?;
    let rate = after("tps = ").context("pgbench gave no rate")?;
    let average_ms = after("latency average = ").context("pgbench gave no latency")?;
    let average_us = (average_ms * 1000.0) as u64;
    Ok(Round {
        seconds: operations / rate,
        operations: operations as u64,
        store_cpu_seconds,
        // It tells the average alone; that is its middle here, and nothing is known of its tail.
        latency: Some(Latency {
            p50_us: average_us,
            p90_us: 0,
            p99_us: 0,
            p999_us: 0,
            max_us: 0,
            curve: Vec::new(),
        }),
        ..Round::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "pgbench (15.18)\nnumber of transactions actually processed: 4321\n\
            latency average = 2.500 ms\ntps = 432.100000 (without initial connection time)\n";
        let round = read(said, None).unwrap();
        assert_eq!(round.operations, 4321);
        assert!((round.figure("rate").unwrap() - 432.1).abs() < 0.01);
        assert_eq!(round.figure("p50_us"), Some(2500.0));
        assert!(read("pgbench: error", None).is_err());
    }
}
