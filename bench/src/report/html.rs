//! The page of charts: one file, nothing loaded from anywhere, no script.

use std::fmt::Write as _;

use super::svg::{self, escaped};
use super::{table, warnings};
use crate::results::Results;
use crate::scenarios::{Column, Form, Scenario};
use crate::targets::judge;

const STYLE: &str = include_str!("page.css");

/// The page of these results.
pub(crate) fn page(all: &[Results], about: &str) -> String {
    let mut page = format!(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>halobestie, measured</title>\
         <meta name='viewport' content='width=device-width'><style>{STYLE}</style>\
         <h1>halobestie, measured</h1><ul>"
    );
    for line in about.lines().filter(|line| !line.trim().is_empty()) {
        let _ = write!(page, "<li>{}", escaped(line));
    }
    page += "</ul><h2>Targets</h2>";
    page += &targets(all);
    for results in all {
        page += &measurement(results);
    }
    page
}

fn targets(all: &[Results]) -> String {
    let mut html = "<table><tr><th>what<th>target<th>found<th>".to_owned();
    for it in judge(all) {
        let class = match it.is_met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        let found = it.found.as_deref().unwrap_or("–");
        let verdict = it.verdict().replace("**", "");
        let (what, wanted) = (escaped(it.what), escaped(&it.wanted));
        let _ = write!(
            html,
            "<tr class='{class}'><td>{what}<td>{wanted}<td>{}<td>{verdict}",
            escaped(found)
        );
    }
    html + "</table>"
}

fn measurement(results: &Results) -> String {
    let mut html = format!(
        "<section id='{0}'><h2>{0}</h2><p>{1}</p>",
        escaped(&results.label),
        escaped(&results.title)
    );
    let columns = Scenario::named(&results.scenario).map_or(&[][..], Scenario::columns);
    for (figure, heading, form) in columns.iter().take(2).copied() {
        let bars = svg::bars(results, figure, |value| table::written(value, form));
        if !bars.is_empty() {
            let _ = write!(html, "<h3>{}</h3>{bars}", escaped(heading));
        }
    }
    let curves = svg::curves(results);
    if !curves.is_empty() {
        let _ = write!(
            html,
            "<h3>time of one {}, by percentile</h3>{curves}",
            results.unit
        );
    }
    html += &figures(results, columns);
    for warning in warnings::of(results) {
        let _ = write!(html, "<p class='warning'>{}</p>", escaped(&warning));
    }
    let (command, at) = (escaped(&results.command), escaped(&results.at));
    let _ = write!(html, "<p><code>{command}</code>, {at}</p></section>");
    html
}

/// Every column, every side: the median, and the spread below it.
fn figures(results: &Results, columns: &[Column]) -> String {
    let mut html = "<table><tr><th>".to_owned();
    for (_, heading, _) in columns {
        let _ = write!(html, "<th>{}", escaped(heading));
    }
    for side in &results.sides {
        let _ = write!(html, "<tr><td>{}", escaped(&side.name));
        for (figure, _, form) in columns {
            let Some(spread) = side.figure(figure) else {
                html += "<td>–";
                continue;
            };
            let write = |value: f64, form: Form| escaped(&table::written(value, form));
            let (least, most) = (write(spread.least, *form), write(spread.most, *form));
            let median = write(spread.median, *form);
            let _ = write!(html, "<td>{median}<br><small>{least} – {most}</small>");
        }
    }
    html + "</table>"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::samples;

    #[test]
    fn a_page_stands_alone() {
        let all = [samples::results(
            "beacon",
            &[("halobestie", &[5, 6]), ("hyper", &[7])],
        )];
        let page = page(&all, "a machine & its <cores>");
        assert!(page.contains("a machine &amp; its &lt;cores&gt;"));
        assert_eq!(page.matches("<svg").count(), 3, "two figures and the times");
        for loaded in ["http://", "https://", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(loaded), "{loaded}");
        }
    }
}
