//! A line over the last hour, drawn by the server: no script, no style of its own, and a sentence for
//! whoever does not see it.

use std::fmt;

use halobestie_core::Timestamp;

const WIDTH: i64 = 240;
const HEIGHT: i64 = 48;
/// A point later than this after the one before begins a new line: nobody measured between.
const GAP_MS: i64 = 3 * 60 * 1000;

/// A chart. `{{ chart }}` in a template.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// What it shows: `online mitras`.
    pub(crate) name: &'static str,
    /// From when.
    pub(crate) since: Timestamp,
    /// Until when.
    pub(crate) until: Timestamp,
    /// What was measured, oldest first.
    pub(crate) points: Vec<(Timestamp, i64)>,
}

impl Chart {
    fn most(&self) -> i64 {
        self.points.iter().map(|it| it.1).max().unwrap_or(0)
    }

    fn least(&self) -> i64 {
        self.points.iter().map(|it| it.1).min().unwrap_or(0)
    }

    /// Points that belong together, as places in the picture.
    fn lines(&self) -> Vec<Vec<(i64, i64)>> {
        let (start, span) = (
            self.since.unix_ms(),
            self.until.unix_ms() - self.since.unix_ms(),
        );
        let most = self.most().max(1);
        let mut lines: Vec<Vec<(i64, i64)>> = Vec::new();
        let mut last: Option<Timestamp> = None;
        for (at, value) in &self.points {
            let x = (at.unix_ms() - start) * WIDTH / span.max(1);
            let y = HEIGHT - value * (HEIGHT - 2) / most - 1;
            let follows = last.is_some_and(|last| at.unix_ms() - last.unix_ms() <= GAP_MS);
            match lines.last_mut() {
                Some(line) if follows => line.push((x, y)),
                _ => lines.push(vec![(x, y)]),
            }
            last = Some(*at);
        }
        lines
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, least, most) = (self.name, self.least(), self.most());
        if self.points.is_empty() {
            return write!(out, r#"<p class="chart hint">nothing measured yet</p>"#);
        }
        write!(
            out,
            r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{name} of the last hour: {least} to {most}"><title>{least} to {most} in the last hour</title>"#
        )?;
        for line in self.lines() {
            write!(out, r#"<polyline points=""#)?;
            for (x, y) in &line {
                write!(out, "{x},{y} ")?;
            }
            // A lone point would not be seen.
            if let [(x, y)] = line[..] {
                write!(out, "{},{y}", x + 1)?;
            }
            write!(out, r#""/>"#)?;
        }
        write!(out, "</svg>")
    }
}

impl askama::filters::HtmlSafe for Chart {}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(i64, i64)]) -> Chart {
        let minute = |minutes: i64| Timestamp::from_unix_ms(minutes * 60_000);
        Chart {
            name: "online mitras",
            since: minute(0),
            until: minute(60),
            points: points
                .iter()
                .map(|(at, value)| (minute(*at), *value))
                .collect(),
        }
    }

    #[test]
    fn the_most_is_at_the_top_and_the_hour_fills_the_width() {
        let lines = chart(&[(0, 0), (1, 5), (60, 10)]).lines();
        assert_eq!(lines, [vec![(0, 47), (4, 24)], vec![(240, 1)]]);
    }

    #[test]
    fn what_nobody_measured_is_not_drawn() {
        assert_eq!(chart(&[(0, 1), (1, 1), (10, 1), (11, 1)]).lines().len(), 2);
        assert!(chart(&[]).to_string().contains("nothing measured"));
    }
}
