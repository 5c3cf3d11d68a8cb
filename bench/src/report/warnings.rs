//! What makes a figure less than it seems.

use crate::results::{Results, SideResults};

/// Of the generator's one core: above this it is what limits a rate.
const BUSY: f64 = 0.9;
/// The generator's own lateness, against what an operation takes: above this it is in the figures.
const LATE: f64 = 0.2;
/// Fewer rounds say little of a spread.
const ROUNDS: usize = 5;

/// What is to be said of a measurement, a sentence each.
pub(super) fn of(results: &Results) -> Vec<String> {
    results.sides.iter().flat_map(of_side).collect()
}

fn of_side(side: &SideResults) -> Vec<String> {
    let name = &side.name;
    let median = |figure: &str| side.figure(figure).map(|it| it.median);
    let mut said = Vec::new();
    if median("generator_load").is_some_and(|load| load > BUSY) {
        said.push(format!(
            "{name}: the generator was the bottleneck; the rate is at least this, and the figures by \
             server core hold"
        ));
    }
    let late: Vec<u64> = side
        .rounds
        .iter()
        .filter_map(|it| it.generator_late_p99_us)
        .collect();
    let late = late.iter().max().map(|it| *it as f64);
    if let (Some(late), Some(p99)) = (late, median("p99_us"))
        && late > LATE * p99
    {
        said.push(format!(
            "{name}: the generator was up to {:.2} ms late (p99), which is in its times",
            late / 1000.0
        ));
    }
    let mut failures: Vec<(&String, &u64)> = side
        .rounds
        .iter()
        .flat_map(|round| &round.failures)
        .collect();
    failures.sort_unstable();
    failures.dedup_by_key(|(why, _)| (*why).clone());
    for (why, _) in failures {
        said.push(format!("{name}: some failed with {why}"));
    }
    if (1..ROUNDS).contains(&side.rounds.len()) {
        said.push(format!("{name}: rounds measured: {}", side.rounds.len()));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::samples;

    #[test]
    fn a_quiet_measurement_needs_no_words() {
        let results = samples::results("beacon", &[("ours", &[1, 2, 3, 4, 5])]);
        assert!(of(&results).is_empty());
    }

    #[test]
    fn what_limits_a_figure_is_said() {
        let mut results = samples::results("beacon", &[("ours", &[1, 2])]);
        for round in &mut results.sides[0].rounds {
            round.generator_cpu_seconds = 0.99;
            round.generator_late_p99_us = Some(5000);
            round.failures.insert("status 503".into(), 2);
        }
        let said = of(&results).join("\n");
        for part in [
            "bottleneck",
            "5.00 ms late",
            "status 503",
            "rounds measured: 2",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}
