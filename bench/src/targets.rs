//! What is aimed at, and whether it is met: figures of one side, alone or against those of another in the
//! same measurement. Medians, all of them.

use crate::results::Results;

/// The side that the targets are about.
pub(crate) const OURS: &str = "halobestie";

/// A target.
pub(crate) struct Target {
    what: &'static str,
    /// The measurement.
    label: &'static str,
    figure: &'static str,
    bound: Bound,
    against: Against,
}

/// Which way a figure should go.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// What it is compared with.
#[derive(Clone, Copy)]
enum Against {
    /// Nothing: the bound is the figure itself, in units of so many.
    Itself(f64, &'static str),
    /// The same figure of another side.
    Side(&'static str),
    /// Another figure of another side.
    Figure(&'static str, &'static str),
}

/// Whether a target is met.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) what: &'static str,
    pub(crate) wanted: String,
    pub(crate) found: Option<String>,
    pub(crate) is_met: Option<bool>,
}

impl Judged {
    /// The verdict in words.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.is_met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "not measured",
        }
    }
}

use Against::{Figure, Itself, Side};
use Bound::{AtLeast, AtMost};

const fn target(
    what: &'static str,
    (label, figure): (&'static str, &'static str),
    bound: Bound,
    against: Against,
) -> Target {
    Target {
        what,
        label,
        figure,
        bound,
        against,
    }
}

const MS: Against = Itself(1000.0, "ms");
const COUNT: Against = Itself(1.0, "");

/// All of them.
const TARGETS: &[Target] = &[
    target(
        "beacon, per core",
        ("beacon", "per_core"),
        AtLeast(0.85),
        Side("hyper"),
    ),
    target(
        "beacon, per core",
        ("beacon", "per_core"),
        AtLeast(3.0),
        Side("baseline"),
    ),
    target(
        "heartbeat, per core",
        ("heartbeat", "per_core"),
        AtLeast(3.0),
        Side("baseline"),
    ),
    target(
        "heartbeat, p99",
        ("heartbeat", "p99_us"),
        AtMost(0.5),
        Side("baseline"),
    ),
    target(
        "durable sends over WebSocket",
        ("send-ws", "rate"),
        AtLeast(3.0),
        Side("pgbench"),
    ),
    target(
        "durable sends over WebSocket",
        ("send-ws", "rate"),
        AtLeast(5.0),
        Side("baseline"),
    ),
    target(
        "durable sends, p99 at equal load",
        ("send-ws-open", "p99_us"),
        AtMost(1.0),
        Figure("baseline", "p50_us"),
    ),
    target(
        "token refresh",
        ("otp-refresh", "rate"),
        AtLeast(0.7),
        Side("pgbench"),
    ),
    target(
        "fan-out, per core",
        ("fanout", "per_core"),
        AtLeast(4.0),
        Side("baseline"),
    ),
    target(
        "fan-out, per core",
        ("fanout", "per_core"),
        AtLeast(2.0),
        Side("socket.io"),
    ),
    target(
        "fan-out, per core",
        ("fanout", "per_core"),
        AtLeast(1.0),
        Side("sockudo"),
    ),
    target("fan-out, lost", ("fanout", "lost"), AtMost(0.0), COUNT),
    target(
        "fan-out, doubled",
        ("fanout", "duplicated"),
        AtMost(0.0),
        COUNT,
    ),
    target(
        "idle socket, resident",
        ("idle", "bytes_each"),
        AtMost(8.0),
        Itself(1024.0, "KiB"),
    ),
    target(
        "idle socket, resident",
        ("idle", "bytes_each"),
        AtMost(0.75),
        Side("baseline"),
    ),
    target(
        "beacon at a quarter, p99",
        ("beacon-open", "p99_us"),
        AtMost(1.0 / 3.0),
        Side("baseline"),
    ),
    target(
        "heartbeat at a quarter, p99",
        ("heartbeat-open", "p99_us"),
        AtMost(1.0 / 3.0),
        Side("baseline"),
    ),
    target(
        "sends at a quarter, p99",
        ("send-ws-open", "p99_us"),
        AtMost(1.0 / 3.0),
        Side("baseline"),
    ),
    target(
        "fan-out at a quarter, p99",
        ("fanout-open", "p99_us"),
        AtMost(1.0 / 3.0),
        Side("baseline"),
    ),
    target(
        "10,000 resume, lost",
        ("connect-storm", "lost"),
        AtMost(0.0),
        COUNT,
    ),
    target(
        "10,000 resume, p99",
        ("connect-storm", "p99_us"),
        AtMost(2000.0),
        MS,
    ),
    target(
        "accept race of 1,000, winners",
        ("pairing", "winners"),
        AtMost(1.0),
        COUNT,
    ),
    target(
        "accept race of 1,000, p99",
        ("pairing", "p99_us"),
        AtMost(50.0),
        MS,
    ),
    target("start to ready", ("start", "ready_us"), AtMost(150.0), MS),
    target(
        "idle server, resident",
        ("start", "resident_kib"),
        AtMost(15.0),
        Itself(1024.0, "MiB"),
    ),
    target(
        "a sweep over 100,000 mitras",
        ("sweep", "sweep_ms"),
        AtMost(1000.0),
        Itself(1.0, "ms"),
    ),
    target(
        "others' p99 during sweeps",
        ("sweep", "p99_us"),
        AtMost(2.0),
        Side("without sweeps"),
    ),
];

/// Judges all targets by these measurements.
pub(crate) fn judge(all: &[Results]) -> Vec<Judged> {
    TARGETS.iter().map(|target| target.judge(all)).collect()
}

impl Target {
    fn judge(&self, all: &[Results]) -> Judged {
        let (sign, bound) = match self.bound {
            AtLeast(bound) => ("≥", bound),
            AtMost(bound) => ("≤", bound),
        };
        let of = match self.against {
            Itself(_, unit) => format!(" {unit}"),
            Side(side) => format!(" × {side}"),
            Figure(side, figure) => format!(" × {side}'s {}", figure.trim_end_matches("_us")),
        };
        let wanted = format!("{sign} {}{of}", short(bound));
        let value = self.value(all);
        let unit = match self.against {
            Itself(_, unit) => format!(" {unit}"),
            Side(_) | Figure(..) => " ×".to_owned(),
        };
        Judged {
            what: self.what,
            wanted: wanted.trim_end().to_owned(),
            found: value.map(|it| format!("{}{unit}", short(it)).trim_end().to_owned()),
            is_met: value.map(|value| match self.bound {
                AtLeast(bound) => value >= bound,
                AtMost(bound) => value <= bound,
            }),
        }
    }

    /// The figure in the bound's unit.
    fn value(&self, all: &[Results]) -> Option<f64> {
        let results = all.iter().find(|results| results.label == self.label)?;
        let median = |side: &str, figure: &str| Some(results.side(side)?.figure(figure)?.median);
        let ours = median(OURS, self.figure)?;
        let unit = match self.against {
            Itself(unit, _) => unit,
            Side(side) => median(side, self.figure)?,
            Figure(side, figure) => median(side, figure)?,
        };
        (unit > 0.0).then(|| ours / unit)
    }
}

/// Three digits or so.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        ..10.0 if value.fract().abs() < 1e-9 => 0,
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::samples;

    #[test]
    fn a_target_is_met_missed_or_not_measured() {
        let all = [samples::results(
            "beacon",
            &[
                (OURS, &[900, 1000, 1100]),
                ("hyper", &[1100]),
                ("baseline", &[400]),
            ],
        )];
        let judged = judge(&all);
        assert_eq!(judged[0].is_met, Some(true), "{judged:?}");
        assert_eq!(judged[0].found.as_deref(), Some("0.91 ×"));
        assert_eq!(judged[1].is_met, Some(false));
        assert_eq!(judged[1].wanted, "≥ 3 × baseline");
        assert_eq!(judged[2].is_met, None);
    }

    #[test]
    fn nothing_lost_is_a_figure_too() {
        let mut results = samples::results("fanout", &[(OURS, &[10])]);
        results.sides[0].rounds[0]
            .figures
            .insert("lost".into(), 0.0);
        let judged = judge(&[results]);
        let lost = judged.iter().find(|it| it.what == "fan-out, lost").unwrap();
        assert_eq!(lost.is_met, Some(true), "{lost:?}");
    }
}
