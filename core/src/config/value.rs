//! Values by kind: from a variable's text, in a file, and as text again.
//!
//! Nothing is guessed: an all-digit secret stays a text, because its kind says so.

use figment::value::{Num, Value};

use super::Kind;

/// A variable's text as a value of its kind.
pub(super) fn parse(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text | Kind::Secret => Some(Value::from(text)),
        Kind::Integer => text.parse::<u64>().ok().map(Value::from),
        Kind::Bool => text.parse::<bool>().ok().map(Value::from),
        Kind::List | Kind::SecretList => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::from(items.collect::<Vec<_>>()))
        }
    }
}

/// Whether a value of a file is of a kind. The empty text fits every kind: it means "not set".
pub(super) fn fits(kind: Kind, value: &Value) -> bool {
    if is_unset(value) {
        return true;
    }
    match kind {
        Kind::Text | Kind::Secret => value.as_str().is_some(),
        Kind::Integer => matches!(value, Value::Num(_, number) if whole(number).is_some()),
        Kind::Bool => value.to_bool().is_some(),
        Kind::List | Kind::SecretList => {
            matches!(value, Value::Array(_, items) if items.iter().all(|item| item.as_str().is_some()))
        }
    }
}

/// Whether a value stands for "not set".
pub(super) fn is_unset(value: &Value) -> bool {
    value.as_str() == Some("")
}

/// A value that stands in for a missing one of a kind, so that reading can go on to the next problem.
pub(super) fn blank(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Secret => Value::from(""),
        Kind::Integer => Value::from(0_u64),
        Kind::Bool => Value::from(false),
        Kind::List | Kind::SecretList => Value::from(Vec::<String>::new()),
    }
}

/// A value as a variable would spell it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, value) => value.to_string(),
        Value::Num(_, number) => {
            whole(number).map_or_else(|| number.to_actual().to_string(), |it| it.to_string())
        }
        Value::Array(_, items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_actual().to_string(),
    }
}

fn whole(number: &Num) -> Option<u128> {
    number
        .to_u128()
        .or_else(|| number.to_i128().and_then(|it| it.try_into().ok()))
}
