//! The frame of a page, and its pieces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use halobestie_core::http::html::escape;
use halobestie_core::timestamp::Timestamp;
use http::{HeaderName, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::upstream::Answer;

const STYLE: &str = include_str!("style.css");

/// How often a page that only shows comes again by itself.
const REFRESH_SECONDS: u32 = 5;

/// A whole page. One that is `live` comes again by itself.
pub(super) fn page(title: &str, body: &str, live: bool) -> Answer {
    let refresh = if live {
        format!("<meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">")
    } else {
        String::new()
    };
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{refresh}\
         <title>{title} · sandbox</title><style>{STYLE}</style></head><body>\
         <nav><a href=\"/\">Sandbox</a><a href=\"/codes\">Codes</a><a href=\"/invoices\">Invoices</a>\
         <a href=\"/refunds\">Refunds</a><a href=\"/webhooks\">Webhooks</a>\
         <a href=\"/pushes\">Pushes</a><a href=\"/calls\">Calls</a></nav>\
         <h1>{title}</h1>{body}</body></html>\n"
    );
    Answer::new(StatusCode::OK, "text/html; charset=utf-8", html)
        .with(header::CONTENT_SECURITY_POLICY, &policy())
        .with(header::CACHE_CONTROL, "no-store")
        .with(HeaderName::from_static("x-content-type-options"), "nosniff")
        .with(header::REFERRER_POLICY, "no-referrer")
}

/// Back to a page after a button.
pub(super) fn see(path: &str) -> Answer {
    Answer::new(StatusCode::SEE_OTHER, "text/plain", "").with(header::LOCATION, path)
}

/// A page that says why not.
pub(super) fn sorry(status: StatusCode, reason: &str) -> Answer {
    let mut answer = page("Sorry", &format!("<p>{}</p>", escape(reason)), false);
    answer.status = status;
    answer
}

fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

/// A list of cards, the newest first, or a word that there is nothing.
pub(super) fn cards(items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|it| format!("<li>{it}</li>")).collect();
    if items.is_empty() {
        "<p><small>Nothing yet.</small></p>".to_owned()
    } else {
        format!("<ul>{items}</ul>")
    }
}

/// A button that posts an action to a path.
pub(super) fn button(path: &str, action: &str, label: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{}\"><button name=\"action\" value=\"{}\">{}</button></form>",
        escape(path),
        escape(action),
        escape(label)
    )
}

/// The time of the day, UTC.
pub(super) fn clock_time(at: Timestamp) -> String {
    let text = at.to_string();
    format!("<small>{}</small>", text.get(11..19).unwrap_or(&text))
}

/// `Rp 50.000`
pub(super) fn rupiah(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}Rp {grouped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupiah_are_grouped_by_thousands() {
        assert_eq!(rupiah(999), "Rp 999");
        assert_eq!(rupiah(50_000), "Rp 50.000");
        assert_eq!(rupiah(1_234_567), "Rp 1.234.567");
        assert_eq!(rupiah(-5), "-Rp 5");
    }
}
