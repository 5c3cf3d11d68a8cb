//! The ceiling of whatever is durable: `pgbench` commits single rows at the same concurrency.

use anyhow::{Context as _, Error};

use super::command::output;
use crate::fixture::connect;
use crate::load::Load;
use crate::process::{Meter, Used};
use crate::results::Round;
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
    read(&said?, used)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

/// What pgbench says of its run.
fn read(said: &str, used: Used) -> Result<Round, Error> {
    let after = |what: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(what))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let operations = after("number of transactions actually processed: ");
    let operations = operations.with_context(|| format!("pgbench said {said}"))?;
    // Where a disk is so slow that nothing came of a round, it gives no rate.
    let rate = after("tps = ");
    let mut round = Round {
        seconds: rate.map_or(used.seconds, |rate| operations / rate),
        operations: operations as u64,
        store_cpu_seconds: used.store_cpu_seconds,
        ..Round::default()
    };
    // It tells the average alone.
    if let Some(average_ms) = after("latency average = ") {
        round
            .figures
            .insert("average_us".into(), average_ms * 1000.0);
    }
    Ok(round)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "pgbench (15.18)\nnumber of transactions actually processed: 4321\n\
            latency average = 2.500 ms\ntps = 432.100000 (without initial connection time)\n";
        let used = Meter::start(&Side::default()).stop();
        let round = read(said, used).unwrap();
        assert_eq!(round.operations, 4321);
        assert!((round.figure("rate").unwrap() - 432.1).abs() < 0.01);
        assert_eq!(round.figure("average_us"), Some(2500.0));
        assert!(read("pgbench: error", used).is_err());
        let nothing = read("number of transactions actually processed: 0\n", used).unwrap();
        assert_eq!(nothing.figure("rate"), None);
    }
}
