//! A measurement as a table, in the terminal and in Markdown alike.

use super::warnings;
use crate::results::{Results, Spread};
use crate::scenarios::{Column, Form, Scenario};

/// The table of a measurement, with what is to be said of it below.
pub(crate) fn of(scenario: Scenario, results: &Results) -> String {
    let columns: Vec<Column> = scenario
        .columns()
        .iter()
        .filter(|(figure, ..)| {
            results
                .sides
                .iter()
                .any(|side| side.figure(figure).is_some())
        })
        .copied()
        .collect();
    let mut rows = vec![heading(&columns)];
    rows.extend(results.sides.iter().map(|side| {
        let cells = columns.iter().map(|(figure, _, form)| {
            let spread = side.figure(figure);
            spread.map_or_else(|| "–".to_owned(), |it| cell(it, *form))
        });
        std::iter::once(side.name.clone()).chain(cells).collect()
    }));
    let mut text = lines(&rows);
    for warning in warnings::of(results) {
        text += &format!("\n- {warning}");
    }
    text
}

fn heading(columns: &[Column]) -> Vec<String> {
    let headings = columns.iter().map(|(_, heading, _)| (*heading).to_owned());
    std::iter::once("median (least – most)".to_owned())
        .chain(headings)
        .collect()
}

/// A table of Markdown whose columns are aligned for those who read it as it is.
pub(super) fn lines(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .max(3)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &[String]| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths
        .iter()
        .map(|width| "-".repeat(*width))
        .collect::<Vec<_>>();
    let mut lines: Vec<String> = rows.iter().map(|row| line(row)).collect();
    if !lines.is_empty() {
        lines.insert(1, format!("|-{}-|", rule.join("-|-")));
    }
    lines.join("\n") + "\n"
}

fn cell(spread: Spread, form: Form) -> String {
    let write = |value| written(value, form);
    if spread.least == spread.most {
        return write(spread.median);
    }
    let (median, least, most) = (
        write(spread.median),
        write(spread.least),
        write(spread.most),
    );
    format!("{median} ({least} – {most})")
}

/// A figure as it is read.
pub(super) fn written(value: f64, form: Form) -> String {
    match form {
        Form::Count => grouped(value),
        Form::Millis if value < 10_000.0 => format!("{:.2}", value / 1000.0),
        Form::Millis => format!("{:.0}", value / 1000.0),
        Form::Tenths => format!("{value:.1}"),
        Form::Share => format!("{:.0} %", value * 100.0),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::samples;

    #[test]
    fn figures_are_written_as_they_are_read() {
        assert_eq!(written(1_234_567.4, Form::Count), "1,234,567");
        assert_eq!(written(12.0, Form::Count), "12");
        assert_eq!(written(1234.0, Form::Millis), "1.23");
        assert_eq!(written(61_700.0, Form::Millis), "62");
        assert_eq!(written(0.876, Form::Share), "88 %");
    }

    #[test]
    fn a_table_shows_medians_and_what_is_around_them() {
        let sides: [(&str, &[u64]); 2] = [("ours", &[1000, 3000, 2000]), ("theirs", &[7])];
        let table = of(Scenario::Beacon, &samples::results("beacon", &sides));
        assert!(table.contains("| 2,000 (1,000 – 3,000) |"), "{table}");
        let widths: Vec<usize> = table
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.chars().count())
            .collect();
        assert_eq!(widths.len(), 4);
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }

    #[test]
    fn a_column_that_nobody_has_is_left_out() {
        let table = of(Scenario::Idle, &samples::results("idle", &[("ours", &[1])]));
        assert!(!table.contains("resident"), "{table}");
    }
}
