//! Charts, written by hand: bars with every round as a dot, and distributions of times.

use std::fmt::Write as _;

use crate::results::{Results, SideResults, Spread};

const WIDTH: f64 = 720.0;
const BAR: f64 = 30.0;
const NAMES: f64 = 130.0;
const FIGURES: f64 = 120.0;
const PLOT_HEIGHT: f64 = 240.0;
const MARGIN: f64 = 46.0;

/// A figure of every side: a bar to its median, a dot a round.
pub(super) fn bars(results: &Results, figure: &str, write: impl Fn(f64) -> String) -> String {
    let sides: Vec<(&SideResults, Spread)> = results
        .sides
        .iter()
        .filter_map(|side| Some((side, side.figure(figure)?)))
        .collect();
    let most = sides.iter().map(|(_, it)| it.most).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    let scale = (WIDTH - NAMES - FIGURES) / most;
    let mut svg = open(BAR * sides.len() as f64);
    for (number, (side, spread)) in sides.iter().enumerate() {
        let (top, colour) = (BAR * number as f64, colour(results, side));
        let (middle, width) = (top + BAR / 2.0, spread.median * scale);
        let _ = write!(
            svg,
            "<text x='{:.1}' y='{:.1}' class='name'>{}</text>\
             <rect x='{NAMES}' y='{:.1}' width='{width:.1}' height='18' class='{colour}'/>",
            NAMES - 8.0,
            middle + 4.0,
            escaped(&side.name),
            middle - 9.0,
        );
        for value in side.rounds.iter().filter_map(|round| round.figure(figure)) {
            let x = NAMES + value * scale;
            let _ = write!(
                svg,
                "<circle cx='{x:.1}' cy='{middle:.1}' r='2.5' class='dot'/>"
            );
        }
        let x = NAMES + spread.most * scale + 8.0;
        let text = escaped(&write(spread.median));
        let _ = write!(
            svg,
            "<text x='{x:.1}' y='{:.1}'>{text}</text>",
            middle + 4.0
        );
    }
    svg + "</svg>"
}

/// The distribution of times of every side: percentiles to the right, each nine as wide as the one
/// before; time upwards, each tenfold as high. The round in the middle by its p99 stands for a side.
pub(super) fn curves(results: &Results) -> String {
    let lines: Vec<(&SideResults, &[(f64, u64)])> = results
        .sides
        .iter()
        .filter_map(|side| Some((side, typical_curve(side)?)))
        .collect();
    let times = lines
        .iter()
        .flat_map(|(_, curve)| curve.iter().map(|(_, us)| (*us).max(1)));
    let (Some(least), Some(most)) = (times.clone().min(), times.max()) else {
        return String::new();
    };
    let (low, high) = decades(least, most);
    let y = |us: f64| MARGIN / 2.0 + (high - us.log10()) / (high - low) * PLOT_HEIGHT;
    let mut svg = open(PLOT_HEIGHT + MARGIN);
    grid(&mut svg, low, high, y);
    for (number, (side, curve)) in lines.iter().enumerate() {
        let points: Vec<String> = curve
            .iter()
            .map(|(percentile, us)| {
                format!("{:.1},{:.1}", x_of(*percentile), y((*us).max(1) as f64))
            })
            .collect();
        let colour = colour(results, side);
        let top = MARGIN / 2.0 + 14.0 + 16.0 * number as f64;
        let _ = write!(
            svg,
            "<polyline points='{}' class='line {colour}'/>\
             <text x='{}' y='{top}' class='legend {colour}'>{}</text>",
            points.join(" "),
            MARGIN + 10.0,
            escaped(&side.name),
        );
    }
    svg + "</svg>"
}

fn typical_curve(side: &SideResults) -> Option<&[(f64, u64)]> {
    let mut latencies: Vec<_> = side
        .rounds
        .iter()
        .filter_map(|round| round.latency.as_ref())
        .filter(|latency| !latency.curve.is_empty())
        .collect();
    latencies.sort_unstable_by_key(|latency| latency.p99_us);
    latencies
        .get(latencies.len() / 2)
        .map(|it| it.curve.as_slice())
}

/// Whole powers of ten around two times.
fn decades(least: u64, most: u64) -> (f64, f64) {
    let (low, high) = ((least as f64).log10().floor(), (most as f64).log10().ceil());
    (low, high.max(low + 1.0))
}

fn x_of(percentile: f64) -> f64 {
    // Four nines and beyond share the right edge.
    let nines = -(1.0 - percentile / 100.0).max(1e-4).log10();
    MARGIN + nines / 4.0 * (WIDTH - MARGIN - 20.0)
}

fn grid(svg: &mut String, low: f64, high: f64, y: impl Fn(f64) -> f64) {
    let bottom = MARGIN / 2.0 + PLOT_HEIGHT;
    let mut decade = low;
    while decade <= high {
        let (at, label) = (y(10_f64.powf(decade)), time(decade));
        let _ = write!(
            svg,
            "<line x1='{MARGIN}' x2='{WIDTH}' y1='{at:.1}' y2='{at:.1}' class='grid'/>\
             <text x='{:.1}' y='{:.1}' class='name'>{label}</text>",
            MARGIN - 6.0,
            at + 4.0
        );
        decade += 1.0;
    }
    for (percentile, label) in [
        (0.0, "0"),
        (50.0, "50"),
        (90.0, "90"),
        (99.0, "99"),
        (99.9, "99.9"),
        (100.0, "max"),
    ] {
        let at = x_of(percentile);
        let _ = write!(
            svg,
            "<line x1='{at:.1}' x2='{at:.1}' y1='{:.1}' y2='{bottom:.1}' class='grid'/>\
             <text x='{at:.1}' y='{:.1}' class='tick'>{label}</text>",
            MARGIN / 2.0,
            bottom + 16.0
        );
    }
}

/// A power of ten of microseconds.
fn time(decade: f64) -> String {
    match decade as i32 {
        ..=2 => format!("{:.0} µs", 10_f64.powf(decade)),
        3..=5 => format!("{:.0} ms", 10_f64.powf(decade - 3.0)),
        _ => format!("{:.0} s", 10_f64.powf(decade - 6.0)),
    }
}

/// A side keeps its colour in both charts.
fn colour(results: &Results, side: &SideResults) -> String {
    let place = results.sides.iter().position(|it| it.name == side.name);
    format!("c{}", place.unwrap_or(0) % 6)
}

fn open(height: f64) -> String {
    format!("<svg viewBox='0 0 {WIDTH} {height}' role='img'>")
}

/// A text that may stand in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::samples;

    #[test]
    fn a_bar_and_a_dot_a_round() {
        let results = samples::results("beacon", &[("ours", &[10, 20, 30]), ("<b>", &[5])]);
        let svg = bars(&results, "rate", |it| format!("{it:.0}"));
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
        assert!(bars(&results, "unknown", |_| String::new()).is_empty());
    }

    #[test]
    fn a_curve_goes_up_and_to_the_right() {
        let results = samples::results("beacon", &[("ours", &[10])]);
        assert_eq!(curves(&results).matches("<polyline").count(), 1);
        assert!(x_of(99.0) > x_of(90.0) && x_of(100.0) <= WIDTH);
        assert_eq!(decades(50, 1600), (1.0, 4.0));
        assert_eq!(decades(10, 10), (1.0, 2.0));
        assert_eq!(
            (time(2.0), time(4.0), time(6.0)),
            ("100 µs".into(), "10 ms".into(), "1 s".into())
        );
    }
}
