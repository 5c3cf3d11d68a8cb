//! The audit: who did what.

use std::sync::Arc;

use askama::Template;
use halobestie_core::audit::{Filter, Recorded};
use halobestie_core::http::{Reply, Request};
use serde_json::Value;

use super::frame::{AUDIT, Frame};
use super::list::{Asked, ListView};
use super::{page, when};
use crate::act::Caller;
use crate::api::audit::list_of;
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/audit.html")]
struct Audit {
    frame: Frame,
    list: ListView,
    deeds: Vec<Recorded>,
}

/// The page.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let asked = Asked::of(&req)?;
    let filter = Filter {
        action: asked.get("action").map(ToOwned::to_owned),
        subject: asked.get("subject").map(ToOwned::to_owned),
        admin_id: asked.read("admin_id", |text| text.parse().ok())?,
    };
    let (deeds, next) = list_of(&state, &filter, asked.window()?).await?;
    let list = ListView::new(asked, next)
        .choice("action", "What", kinds())
        .text("subject", "To what", "mitra:… or config:packages")
        .text("admin_id", "By whom", "an admin's id")
        .days();
    page(&Audit {
        frame: Frame::new(&caller.admin, AUDIT, "Audit"),
        list,
        deeds,
    })
}

/// The kinds of what admins do.
fn kinds() -> Vec<(&'static str, &'static str)> {
    vec![
        ("admin", "admins"),
        ("config", "configuration"),
        ("customer", "customers"),
        ("mitra", "mitras"),
        ("payment", "payments"),
        ("report", "reports"),
        ("session", "sessions"),
        ("sweep", "sweeps"),
    ]
}

/// A value as people read it.
fn shown(value: &Option<Value>) -> String {
    let value = value.as_ref();
    value.map_or_else(String::new, |it| {
        serde_json::to_string_pretty(it).unwrap_or_default()
    })
}
