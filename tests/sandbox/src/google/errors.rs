//! Errors in Google's words: `google.rpc.Status` with details for FCM, RFC 6749 for tokens.

use std::time::Duration;

use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::upstream::{Answer, Kind, Trouble, Violation};

/// What FCM says of a token that is none.
const NO_TOKEN: &str = "The registration token is not a valid FCM registration token";

/// The published errors of sending: code, HTTP, status, message.
static SEND: &[(&str, u16, &str, &str)] = &[
    (
        "UNREGISTERED",
        404,
        "NOT_FOUND",
        "Requested entity was not found.",
    ),
    (
        "INVALID_ARGUMENT",
        400,
        "INVALID_ARGUMENT",
        "Request contains an invalid argument.",
    ),
    ("INVALID_TOKEN", 400, "INVALID_ARGUMENT", NO_TOKEN),
    (
        "SENDER_ID_MISMATCH",
        403,
        "PERMISSION_DENIED",
        "SenderId mismatch",
    ),
    (
        "THIRD_PARTY_AUTH_ERROR",
        401,
        "UNAUTHENTICATED",
        "Request is missing required authentication credential.",
    ),
    (
        "QUOTA_EXCEEDED",
        429,
        "RESOURCE_EXHAUSTED",
        "Resource has been exhausted (e.g. check quota).",
    ),
    (
        "UNAVAILABLE",
        503,
        "UNAVAILABLE",
        "The service is currently unavailable.",
    ),
    ("INTERNAL", 500, "INTERNAL", "Internal error encountered."),
    (
        "UNAUTHENTICATED",
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
    ),
    (
        "PERMISSION_DENIED",
        403,
        "PERMISSION_DENIED",
        "Permission 'cloudmessaging.messages.create' denied on resource (or it may not exist).",
    ),
];

/// The error of a code of sending.
pub(super) fn send_error(code: &str, retry_after: Option<Duration>) -> Answer {
    let known = SEND.iter().find(|(it, ..)| *it == code);
    let Some((code, http, status, message)) = known else {
        return status_error(500, "INTERNAL", "Internal error encountered.", &[]);
    };
    let details = match *code {
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => vec![],
        "INVALID_TOKEN" => vec![fcm("INVALID_ARGUMENT")],
        "QUOTA_EXCEEDED" => vec![fcm(code), quota()],
        code => vec![fcm(code)],
    };
    let answer = status_error(*http, status, message, &details);
    match retry_after {
        Some(wait) => answer.with(header::RETRY_AFTER, &wait.as_secs_f64().ceil().to_string()),
        None => answer,
    }
}

/// A payload that FCM understood and does not take: its own code and the field.
pub(super) fn refused(field: &str, description: &str) -> Answer {
    let details = [
        fcm("INVALID_ARGUMENT"),
        bad_request(&[(field, description)]),
    ];
    status_error(400, "INVALID_ARGUMENT", description, &details)
}

/// A payload that is none of a message's shape: found before FCM, so without its code.
pub(super) fn misshapen(violations: &[Violation]) -> Answer {
    let worded: Vec<_> = violations.iter().map(worded).collect();
    let fields: Vec<_> = worded
        .iter()
        .map(|(field, description)| (field.as_str(), description.as_str()))
        .collect();
    let lines: Vec<_> = fields.iter().map(|(_, description)| *description).collect();
    status_error(
        400,
        "INVALID_ARGUMENT",
        &lines.join("\n"),
        &[bad_request(&fields)],
    )
}

/// A body that is no JSON, or a content type that is none.
pub(super) fn unreadable(message: &str) -> Answer {
    status_error(400, "INVALID_ARGUMENT", message, &[])
}

/// Google's page for what is not there: no JSON.
pub(super) fn not_found() -> Answer {
    let page = "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>";
    Answer::new(StatusCode::NOT_FOUND, "text/html; charset=UTF-8", page)
}

fn worded(violation: &Violation) -> (String, String) {
    let path = &violation.path;
    match &violation.trouble {
        Trouble::Unknown => {
            let (place, name) = path.rsplit_once('.').unwrap_or(("", path));
            let at = if place.is_empty() {
                String::new()
            } else {
                format!(" at '{place}'")
            };
            let words = format!(
                "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
            );
            (place.to_owned(), words)
        }
        Trouble::Missing => (path.clone(), format!("'{path}' is required")),
        Trouble::Wrong(kind, value) => {
            let words = format!("Invalid value at '{path}' ({}), {value}", type_name(kind));
            (path.clone(), words)
        }
    }
}

const fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "TYPE_STRING",
        Kind::Flag => "TYPE_BOOL",
        Kind::Integer => "TYPE_INT32",
        Kind::Number => "TYPE_DOUBLE",
        _ => "TYPE_MESSAGE",
    }
}

fn status_error(http: u16, status: &str, message: &str, details: &[Value]) -> Answer {
    let mut error = json!({ "code": http, "message": message, "status": status });
    if !details.is_empty() {
        error["details"] = details.into();
    }
    let http = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::json(http, &json!({ "error": error }))
}

fn fcm(code: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code })
}

fn bad_request(violations: &[(&str, &str)]) -> Value {
    let violation =
        |(field, description): &(&str, &str)| json!({ "field": field, "description": description });
    json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": violations.iter().map(violation).collect::<Value>(),
    })
}

fn quota() -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{ "subject": "sandbox", "description": "messages per minute" }],
    })
}

/// The error of a code of the token endpoint.
pub(super) fn token_error(code: &str, description: &str) -> Answer {
    let http = match code {
        "unauthorized_client" => StatusCode::UNAUTHORIZED,
        "internal_failure" => StatusCode::INTERNAL_SERVER_ERROR,
        "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    Answer::json(
        http,
        &json!({ "error": code, "error_description": description }),
    )
}

#[cfg(test)]
mod tests {
    use super::SEND;
    use crate::google::{CODES, SEND_CODES, TOKEN_CODES};

    #[test]
    fn the_codes_that_knobs_take_are_the_codes_that_have_words() {
        let worded: Vec<_> = SEND.iter().map(|(code, ..)| *code).collect();
        assert_eq!(worded, SEND_CODES);
        assert_eq!([SEND_CODES, TOKEN_CODES].concat(), CODES);
    }
}
