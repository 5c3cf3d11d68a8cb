//! What FCM asks of a message beyond its schema.

use serde_json::{Map, Value};

use super::device::is_registration_token;
use super::errors::{refused, send_error};
use crate::upstream::Answer;

/// Keys and values together, in bytes.
const PAYLOAD_BYTES_MAX: usize = 4096;
const TOPIC_PAYLOAD_BYTES_MAX: usize = 2048;
/// 28 days.
const TTL_SECONDS_MAX: f64 = 2_419_200.0;
const COLLAPSE_ID_BYTES_MAX: usize = 64;

const PRIORITIES: &[&str] = &["normal", "high", "NORMAL", "HIGH"];

/// Where a message goes.
pub(super) struct Target<'a> {
    pub(super) is_token: bool,
    pub(super) name: &'a str,
}

/// The message's target, if all rules are kept.
pub(super) fn check(message: &Value) -> Result<Target<'_>, Answer> {
    let target = target(message)?;
    check_data(&message["data"], "message.data")?;
    check_data(&message["android"]["data"], "message.android.data")?;
    check_android(&message["android"])?;
    check_apns(&message["apns"])?;
    check_size(message, target.is_token)?;
    Ok(target)
}

fn target(message: &Value) -> Result<Target<'_>, Answer> {
    let named = |kind: &'static str| message[kind].as_str().map(|name| (kind, name));
    let mut targets = ["token", "topic", "condition", "fid"]
        .into_iter()
        .filter_map(named);
    let Some((kind, name)) = targets.next() else {
        return Err(refused("message", "Recipient of the message is not set."));
    };
    if targets.next().is_some() {
        let description = "Only one of token, topic, condition and fid can be set.";
        return Err(refused("message", description));
    }
    if kind == "token" && !is_registration_token(name) {
        return Err(send_error("INVALID_TOKEN", None));
    }
    Ok(Target {
        is_token: kind == "token",
        name,
    })
}

fn check_data(data: &Value, path: &str) -> Result<(), Answer> {
    let forbidden =
        |key: &&String| matches!(key.as_str(), "from" | "gcm") || key.starts_with("google");
    let keys = data.as_object().into_iter().flat_map(Map::keys);
    match keys.into_iter().find(forbidden) {
        Some(key) => Err(refused(path, &format!("Invalid data payload key: {key}"))),
        None => Ok(()),
    }
}

fn check_android(android: &Value) -> Result<(), Answer> {
    if let Some(priority) = android["priority"].as_str()
        && !PRIORITIES.contains(&priority)
    {
        let field = "message.android.priority";
        let words = format!("Invalid value at '{field}' (AndroidMessagePriority), \"{priority}\"");
        return Err(refused(field, &words));
    }
    if let Some(ttl) = android["ttl"].as_str()
        && !ttl_seconds(ttl).is_some_and(|it| (0.0..=TTL_SECONDS_MAX).contains(&it))
    {
        return Err(refused(
            "message.android.ttl",
            "Invalid ttl: a duration of 0 to 2419200 seconds, such as \"3600s\"",
        ));
    }
    if let Some(color) = android["notification"]["color"].as_str()
        && !is_color(color)
    {
        let field = "message.android.notification.color";
        return Err(refused(field, "Invalid color: must be of the form #RRGGBB"));
    }
    Ok(())
}

/// `3600s`, `3.5s`
fn ttl_seconds(ttl: &str) -> Option<f64> {
    let digits = ttl.strip_suffix('s')?;
    let plain = digits.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    plain.then(|| digits.parse().ok())?
}

fn is_color(color: &str) -> bool {
    color
        .strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit()))
}

fn check_apns(apns: &Value) -> Result<(), Answer> {
    let header = |name: &str| apns["headers"][name].as_str();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let wrong = |name: &str| {
        let field = format!("message.apns.headers.{name}");
        Err(refused(&field, &format!("Invalid APNs header: {name}")))
    };
    if header("apns-priority").is_some_and(|it| !matches!(it, "1" | "5" | "10")) {
        return wrong("apns-priority");
    }
    if header("apns-expiration").is_some_and(|it| !digits(it)) {
        return wrong("apns-expiration");
    }
    if header("apns-collapse-id").is_some_and(|it| it.len() > COLLAPSE_ID_BYTES_MAX) {
        return wrong("apns-collapse-id");
    }
    check_aps(&apns["payload"]["aps"])
}

/// Apple's own part of the payload: types of what is known, anything beside it.
fn check_aps(aps: &Value) -> Result<(), Answer> {
    let texts_or_objects = ["alert", "sound"];
    let texts = ["category", "thread-id"];
    let flags = ["content-available", "mutable-content"];
    for (name, value) in aps.as_object().into_iter().flatten() {
        let name = name.as_str();
        let fits = if texts_or_objects.contains(&name) {
            value.is_string() || value.is_object()
        } else if texts.contains(&name) {
            value.is_string()
        } else if flags.contains(&name) {
            *value == 1 || *value == 0
        } else {
            name != "badge" || value.is_u64()
        };
        if !fits {
            let field = format!("message.apns.payload.aps.{name}");
            return Err(refused(&field, &format!("Invalid value at '{field}'")));
        }
    }
    Ok(())
}

fn check_size(message: &Value, is_token: bool) -> Result<(), Answer> {
    let max = if is_token {
        PAYLOAD_BYTES_MAX
    } else {
        TOPIC_PAYLOAD_BYTES_MAX
    };
    let common = bytes(&message["data"]) + bytes(&message["notification"]);
    let android = &message["android"];
    let on_android = common + bytes(&android["data"]) + bytes(&android["notification"]);
    if on_android > max {
        return Err(refused("message.android", "Android message is too big"));
    }
    if common + bytes(&message["apns"]["payload"]) > max {
        return Err(refused("message.apns", "APNs message is too big"));
    }
    Ok(())
}

/// Keys and values, all the way down.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(key, it)| key.len() + bytes(it)).sum(),
        other => other.to_string().len(),
    }
}
