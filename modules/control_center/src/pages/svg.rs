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
    /// How a value is written.
    pub(crate) shown: fn(i64) -> String,
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
        let name = self.name;
        if self.points.is_empty() {
            return write!(
                out,
                r#"<p class="chart hint">Nothing measured yet: the worker keeps a point a minute.</p>"#
            );
        }
        let range = match (self.least(), self.most()) {
            (least, most) if least == most => format!("{} throughout", (self.shown)(most)),
            (least, most) => format!("{} to {}", (self.shown)(least), (self.shown)(most)),
        };
        write!(
            out,
            r#"<figure class="chart"><svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{name} of the last hour: {range}">"#
        )?;
        for line in self.lines() {
            draw(out, &line)?;
        }
        write!(
            out,
            r#"</svg><figcaption><span>1 h ago</span><span>{range}</span><span>now</span></figcaption></figure>"#
        )
    }
}

/// A line, and the area under it.
fn draw(out: &mut fmt::Formatter<'_>, line: &[(i64, i64)]) -> fmt::Result {
    let mut line = line.to_vec();
    // A lone point would not be seen.
    if let [(x, y)] = line[..] {
        line.push((x + 2, y));
    }
    let points: Vec<String> = line.iter().map(|(x, y)| format!("{x},{y}")).collect();
    let points = points.join(" ");
    if let (Some((first, _)), Some((last, _))) = (line.first(), line.last()) {
        write!(
            out,
            r#"<polygon points="{first},{HEIGHT} {points} {last},{HEIGHT}"/>"#
        )?;
    }
    write!(out, r#"<polyline points="{points}"/>"#)
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
            shown: |value| value.to_string(),
        }
    }

    #[test]
    fn the_most_is_at_the_top_and_the_hour_fills_the_width() {
        let lines = chart(&[(0, 0), (1, 5), (60, 10)]).lines();
        assert_eq!(lines, [vec![(0, 47), (4, 24)], vec![(240, 1)]]);
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let shown = chart(&[(0, 2), (1, 5)]).to_string();
        assert!(shown.contains(r#"aria-label="online mitras of the last hour: 2 to 5""#));
        let shown = chart(&[(0, 2), (1, 2)]).to_string();
        assert!(shown.contains("2 throughout"), "{shown}");
    }

    #[test]
    fn what_nobody_measured_is_not_drawn() {
        assert_eq!(chart(&[(0, 1), (1, 1), (10, 1), (11, 1)]).lines().len(), 2);
        assert!(chart(&[]).to_string().contains("Nothing measured"));
    }
}
