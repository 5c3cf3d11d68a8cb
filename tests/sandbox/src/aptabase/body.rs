//! What Aptabase takes as an event, and what it drops.

use std::time::Duration;

use halobestie_core::timestamp::Timestamp;
use serde_json::{Map, Value};

/// Older events are dropped.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// A session that says when it began may not be older.
const SESSION_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// Clocks differ.
const AHEAD_MAX: Duration = Duration::from_secs(10 * 60);
/// Digits of chance behind the seconds of such a session.
const SESSION_CHANCE: u64 = 100_000_000;

/// The texts about the sender, their lengths at most, and whether they must be there.
const SYSTEM: &[(&str, usize, bool)] = &[
    ("osName", 30, false),
    ("osVersion", 100, false),
    ("locale", 10, false),
    ("appVersion", 50, false),
    ("appBuildNumber", 20, false),
    ("engineName", 30, false),
    ("engineVersion", 30, false),
    ("sdkVersion", 40, true),
    ("deviceModel", 100, false),
];

/// Why an event is dropped; none where it is taken.
pub(super) fn trouble(event: &Value, now: Timestamp) -> Option<String> {
    let Some(event) = event.as_object() else {
        return Some("an event is an object".to_owned());
    };
    let known = [
        "timestamp",
        "sessionId",
        "eventName",
        "systemProps",
        "props",
    ];
    if let Some(name) = event.keys().find(|name| !known.contains(&name.as_str())) {
        return Some(format!("{name} is unknown"));
    }
    text(event, "eventName", 60, true)
        .or_else(|| text(event, "sessionId", 36, true))
        .or_else(|| session(event.get("sessionId")?.as_str()?, now))
        .or_else(|| time(event.get("timestamp"), now))
        .or_else(|| system(event.get("systemProps")))
        .or_else(|| props(event.get("props")))
}

fn text(of: &Map<String, Value>, name: &str, most: usize, required: bool) -> Option<String> {
    match of.get(name) {
        None | Some(Value::Null) => required.then(|| format!("{name} is missing")),
        Some(Value::String(text)) if required && text.is_empty() => {
            Some(format!("{name} is empty"))
        }
        Some(Value::String(text)) if text.chars().count() <= most => None,
        Some(_) => Some(format!("{name} is no text of at most {most} characters")),
    }
}

fn session(id: &str, now: Timestamp) -> Option<String> {
    let began = id.parse::<u64>().ok()? / SESSION_CHANCE;
    let began = Timestamp::from_unix_ms(i64::try_from(began).ok()?.saturating_mul(1000));
    let is_wrong = now.since(began) > SESSION_AGE_MAX || began.since(now) > AHEAD_MAX;
    is_wrong.then(|| "sessionId is of another time".to_owned())
}

fn time(timestamp: Option<&Value>, now: Timestamp) -> Option<String> {
    let at = timestamp.and_then(Value::as_str).and_then(Timestamp::parse);
    match at {
        None => Some("timestamp is none".to_owned()),
        Some(at) if now.since(at) > AGE_MAX => Some("timestamp is older than a day".to_owned()),
        Some(_) => None,
    }
}

fn system(props: Option<&Value>) -> Option<String> {
    let Some(props) = props.and_then(Value::as_object) else {
        return Some("systemProps is missing".to_owned());
    };
    if props.get("isDebug").is_some_and(|it| !it.is_boolean()) {
        return Some("isDebug is no boolean".to_owned());
    }
    SYSTEM
        .iter()
        .find_map(|(name, most, required)| text(props, name, *most, *required))
}

fn props(props: Option<&Value>) -> Option<String> {
    let props = match props {
        None | Some(Value::Null) => return None,
        Some(Value::Object(props)) => props,
        Some(_) => return Some("props is no object".to_owned()),
    };
    let wrong = props
        .iter()
        .find(|(name, value)| name.chars().count() > 40 || value.is_array() || value.is_object());
    wrong.map(|(name, _)| format!("props.{name} is too long, or no plain value"))
}
