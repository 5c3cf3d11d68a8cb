//! Reads the fields that an answer or an event has to have. Fields are named by JSON pointer.
//!
//! Only the one field is ever quoted in an error: whole answers may hold tokens.

use anyhow::Result;
use halobestie_core::Timestamp;
use serde_json::Value;

use super::trouble::{SERVER_AT_FAULT, wrong};

/// The text at `pointer`.
pub(crate) fn text<'a>(from: &'a Value, pointer: &str) -> Result<&'a str> {
    from.pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(from, pointer, "a text"))
}

/// The whole number at `pointer`.
pub(crate) fn number(from: &Value, pointer: &str) -> Result<i64> {
    from.pointer(pointer)
        .and_then(Value::as_i64)
        .ok_or_else(|| missing(from, pointer, "a number"))
}

/// The instant at `pointer`.
pub(crate) fn instant(from: &Value, pointer: &str) -> Result<Timestamp> {
    let text = from.pointer(pointer).and_then(Value::as_str);
    text.and_then(Timestamp::parse)
        .ok_or_else(|| missing(from, pointer, "an instant"))
}

/// The items of a list's answer.
pub(crate) fn items(from: &Value) -> Result<&Vec<Value>> {
    from.get("items")
        .and_then(Value::as_array)
        .ok_or_else(|| missing(from, "/items", "a list"))
}

/// Checks that the field at `pointer` has this value.
pub(crate) fn is(from: &Value, pointer: &str, expected: impl Into<Value>) -> Result<()> {
    let expected = expected.into();
    if from.pointer(pointer) == Some(&expected) {
        return Ok(());
    }
    Err(wrong(
        format!("{pointer} to be {expected}"),
        shown(from.pointer(pointer)),
        SERVER_AT_FAULT,
    ))
}

/// Whether the field at `pointer` is this text.
pub(crate) fn says(from: &Value, pointer: &str, expected: &str) -> bool {
    from.pointer(pointer).and_then(Value::as_str) == Some(expected)
}

fn missing(from: &Value, pointer: &str, what: &str) -> anyhow::Error {
    wrong(
        format!("{what} at {pointer}"),
        shown(from.pointer(pointer)),
        SERVER_AT_FAULT,
    )
}

fn shown(found: Option<&Value>) -> String {
    found.map_or_else(|| "nothing there".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_field_is_named_with_both_values() {
        let session = json!({"status": "ended", "token": "secret"});
        assert!(is(&session, "/status", "ended").is_ok());
        let message = is(&session, "/status", "active").unwrap_err().to_string();
        assert!(
            message.starts_with("expected /status to be \"active\", got \"ended\""),
            "{message}"
        );
        assert!(!message.contains("secret"));
    }

    #[test]
    fn a_missing_field_is_not_taken_for_an_empty_one() {
        let empty = json!({"items": null});
        assert!(items(&empty).is_err());
        assert!(
            text(&empty, "/id")
                .unwrap_err()
                .to_string()
                .contains("nothing there")
        );
        assert!(number(&json!({"seq": "1"}), "/seq").is_err());
    }
}
