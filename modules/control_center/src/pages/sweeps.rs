//! Sweeps: their last runs, and running one now.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use halobestie_core::sweep::Standing;

use super::confirm::Confirm;
use super::frame::{Frame, SWEEPS};
use super::{Done, page, see, when};
use crate::act::Caller;
use crate::acts::sweeps::{self as acts, Ran};
use crate::state::State;

/// A sweep, and the button that runs it.
struct Line {
    sweep: Standing,
    run: Confirm,
}

#[derive(Template)]
#[template(path = "pages/sweeps.html")]
struct Sweeps {
    frame: Frame,
    lines: Vec<Line>,
}

/// The page.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let done: Done = req.query().unwrap_or_default();
    let sweeps = state.runner()?.standings().await?;
    page(&Sweeps {
        frame: Frame::new(&caller.admin, SWEEPS, "Sweeps").notice(done.text()),
        lines: sweeps.into_iter().map(line).collect(),
    })
}

fn line(sweep: Standing) -> Line {
    let how = if sweep.alone {
        "One replica at a time runs it: nothing happens while another is at it."
    } else {
        "It is safe beside the runs of other replicas."
    };
    let name = &sweep.name;
    let run = Confirm {
        id: format!("run-{name}"),
        button: "Run now",
        question: format!("Run {name} now?"),
        consequence: format!(
            "It does at once what it does every {} s. {how}",
            sweep.every_seconds
        ),
        action: format!("/sweeps/{name}/run"),
        hidden: Vec::new(),
        asked: Vec::new(),
        is_danger: false,
    };
    Line { sweep, run }
}

/// What the button sends.
pub(crate) async fn run(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let name: String = req.param("name")?;
    match acts::run(&state, &caller, &name).await? {
        Ran::Ended => see("/sweeps?done=ran"),
        Ran::GoesOn => see("/sweeps?done=runs"),
    }
}
