//! The system: what runs, what it was built with, and how it is configured.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};

use super::frame::{Frame, SYSTEM};
use super::list::{Asked, ListView};
use super::{page, when};
use crate::act::Caller;
use crate::api::system::{SystemView, now};
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/system.html")]
struct System {
    frame: Frame,
    list: ListView,
    system: SystemView,
}

/// The page.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let asked = Asked::of(&req)?;
    let mut system = now(&state).await?;
    if let Some(wanted) = asked.get("q").map(str::to_lowercase) {
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let holds = |name: &Option<String>| name.as_deref().is_some_and(has);
        system
            .config
            .retain(|it| has(&it.key) || holds(&it.variable) || has(&it.origin));
    }
    if let Some(origin) = asked.get("set") {
        let is_set = origin == "set";
        system.config.retain(|it| is_set != is_default(&it.origin));
    }
    let list = ListView::new(asked, None)
        .text("q", "Search", "XENDIT or database.pool_size")
        .choice(
            "set",
            "Origin",
            vec![("set", "set"), ("default", "by default")],
        );
    page(&System {
        frame: Frame::new(&caller.admin, SYSTEM, "System"),
        list,
        system,
    })
}

/// Whether nobody has set a value.
fn is_default(origin: &str) -> bool {
    origin == "built in" || origin.ends_with("default.toml")
}
