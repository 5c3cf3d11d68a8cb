//! The dashboard: what goes on, each with its last hour, and the state of what the service stands on.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use halobestie_core::readiness::Check;

use super::frame::{DASHBOARD, Frame};
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
    /// Where more of it is shown.
    more: Option<&'static str>,
    chart: Chart,
}

/// The state of something that the service stands on.
struct Light {
    name: &'static str,
    check: Check,
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
    let report = state.readiness()?.report().await;
    let lights = report.checks.into_iter();
    Ok(Moving {
        tiles: tiles(&figures, &minutes, now),
        lights: lights.map(|(name, check)| Light { name, check }).collect(),
        as_of: now,
    })
}

fn tiles(
    figures: &DashboardFigures,
    minutes: &[Minute],
    now: halobestie_core::Timestamp,
) -> Vec<Tile> {
    type Read = fn(&DashboardFigures) -> i64;
    let tile = |name, read: Read, more| Tile {
        name,
        value: read(figures).to_string(),
        more,
        chart: Chart {
            name,
            since: now - HOUR,
            until: now,
            points: minutes
                .iter()
                .map(|it| (it.at, read(&it.figures)))
                .collect(),
        },
    };
    let mut tiles = vec![
        tile("online mitras", |it| it.online_mitras, None),
        tile("available mitras", |it| it.available_mitras, None),
        tile("active sessions", |it| it.active_sessions, None),
        tile(
            "waiting for payment",
            |it| it.pending_payment_sessions,
            None,
        ),
        tile("searching requests", |it| it.searching_requests, None),
        tile("messages a minute", |it| it.messages_last_minute, None),
        tile("paid today", |it| it.paid_today.amount, None),
    ];
    if let Some(paid) = tiles.last_mut() {
        let count = figures.paid_today.count;
        paid.value = format!("{} ({count})", rupiah(figures.paid_today.amount));
    }
    tiles
}

/// An amount as it is written in Indonesia: `Rp 25.000`.
pub(crate) fn rupiah(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}Rp {text}")
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
