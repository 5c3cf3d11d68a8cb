//! The one character that Postgres keeps neither in a text nor in a `jsonb`. What a client sends is refused
//! with it where it is read (a path, a query, a form, a JSON body), so that no statement fails for it.

use serde_json::Value;

use crate::problem::Problem;

/// What is said of a text that holds it.
pub(crate) const MESSAGE: &str = "must not hold a NUL character";

/// Refuses pairs of a query or a form that hold one.
///
/// # Errors
/// `validation_failed` naming the pair.
pub(crate) fn refuse_in_pairs(encoded: &[u8], whole: &str) -> Result<(), Problem> {
    // Most hold none, and are not decoded twice.
    if !encoded.contains(&0) && !holds(encoded, b"%00") {
        return Ok(());
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(encoded)
        .map_err(|error| Problem::invalid(whole, error.to_string()))?;
    for (name, value) in pairs {
        if name.contains('\0') {
            return Err(Problem::invalid(whole, MESSAGE));
        }
        if value.contains('\0') {
            return Err(Problem::invalid(name, MESSAGE));
        }
    }
    Ok(())
}

/// Refuses a JSON document that holds one. One that is no JSON passes: whoever reads it says so better.
///
/// # Errors
/// `validation_failed` naming the field.
pub(crate) fn refuse_in_json(body: &[u8]) -> Result<(), Problem> {
    // JSON cannot hold one but escaped; most documents hold none, and are not parsed twice.
    if !holds(body, br"\u0000") {
        return Ok(());
    }
    match serde_json::from_slice(body).ok().as_ref().and_then(path) {
        Some(path) => Err(Problem::invalid(path, MESSAGE)),
        None => Ok(()),
    }
}

/// Where in a value there is one, as `rows[1].name`; empty for the value itself. A member whose name holds
/// one is known by the place that it is in.
pub(crate) fn path(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| Some(joined(&format!("[{at}]"), &path(item)?)))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') {
                return Some(String::new());
            }
            Some(joined(name, &path(member)?))
        }),
        _ => None,
    }
}

fn joined(name: &str, rest: &str) -> String {
    let dot = if rest.is_empty() || rest.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{name}{dot}{rest}")
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|it| it == part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(refused: Result<(), Problem>) -> Option<String> {
        let problem = refused.err()?;
        Some(problem.field_errors()[0].field.clone())
    }

    #[test]
    fn a_nul_in_a_query_or_form_is_refused_by_its_name() {
        let pairs = |text: &str| field(refuse_in_pairs(text.as_bytes(), "query"));
        assert_eq!(pairs("q=a%00b&r=1").as_deref(), Some("q"));
        assert_eq!(pairs("q=a\0b").as_deref(), Some("q"));
        assert_eq!(pairs("%00=1").as_deref(), Some("query"));
        assert_eq!(pairs("q=%2500"), None, "a percent sign and two noughts");
    }

    #[test]
    fn a_nul_in_json_is_refused_by_its_path() {
        let json = |text: &str| field(refuse_in_json(text.as_bytes()));
        let deep = json(r#"{"rows": [1, {"name": "a\u0000"}]}"#);
        assert_eq!(deep.as_deref(), Some("rows[1].name"));
        assert_eq!(json(r#"{"a": {"x\u0000": 1}}"#).as_deref(), Some("a"));
        assert_eq!(json(r#"{"a": "\\u0000"}"#), None, "a backslash and letters");
        assert_eq!(json(r#"{"a": "\u0000""#), None, "no JSON at all");
        assert_eq!(path(&json!(["a", "b\0"])).as_deref(), Some("[1]"));
    }
}
