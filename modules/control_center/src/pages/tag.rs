//! Where something is, as a coloured word. The colour only repeats what the word says.

use askama::Template;
use serde_json::Value;

use super::dashboard::rupiah;

/// A status. `{{ tag::of(it.status) }}` in a template.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<span class="tag {{ kind }}">{{ words }}</span>"#
)]
pub(crate) struct Tag {
    kind: &'static str,
    words: String,
}

impl askama::filters::HtmlSafe for Tag {}

/// The tag of a status, whatever it is the status of.
pub(crate) fn of(status: &str) -> Tag {
    let kind = match status {
        "active" | "paid" | "matched" | "succeeded" | "applied" | "resolved" | "won" => "good",
        "pending_payment" | "pending" | "creating" | "searching" | "rerouting"
        | "refund_pending" | "wanted" | "in_review" => "warn",
        "needs_review" | "failed" | "open" => "bad",
        _ => "plain",
    };
    let words = words(status);
    Tag { kind, words }
}

/// A name of ours as people write it: `pending_payment` is `pending payment`.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A package as it was sold: its name and its price.
pub(crate) fn package(package: &Value) -> String {
    let name = package["name"].as_str().unwrap_or("unnamed");
    match package["amount"].as_i64() {
        Some(0) => format!("{name}, free"),
        Some(amount) => format!("{name}, {}", rupiah(amount)),
        None => name.to_owned(),
    }
}
