//! The reader page: the whole description as one HTML document, without scripts, fonts or anything
//! else to fetch. Every text is escaped; the policy lets the page's own style through by its hash.

use std::collections::BTreeMap;
use std::fmt::Write;

use http::HeaderValue;
use serde_json::Value;

use super::schema::{fields, kind};
use crate::http::html::{self, escape};

const STYLE: &str = include_str!("page.css");

/// The Content-Security-Policy that goes with the page.
pub(super) fn policy() -> HeaderValue {
    html::policy_with_style(STYLE)
}

/// The page.
pub(super) fn render(document: &Value) -> String {
    let by_tag = operations(document);
    let title = escape(text(&document["info"]["title"]));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} API</title><style>{STYLE}</style></head><body>"
    );
    page += &contents(&by_tag);
    let _ = write!(
        page,
        "<main><h1>{title} <small>{}</small></h1>{}\
         <p>The same for programs: <a href=\"/openapi.json\">openapi.json</a>.</p>",
        escape(text(&document["info"]["version"])),
        prose(text(&document["info"]["description"])),
    );
    for (tag, operations) in &by_tag {
        let tag = escape(tag);
        let _ = write!(page, "<section id=\"tag-{tag}\"><h2>{tag}</h2>");
        operations.iter().for_each(|it| page += &it.html());
        page += "</section>";
    }
    page += &schemas(&document["components"]["schemas"]);
    page + "</main></body></html>\n"
}

/// A method of a path.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    described: &'a Value,
}

fn operations(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut by_tag = BTreeMap::<&str, Vec<Operation<'_>>>::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, described) in item.as_object().into_iter().flatten() {
            // A path's own description and parameters stand beside its methods.
            if described["responses"].is_object() {
                let tag = described["tags"][0].as_str().unwrap_or("other");
                by_tag.entry(tag).or_default().push(Operation {
                    method,
                    path,
                    described,
                });
            }
        }
    }
    by_tag
}

fn contents(by_tag: &BTreeMap<&str, Vec<Operation<'_>>>) -> String {
    let mut nav = "<nav><ul>".to_owned();
    for (tag, operations) in by_tag {
        let tag = escape(tag);
        let count = operations.len();
        let _ = write!(
            nav,
            "<li><a href=\"#tag-{tag}\">{tag}</a> <small>{count}</small></li>"
        );
    }
    nav + "<li><a href=\"#schemas\">Schemas</a></li></ul></nav>"
}

impl Operation<'_> {
    fn html(&self) -> String {
        let mut html = format!(
            "<details><summary><b class=\"{method}\">{method}</b> <code>{}</code> <span>{}</span>\
             </summary>",
            escape(self.path),
            escape(text(&self.described["summary"])),
            method = escape(self.method),
        );
        html += &prose(text(&self.described["description"]));
        if self.described["security"]
            .as_array()
            .is_some_and(|it| !it.is_empty())
        {
            html += "<p class=\"lock\">Needs a sign-in: <code>Authorization: Bearer …</code></p>";
        }
        html += &self.parameters();
        html += &content("Request body", &self.described["requestBody"]);
        html += &self.responses();
        html + "</details>"
    }

    fn parameters(&self) -> String {
        let Some(parameters) = self.described["parameters"].as_array() else {
            return String::new();
        };
        let mut html = "<h3>Parameters</h3><ul class=\"fields\">".to_owned();
        for it in parameters {
            let optional = if it["required"] == true {
                ""
            } else {
                " <i>optional</i>"
            };
            let _ = write!(
                html,
                "<li><code>{}</code> <span>{}, in the {}</span>{optional}{}</li>",
                escape(text(&it["name"])),
                kind(&it["schema"]),
                escape(text(&it["in"])),
                prose(text(&it["description"])),
            );
        }
        html + "</ul>"
    }

    fn responses(&self) -> String {
        let mut html = "<h3>Answers</h3><dl>".to_owned();
        for (status, response) in self.described["responses"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let description = escape(text(&response["description"]));
            let _ = write!(
                html,
                "<dt>{}</dt><dd>{}",
                escape(status),
                code_spans(&description)
            );
            html += &content("", response);
            html += "</dd>";
        }
        html + "</dl>"
    }
}

/// What a body may be, by content type.
fn content(heading: &str, described: &Value) -> String {
    let Some(content) = described["content"].as_object() else {
        return String::new();
    };
    let mut html = String::new();
    if !heading.is_empty() {
        let _ = write!(
            html,
            "<h3>{heading}</h3>{}",
            prose(text(&described["description"]))
        );
    }
    for (content_type, body) in content {
        let schema = &body["schema"];
        let content_type = escape(content_type);
        let _ = write!(
            html,
            "<p class=\"body\">{content_type}: {}</p>{}",
            kind(schema),
            fields(schema)
        );
    }
    html
}

fn schemas(schemas: &Value) -> String {
    let mut html = "<section id=\"schemas\"><h2>Schemas</h2>".to_owned();
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        let name = escape(name);
        let _ = write!(
            html,
            "<article id=\"schema-{name}\"><h3>{name} <small>{}</small></h3>{}{}</article>",
            kind(schema),
            prose(text(&schema["description"])),
            fields(schema),
        );
    }
    html + "</section>"
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A doc comment as paragraphs, with what stands in backticks as code.
pub(super) fn prose(text: &str) -> String {
    let paragraphs = text
        .split("\n\n")
        .map(str::trim)
        .filter(|it| !it.is_empty());
    paragraphs
        .map(|it| format!("<p>{}</p>", code_spans(&escape(it))))
        .collect()
}

fn code_spans(escaped: &str) -> String {
    let mut html = String::new();
    for (at, part) in escaped.split('`').enumerate() {
        match at % 2 {
            0 => html += part,
            _ => {
                let _ = write!(html, "<code>{part}</code>");
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shows_operations_and_escapes_what_they_say() {
        let page = render(&json!({
            "info": {"title": "t", "version": "1"},
            "paths": {"/things/{id}": {"get": {
                "tags": ["things"],
                "summary": "<script>alert(1)</script>",
                "description": "Reads `one`.\n\nThen stops.",
                "security": [{"bearer": []}],
                "parameters": [{"name": "id", "in": "path", "required": true,
                    "schema": {"type": "string", "format": "uuid"}}],
                "responses": {"200": {"description": "It", "content": {"application/json":
                    {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
            }}},
            "components": {"schemas": {"Thing": {"type": "object", "required": ["tags"],
                "properties": {"tags": {"type": "array", "items": {"type": "string"}},
                               "note": {"type": ["string", "null"]}}}}},
        }));
        for part in [
            "<code>/things/{id}</code>",
            "&lt;script&gt;",
            "<p>Reads <code>one</code>.</p><p>Then stops.</p>",
            "string (uuid), in the path",
            "<a href=\"#schema-Thing\">Thing</a>",
            "<code>tags</code> <span>string[]</span></li>",
            "<code>note</code> <span>string | null</span> <i>optional</i>",
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert!(!page.contains("<script"));
    }
}
