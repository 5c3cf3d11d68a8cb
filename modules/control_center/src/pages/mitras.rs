//! Mitras: who there is, how they stand, and one page for each.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::Standing;
use halobestie_core::{Problem, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::confirm::Confirm;
use super::form::{Field, Kind, Wrongs, refused};
use super::frame::{Frame, MITRAS};
use super::list::{Asked, ListView};
use super::{Done, page, page_with, see, when};
use crate::act::Caller;
use crate::acts::mitras::{self as acts, MitraChange, NewMitra};
use crate::api::mitras::{MitraFilter, MitraView, find, list_of, order};
use crate::state::State;

/// As many sessions at once as the forms offer; the act checks it.
const SESSIONS: Kind = Kind::Number(Some(0), Some(100));
const NAME_CHARS: u64 = 50;

#[derive(Template)]
#[template(path = "pages/mitras.html")]
struct Mitras {
    frame: Frame,
    list: ListView,
    mitras: Vec<MitraView>,
}

/// The list.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (asked, done) = (Asked::of(&req)?, req.query::<Done>().unwrap_or_default());
    let filter = MitraFilter {
        search: asked.get("q").map(ToOwned::to_owned),
        standing: asked.read("standing", Standing::parse)?,
        order: asked.read("sort", order)?.unwrap_or_default(),
    };
    let (mitras, next) = list_of(&state, &filter, asked.after, asked.limit).await?;
    let standings = Standing::ALL.map(|it| (it.as_str(), it.as_str()));
    let list = ListView::new(asked, next)
        .text("q", "Search", "a name or a phone")
        .choice("standing", "Standing", standings.to_vec());
    page(&Mitras {
        frame: Frame::new(&caller.admin, MITRAS, "Mitras").notice(done.text()),
        list,
        mitras,
    })
}

#[derive(Template)]
#[template(path = "pages/mitra_new.html")]
struct New {
    frame: Frame,
    fields: Vec<Field>,
    wrong: Option<String>,
}

/// What the form for a new mitra sends.
#[derive(Debug, Default, Deserialize)]
struct NewForm {
    phone: String,
    display_name: String,
    #[serde(default)]
    max_sessions: String,
}

impl NewForm {
    fn page(&self, caller: &Caller, wrongs: &Wrongs) -> New {
        let fields = vec![
            Field::new("phone", "Phone", Kind::Line("tel"))
                .holding(&self.phone)
                .hint("They sign in by a code to this number: 0812 3456 7890 or +62…")
                .required(),
            name_field().holding(&self.display_name),
            Field::new("max_sessions", "Sessions at once", SESSIONS)
                .holding(&self.max_sessions)
                .hint("0 to 100. Left empty, the server's default holds."),
        ];
        let fields: Vec<Field> = fields.into_iter().map(|it| it.judged(wrongs)).collect();
        New {
            frame: Frame::new(&caller.admin, MITRAS, "Add a mitra"),
            wrong: wrongs.besides(&fields),
            fields,
        }
    }
}

fn name_field() -> Field {
    Field::new("display_name", "Name", Kind::Line("text"))
        .hint("What customers see, 1 to 50 characters.")
        .at_most(Some(NAME_CHARS))
        .required()
}

/// The form for a new one.
pub(crate) async fn form(_: Arc<State>, caller: Caller, _: Request) -> Reply {
    page(&NewForm::default().page(&caller, &Wrongs::default()))
}

/// What that form sends.
pub(crate) async fn create(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let form: NewForm = req.form().await?;
    let made = async {
        let new = NewMitra {
            phone: form.phone.clone(),
            display_name: form.display_name.clone(),
            max_sessions: number("max_sessions", &form.max_sessions)?,
        };
        acts::create(&state, &caller, &new).await
    };
    match made.await {
        Ok(id) => see(&format!("{MITRAS}/{id}?done=made")),
        Err(problem) => {
            let (status, wrongs) = refused(problem)?;
            page_with(status, &form.page(&caller, &wrongs))
        }
    }
}

#[derive(Template)]
#[template(path = "pages/mitra.html")]
struct Mitra {
    frame: Frame,
    mitra: MitraView,
    fields: Vec<Field>,
    wrong: Option<String>,
    switch: Confirm,
}

/// What the form of one mitra sends.
#[derive(Debug, Deserialize)]
struct EditForm {
    display_name: String,
    #[serde(default)]
    max_sessions: String,
}

/// One mitra.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let done: Done = req.query().unwrap_or_default();
    let mitra = find(&state, req.param("id")?).await?;
    let mut page_of = of(&caller, mitra, None, &Wrongs::default());
    page_of.frame = page_of.frame.notice(done.text());
    page(&page_of)
}

fn of(caller: &Caller, mitra: MitraView, sent: Option<&EditForm>, wrongs: &Wrongs) -> Mitra {
    let name = sent.map_or(&mitra.display_name, |it| &it.display_name);
    let kept = mitra.max_sessions.map(|it| it.to_string());
    let most = sent.map_or(kept.unwrap_or_default(), |it| it.max_sessions.clone());
    let mut fields = vec![name_field().holding(name)];
    // Without the module that keeps seats there is nothing to limit.
    if mitra.max_sessions.is_some() {
        let hint = "0 to 100. Sessions above a lowered limit go on.";
        let field = Field::new("max_sessions", "Sessions at once", SESSIONS);
        fields.push(field.holding(most).hint(hint).required());
    }
    let fields: Vec<Field> = fields.into_iter().map(|it| it.judged(wrongs)).collect();
    Mitra {
        frame: Frame::new(&caller.admin, MITRAS, &mitra.display_name),
        switch: switch(&mitra),
        wrong: wrongs.besides(&fields),
        fields,
        mitra,
    }
}

fn switch(mitra: &MitraView) -> Confirm {
    let (id, name) = (mitra.id, &mitra.display_name);
    let (button, consequence) = if mitra.is_active {
        let going = match mitra.in_use {
            Some(0) | None => "They have no session at the moment.".to_owned(),
            Some(1) => "Their session is offered to others, with its remaining time.".to_owned(),
            Some(many) => {
                format!("Their {many} sessions are offered to others, with their remaining time.")
            }
        };
        let text = "They are signed out everywhere at once, go offline and get no more requests.";
        (
            "Deactivate",
            format!("{text} {going} You can activate them again."),
        )
    } else {
        let text = "They can sign in again, and get requests as soon as they go online.";
        ("Activate", text.to_owned())
    };
    Confirm {
        id: "switch".to_owned(),
        button,
        question: format!("{button} {name}?"),
        consequence,
        action: format!("{MITRAS}/{id}/active"),
        hidden: vec![("is_active", (!mitra.is_active).to_string())],
        asked: Vec::new(),
        is_danger: mitra.is_active,
    }
}

/// What the form of one sends.
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let form: EditForm = req.form().await?;
    let changed = async {
        let change = MitraChange {
            display_name: Some(form.display_name.clone()),
            max_sessions: number("max_sessions", &form.max_sessions)?,
            is_active: None,
        };
        acts::change(&state, &caller, id, &change).await
    };
    match changed.await {
        Ok(()) => see(&format!("{MITRAS}/{id}?done=saved")),
        Err(problem) => {
            let (status, wrongs) = refused(problem)?;
            let mitra = find(&state, id).await?;
            page_with(status, &of(&caller, mitra, Some(&form), &wrongs))
        }
    }
}

/// What a switch sends.
#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    pub(super) is_active: bool,
}

impl Switch {
    /// What the page says afterwards.
    pub(super) fn done(&self) -> &'static str {
        if self.is_active {
            "activated"
        } else {
            "deactivated"
        }
    }
}

/// Activates or deactivates one.
pub(crate) async fn switched(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let switch: Switch = req.form().await?;
    let change = MitraChange {
        is_active: Some(switch.is_active),
        ..MitraChange::default()
    };
    acts::change(&state, &caller, id, &change).await?;
    see(&format!("{MITRAS}/{id}?done={}", switch.done()))
}

fn number(field: &str, text: &str) -> Result<Option<i32>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| Problem::invalid(field, "must be a whole number");
    text.parse().map(Some).map_err(wrong)
}

/// The tag of a standing.
fn tag(standing: &Standing) -> &'static str {
    match standing {
        Standing::Available => "good",
        Standing::Full => "warn",
        Standing::Silent | Standing::Deactivated => "bad",
        Standing::Offline => "plain",
    }
}

/// Why a mitra cannot be asked, in a sentence; or that they can.
fn why(mitra: &MitraView) -> String {
    let Some(standing) = mitra.standing else {
        return "This server runs without the module that knows.".to_owned();
    };
    match standing {
        Standing::Available => "Online, heard from lately, and below their limit.".to_owned(),
        Standing::Full if mitra.max_sessions == Some(0) => "Their limit is 0 sessions.".to_owned(),
        Standing::Full => "They have as many sessions as they may.".to_owned(),
        Standing::Silent => "Online, but their phone has not been heard from for too long.".into(),
        Standing::Offline => match seen(mitra.last_used_at, mitra.last_heartbeat_at) {
            true => "They are offline: they have switched themselves so, or were not heard from for so long \
                      that the server did."
                .to_owned(),
            false => "They have never signed in.".to_owned(),
        },
        Standing::Deactivated => "An admin has deactivated them.".to_owned(),
    }
}

fn seen(used: Option<Timestamp>, heard: Option<Timestamp>) -> bool {
    used.is_some() || heard.is_some()
}
