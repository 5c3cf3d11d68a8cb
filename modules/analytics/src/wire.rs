//! What is said to Aptabase (`POST /api/v0/events`), and what its answers mean.
//!
//! Lengths are Aptabase's: it drops an event that is over one of them and answers 200 all the same, so
//! they are kept here. It splits values into texts and numbers; a text is cut at 180 characters there.

use std::time::Duration;

use halobestie_core::openapi::Title;
use halobestie_core::outbound::reqwest::StatusCode;
use halobestie_core::ports::AnalyticsValue;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::event::Told;

/// Events of one call.
pub(crate) const BATCH: usize = 25;
/// Aptabase drops what is older than a day; so do we, and say so.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(23 * 3600);

const NAME_CHARS_MAX: usize = 60;
const PROP_CHARS_MAX: usize = 40;
const VERSION_CHARS_MAX: usize = 20;
const SDK: &str = concat!("halobestie-analytics@", env!("CARGO_PKG_VERSION"));

/// What is the same for all events of a process.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct System {
    /// Kept apart from the rest by Aptabase.
    pub(crate) is_debug: bool,
    os_name: &'static str,
    app_version: String,
    sdk_version: &'static str,
}

impl System {
    pub(crate) fn new(title: &Title, is_debug: bool) -> Self {
        Self {
            is_debug,
            os_name: std::env::consts::OS,
            app_version: cut(title.version, VERSION_CHARS_MAX),
            sdk_version: SDK,
        }
    }
}

/// An event as Aptabase takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body<'a> {
    timestamp: String,
    session_id: &'a str,
    event_name: String,
    system_props: &'a System,
    #[serde(serialize_with = "props")]
    props: &'a [(&'static str, AnalyticsValue)],
}

impl<'a> Body<'a> {
    pub(crate) fn of(told: &'a Told, session_id: &'a str, system: &'a System) -> Self {
        Self {
            timestamp: told.at.to_string(),
            session_id,
            event_name: cut(told.event.name, NAME_CHARS_MAX),
            system_props: system,
            props: &told.event.props,
        }
    }
}

fn props<S: Serializer>(
    props: &[(&'static str, AnalyticsValue)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let value = |value: &AnalyticsValue| match *value {
        AnalyticsValue::Text(text) => Value::from(text),
        AnalyticsValue::Number(number) => Value::from(number),
        AnalyticsValue::Flag(flag) => Value::from(flag),
    };
    let props = props
        .iter()
        .map(|(name, it)| (cut(name, PROP_CHARS_MAX), value(it)));
    props.collect::<Map<String, Value>>().serialize(serializer)
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// What an answer means for the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It was taken.
    Taken,
    /// It may be taken later.
    Later,
    /// It never will be.
    Refused,
}

/// What this status means.
pub(crate) fn meaning(status: StatusCode) -> Meaning {
    match status {
        status if status.is_success() => Meaning::Taken,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Meaning::Later,
        status if status.is_server_error() => Meaning::Later,
        _ => Meaning::Refused,
    }
}

#[cfg(test)]
mod tests {
    use halobestie_core::Timestamp;
    use halobestie_core::ports::AnalyticsEvent;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_looks_as_aptabase_wants_it() {
        let title = Title {
            version: "1.2.3-something-long-behind-it",
            ..Title::default()
        };
        let system = System::new(&title, true);
        let event = AnalyticsEvent::new("file_kept")
            .number("points", 12.0)
            .text("kind", "inline")
            .flag("closed", false)
            .number("slope", f64::NAN);
        let told = Told {
            at: Timestamp::from_unix_ms(1_768_464_000_000),
            event,
        };
        let body = serde_json::to_value(Body::of(&told, "176846400012345678", &system)).unwrap();
        assert_eq!(
            body,
            json!({
                "timestamp": "2026-01-15T08:00:00.000Z",
                "sessionId": "176846400012345678",
                "eventName": "file_kept",
                "systemProps": {
                    "isDebug": true, "osName": std::env::consts::OS,
                    "appVersion": "1.2.3-something-long", "sdkVersion": SDK,
                },
                "props": {"points": 12.0, "kind": "inline", "closed": false},
            })
        );
        assert!(SDK.len() <= 40);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let of = |status| meaning(StatusCode::from_u16(status).unwrap());
        assert_eq!(of(200), Meaning::Taken);
        for later in [408, 429, 500, 502, 503] {
            assert_eq!(of(later), Meaning::Later, "{later}");
        }
        for refused in [301, 400, 401, 404, 413] {
            assert_eq!(of(refused), Meaning::Refused, "{refused}");
        }
    }
}
