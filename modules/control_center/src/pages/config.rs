//! Runtime configuration: what can be changed while the service runs, as forms made from the types.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::Window;
use http::StatusCode;
use serde_json::Value;

use super::form::{Wrongs, refused};
use super::frame::{CONFIG, Frame};
use super::list::{Asked, ListView};
use super::setting_form::{self, SettingForm};
use super::{Done, page, page_with, see, when};
use crate::act::Caller;
use crate::acts::config as acts;
use crate::api::config::{SettingChange, SettingView, find, history_of, list_of};
use crate::error::SETTING_CHANGED;
use crate::state::State;

/// How many changes a page shows.
const CHANGES: i64 = 20;

#[derive(Template)]
#[template(path = "pages/config.html")]
struct Config {
    frame: Frame,
    list: ListView,
    settings: Vec<SettingView>,
}

/// The list. There are few enough that all are read, and filtered here.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let asked = Asked::of(&req)?;
    let mut settings = list_of(&state).await?;
    if let Some(wanted) = asked.get("q").map(str::to_lowercase) {
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        settings.retain(|it| has(it.key) || has(it.description));
    }
    let list = ListView::new(asked, None).text("q", "Search", "pairing or price");
    page(&Config {
        frame: Frame::new(&caller.admin, CONFIG, "Configuration"),
        list,
        settings,
    })
}

#[derive(Template)]
#[template(path = "pages/setting.html")]
struct Setting {
    frame: Frame,
    setting: SettingView,
    form: SettingForm,
    wrong: Option<String>,
    may_change: bool,
    /// Whether what the form holds is not what is kept.
    is_draft: bool,
    /// The value that is to be replaced: whoever else replaces it first is not overwritten.
    was: String,
    history: ListView,
    changes: Vec<SettingChange>,
}

/// What the form holds, where that is not what is kept.
struct Draft {
    value: Value,
    wrongs: Wrongs,
    /// The value that it was made from, as the form holds it.
    was: String,
}

/// One setting with its history.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (asked, done) = (Asked::of(&req)?, req.query::<Done>().unwrap_or_default());
    let key: String = req.param("key")?;
    let mut shown = of(&state, &caller, &key, asked, None).await?;
    shown.frame = shown.frame.notice(done.text());
    page(&shown)
}

async fn of(
    state: &State,
    caller: &Caller,
    key: &str,
    asked: Asked,
    draft: Option<Draft>,
) -> Result<Setting, Problem> {
    let setting = find(state, key).await?;
    let window = Window {
        limit: CHANGES,
        ..asked.window()?
    };
    let (changes, next) = history_of(state, key, window).await?;
    let may_change = caller.may(setting.changed_by);
    let is_draft = draft.is_some();
    let draft = draft.unwrap_or_else(|| Draft {
        value: setting.value.clone(),
        wrongs: Wrongs::default(),
        was: setting.value.to_string(),
    });
    let Draft { value, wrongs, was } = draft;
    let form = SettingForm::of(&setting.schema, &value, &wrongs, !may_change);
    Ok(Setting {
        frame: Frame::new(&caller.admin, CONFIG, setting.key),
        wrong: wrongs.besides(&form.fields()),
        form,
        setting,
        may_change,
        is_draft,
        was,
        history: ListView::new(asked, next),
        changes,
    })
}

/// What a button of the form asks for.
#[derive(Debug, PartialEq, Eq)]
enum Button {
    Save,
    /// A row more.
    Add,
    /// Without this row.
    Remove(usize),
    /// This row before the one above it.
    Up(usize),
    /// The default in place of what is there.
    Default,
}

impl Button {
    fn parse(text: &str) -> Option<Self> {
        let (name, row) = text.split_once(':').unwrap_or((text, ""));
        let row = row.parse();
        match name {
            "save" => Some(Self::Save),
            "add" => Some(Self::Add),
            "default" => Some(Self::Default),
            "remove" => row.ok().map(Self::Remove),
            "up" => row.ok().map(Self::Up),
            _ => None,
        }
    }

    /// What the form holds after it; nothing is kept by it.
    fn pressed(&self, value: &mut Value, setting: &SettingView) {
        if *self == Self::Default {
            *value = setting.default.clone();
        }
        let Some(rows) = value.as_array_mut() else {
            return;
        };
        match *self {
            Self::Add => rows.push(setting_form::empty_item(&setting.schema)),
            Self::Remove(at) if at < rows.len() => {
                rows.remove(at);
            }
            Self::Up(at) if at > 0 && at < rows.len() => rows.swap(at, at - 1),
            _ => {}
        }
    }
}

/// What the form sends: a value to keep, or a row more or less of it.
pub(crate) async fn set(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let (key, asked): (String, _) = (req.param("key")?, Asked::of(&req)?);
    let pairs: Vec<(String, String)> = req.form().await?;
    let button = pairs.iter().find(|(name, _)| name == "button");
    let button = button.map_or(Some(Button::Save), |(_, text)| Button::parse(text));
    let button = button.ok_or_else(|| Problem::invalid("button", "is none of this form's"))?;
    let setting = find(&state, &key).await?;
    let (mut value, wrongs) = setting_form::read(&setting.schema, &pairs);
    let was = pairs.into_iter().find(|(name, _)| name == "was");
    let was = was.map_or_else(|| setting.value.to_string(), |(_, text)| text);
    if button != Button::Save {
        button.pressed(&mut value, &setting);
        let wrongs = Wrongs::default();
        let draft = Draft { value, wrongs, was };
        return page(&of(&state, &caller, &key, asked, Some(draft)).await?);
    }
    let (status, wrongs) = match (wrongs.fields.is_empty(), caller.may(setting.changed_by)) {
        // Who may not change it learns that, whatever they wrote.
        (false, true) => (StatusCode::UNPROCESSABLE_ENTITY, wrongs),
        _ => match acts::set(&state, &caller, &key, (&value, read_was(&was)?.as_ref())).await {
            Ok(_) => return see(&format!("{CONFIG}/{key}?done=saved")),
            Err(problem) if problem.code() == &SETTING_CHANGED => {
                return overtaken(&state, &caller, &key, asked).await;
            }
            Err(problem) => refused(problem)?,
        },
    };
    let draft = Draft { value, wrongs, was };
    page_with(
        status,
        &of(&state, &caller, &key, asked, Some(draft)).await?,
    )
}

fn read_was(text: &str) -> Result<Option<Value>, Problem> {
    let none = |_| Problem::invalid("was", "is none of this form's");
    serde_json::from_str(text).map(Some).map_err(none)
}

/// Somebody else was faster: what is kept now, to begin anew from.
async fn overtaken(state: &State, caller: &Caller, key: &str, asked: Asked) -> Reply {
    let mut shown = of(state, caller, key, asked, None).await?;
    let by = shown.setting.updated_by.as_ref();
    let who = by.map_or("Somebody else", |it| it.display_name.as_str());
    shown.wrong = Some(format!(
        "Not saved: {who} has changed this meanwhile. Here is what is kept now; change it again."
    ));
    page_with(StatusCode::CONFLICT, &shown)
}

/// A value in lines: an item of a list each.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(line).collect(),
        other => vec![line(other)],
    }
}

fn line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name} {}", line(value));
            members.iter().map(member).collect::<Vec<_>>().join(" · ")
        }
        other => other.to_string(),
    }
}

/// What a change took away, and what it brought.
fn difference(change: &SettingChange) -> (Vec<String>, Vec<String>) {
    let all = |value: &Option<Value>| value.as_ref().map(lines).unwrap_or_default();
    let (from, to) = (all(&change.from), all(&change.to));
    let not_in = |these: &[String], those: &[String]| -> Vec<String> {
        let new = these.iter().filter(|it| !those.contains(it));
        new.cloned().collect()
    };
    let (gone, come) = (not_in(&from, &to), not_in(&to, &from));
    if gone.is_empty() && come.is_empty() {
        // The same in another order.
        return (from, to);
    }
    (gone, come)
}

#[cfg(test)]
mod tests {
    use halobestie_core::Timestamp;
    use halobestie_core::audit::Actor;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_button_is_one_of_the_forms() {
        assert_eq!(Button::parse("save"), Some(Button::Save));
        assert_eq!(Button::parse("remove:3"), Some(Button::Remove(3)));
        assert_eq!(Button::parse("remove:x"), None);
        assert_eq!(Button::parse("drop"), None);
    }

    #[test]
    fn a_change_shows_what_is_different_alone() {
        let change = SettingChange {
            at: Timestamp::from_unix_ms(0),
            admin: Actor {
                id: Uuid::nil(),
                display_name: "Ratu".to_owned(),
            },
            from: Some(json!([{"id": "5m", "amount": 1}, {"id": "9m", "amount": 2}])),
            to: Some(json!([{"id": "5m", "amount": 3}, {"id": "9m", "amount": 2}])),
        };
        let (from, to) = difference(&change);
        assert_eq!(from, ["amount 1 · id 5m"]);
        assert_eq!(to, ["amount 3 · id 5m"]);
    }
}
