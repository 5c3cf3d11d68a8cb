//! What is kept of a measurement: a file of JSON, which tables, charts and targets are made of.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Error};
use serde::{Deserialize, Serialize};

/// One measurement: every side of it, round by round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// What the measurement is called: `send-ws-many`.
    pub(crate) label: String,
    /// What was measured, in a sentence.
    pub(crate) title: String,
    /// The scenario's name.
    pub(crate) scenario: String,
    /// What one operation is: `request`, `delivery`.
    pub(crate) unit: String,
    /// The command that did it.
    pub(crate) command: String,
    /// When it began: RFC 3339, in UTC.
    pub(crate) at: String,
    /// Who was compared, in the order of the command line.
    pub(crate) sides: Vec<SideResults>,
}

/// One side's rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SideResults {
    /// The side's name.
    pub(crate) name: String,
    /// In the order in which they were run; those of all sides took turns.
    pub(crate) rounds: Vec<Round>,
}

/// One round of one side.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// How long it took.
    pub(crate) seconds: f64,
    /// Operations that ended as they should.
    pub(crate) operations: u64,
    /// The others, by what went wrong.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Processor time of the side's own processes.
    pub(crate) server_cpu_seconds: Option<f64>,
    /// Processor time of what it stores things in.
    pub(crate) store_cpu_seconds: Option<f64>,
    /// Processor time of the generator.
    pub(crate) generator_cpu_seconds: f64,
    /// From the intended time of an operation to its end.
    pub(crate) latency: Option<Latency>,
    /// How late the generator was by itself, of a hundred times the second longest.
    pub(crate) generator_late_p99_us: Option<u64>,
    /// Figures of the scenario's own.
    pub(crate) figures: BTreeMap<String, f64>,
}

/// A distribution of times, in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50_us: u64,
    pub(crate) p90_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p999_us: u64,
    pub(crate) max_us: u64,
    /// Percentile and time.
    pub(crate) curve: Vec<(f64, u64)>,
}

impl Round {
    /// A figure of the round by its name: one that follows from the others, or one of the scenario's.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        let operations = self.operations as f64;
        let latency = |pick: fn(&Latency) -> u64| self.latency.as_ref().map(|it| pick(it) as f64);
        match name {
            "rate" if self.seconds > 0.0 && self.operations > 0 => Some(operations / self.seconds),
            "per_core" => ratio(operations, self.server_cpu_seconds?),
            "cpu_us" => ratio(self.server_cpu_seconds? * 1e6, operations),
            "store_cpu_us" => ratio(self.store_cpu_seconds? * 1e6, operations),
            "generator_load" => ratio(self.generator_cpu_seconds, self.seconds),
            "p50_us" => latency(|it| it.p50_us),
            "p90_us" => latency(|it| it.p90_us),
            "p99_us" => latency(|it| it.p99_us),
            "p999_us" => latency(|it| it.p999_us),
            "max_us" => latency(|it| it.max_us),
            "failures" => Some(self.failures.values().sum::<u64>() as f64),
            own => self.figures.get(own).copied(),
        }
    }
}

fn ratio(of: f64, to: f64) -> Option<f64> {
    (of > 0.0 && to > 0.0).then(|| of / to)
}

impl SideResults {
    /// A figure over all rounds that have it.
    pub(crate) fn figure(&self, name: &str) -> Option<Spread> {
        let values = self.rounds.iter().filter_map(|round| round.figure(name));
        Spread::of(values.collect())
    }
}

/// The middle of several values, and the outermost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of these; `None` of none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self {
            median,
            least,
            most,
        })
    }
}

impl Results {
    /// The side of this name.
    pub(crate) fn side(&self, name: &str) -> Option<&SideResults> {
        self.sides.iter().find(|side| side.name == name)
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("cannot parse {}", path.display()))
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self).context("results are JSON")?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads every result in a folder, by label.
    pub(crate) fn read_all(folder: &Path) -> Result<Vec<Self>, Error> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        let mut all = Vec::new();
        for entry in entries {
            let path = entry.context("cannot read the folder")?.path();
            if path.extension().is_some_and(|it| it == "json") {
                all.push(Self::read(&path)?);
            }
        }
        all.sort_by(|one, other| one.label.cmp(&other.label));
        Ok(all)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// A round of this many operations in a second, by half a second of a core, each in about `us`.
    pub(crate) fn round(operations: u64, us: u64) -> Round {
        Round {
            seconds: 1.0,
            operations,
            server_cpu_seconds: Some(0.5),
            generator_cpu_seconds: 0.2,
            latency: Some(Latency {
                p50_us: us,
                p90_us: us * 2,
                p99_us: us * 4,
                p999_us: us * 8,
                max_us: us * 16,
                curve: vec![(0.0, us / 2), (50.0, us), (99.0, us * 4), (100.0, us * 16)],
            }),
            ..Round::default()
        }
    }

    /// A measurement of these sides, by their operations round by round.
    pub(crate) fn results(label: &str, sides: &[(&str, &[u64])]) -> Results {
        Results {
            label: label.into(),
            title: "What was measured".into(),
            scenario: "beacon".into(),
            unit: "request".into(),
            command: "halobestie-bench beacon".into(),
            at: "2026-11-21T12:00:00Z".into(),
            sides: sides
                .iter()
                .map(|(name, rounds)| SideResults {
                    name: (*name).into(),
                    rounds: rounds.iter().map(|it| round(*it, 100)).collect(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::round;
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 100.0]).unwrap();
        assert_eq!(
            (spread.median, spread.least, spread.most),
            (3.5, 1.0, 100.0)
        );
        assert_eq!(Spread::of(vec![2.0, 9.0, 1.0]).unwrap().median, 2.0);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn figures_follow_from_what_was_counted() {
        let round = round(1000, 100);
        assert_eq!(round.figure("rate"), Some(1000.0));
        assert_eq!(round.figure("per_core"), Some(2000.0));
        assert_eq!(round.figure("cpu_us"), Some(500.0));
        assert_eq!(round.figure("p99_us"), Some(400.0));
        assert_eq!(round.figure("generator_load"), Some(0.2));
        assert_eq!(round.figure("store_cpu_us"), None);
        assert_eq!(Round::default().figure("rate"), None, "nothing was done");
    }

    #[test]
    fn results_survive_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let results = samples::results("beacon", &[("ours", &[10, 20]), ("theirs", &[5])]);
        results.write(&folder.path().join("beacon.json")).unwrap();
        let read = Results::read_all(folder.path()).unwrap();
        assert_eq!(read.len(), 1);
        let ours = read[0].side("ours").unwrap();
        assert_eq!(ours.figure("rate").unwrap().median, 15.0);
    }
}
