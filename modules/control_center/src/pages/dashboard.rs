//! The dashboard: what goes on, each with its last hour, and the state of what the service stands on.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};

use super::frame::{DASHBOARD, Frame};
use super::lights::{self, Light};
use super::svg::Chart;
use super::{Done, page, when};
use crate::act::Caller;
use crate::figures::DashboardFigures;
use crate::state::State;
use crate::store::{self, Minute};

const HOUR: Duration = Duration::from_secs(3600);

/// A figure with its last hour.
struct Tile {
    name: &'static str,
    value: String,
    /// What else there is to say.
    note: Option<String>,
    /// Where more of it is shown.
    more: Option<&'static str>,
    chart: Chart,
}

#[derive(Template)]
#[template(path = "pages/dashboard.html")]
struct Dashboard {
    frame: Frame,
    moving: Moving,
}

/// The part that is fetched again and again.
#[derive(Template)]
#[template(path = "pages/dashboard_figures.html")]
struct Moving {
    tiles: Vec<Tile>,
    lights: Vec<Light>,
    as_of: halobestie_core::Timestamp,
}

impl askama::filters::HtmlSafe for Moving {}

/// The page.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let done: Done = req.query().unwrap_or_default();
    let frame = Frame::new(&caller.admin, DASHBOARD, "Dashboard").notice(done.text());
    let moving = moving(&state).await?;
    page(&Dashboard { frame, moving })
}

/// The moving part alone.
pub(crate) async fn figures(state: Arc<State>, _: Caller, _: Request) -> Reply {
    page(&moving(&state).await?)
}

async fn moving(state: &State) -> Result<Moving, Problem> {
    let now = state.clock.now();
    let figures = state.figures.current().await?;
    let minutes = store::minutes(&state.db, now - HOUR).await?;
    Ok(Moving {
        tiles: tiles(&figures, &minutes, now),
        lights: lights::all(state).await,
        as_of: now,
    })
}

fn tiles(
    figures: &DashboardFigures,
    minutes: &[Minute],
    now: halobestie_core::Timestamp,
) -> Vec<Tile> {
    type Read = fn(&DashboardFigures) -> i64;
    let tile = |name, read: Read, more, shown: fn(i64) -> String| Tile {
        name,
        value: shown(read(figures)),
        note: None,
        more,
        chart: Chart {
            name,
            since: now - HOUR,
            until: now,
            points: minutes
                .iter()
                .map(|it| (it.at, read(&it.figures)))
                .collect(),
            shown,
        },
    };
    let count = |name, read: Read, more| tile(name, read, more, grouped);
    let mut tiles = vec![
        count("online mitras", |it| it.online_mitras, Some("/mitras")),
        count(
            "available mitras",
            |it| it.available_mitras,
            Some("/mitras?standing=available"),
        ),
        count(
            "active sessions",
            |it| it.active_sessions,
            Some("/sessions?status=active"),
        ),
        count(
            "waiting for payment",
            |it| it.pending_payment_sessions,
            Some("/sessions?status=pending_payment"),
        ),
        count(
            "searching requests",
            |it| it.searching_requests,
            Some("/requests?status=searching"),
        ),
        count("messages a minute", |it| it.messages_last_minute, None),
    ];
    let mut paid = tile(
        "paid today",
        |it| it.paid_today.amount,
        Some("/payments"),
        rupiah,
    );
    paid.note = match figures.paid_today.count {
        1 => Some("by 1 payment".to_owned()),
        count => Some(format!("by {} payments", grouped(count))),
    };
    tiles.push(paid);
    tiles
}

/// An amount as it is written in Indonesia: `Rp 25.000`.
pub(crate) fn rupiah(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    // What is too great for the type is too great for any price.
    let amount = amount.checked_abs().unwrap_or(i64::MAX);
    format!("{sign}Rp {}", grouped(amount))
}

/// A number with a dot before every three digits.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupiah_are_written_with_dots() {
        assert_eq!(rupiah(0), "Rp 0");
        assert_eq!(rupiah(999), "Rp 999");
        assert_eq!(rupiah(25_000), "Rp 25.000");
        assert_eq!(rupiah(-1_234_567), "-Rp 1.234.567");
    }
}
