//! JSON schemas as HTML: a type in a few words, and the fields of an object as a list.

use std::fmt::Write;

use serde_json::Value;

use super::page::prose;
use crate::http::html::escape;

/// Schemas refer to each other, so nesting within one has an end.
const DEPTH_MAX: usize = 6;

/// A type in a few words: `string (uuid)`, `Message[]`, a link to a named schema.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return link(name);
    }
    for (keyword, joint) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " &amp; ")] {
        if let Some(parts) = schema[keyword].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(joint);
        }
    }
    let mut text = match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .map(|it| plain(it, schema))
            .collect::<Vec<_>>()
            .join(" | "),
        one => plain(one, schema),
    };
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|it| escape(&it.to_string())).collect();
        let _ = write!(text, ": {}", values.join(", "));
    }
    text
}

fn link(name: &str) -> String {
    let name = escape(name);
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

fn plain(name: &Value, schema: &Value) -> String {
    match name.as_str() {
        Some("array") => format!("{}[]", kind(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"]))
        }
        Some(name) => match schema["format"].as_str() {
            Some(format) if name != "null" => format!("{} ({})", escape(name), escape(format)),
            _ => escape(name),
        },
        None => "any".to_owned(),
    }
}

/// The fields of an object, with those of the objects inside it.
pub(super) fn fields(schema: &Value) -> String {
    fields_at(schema, 0)
}

fn fields_at(schema: &Value, depth: usize) -> String {
    if depth == DEPTH_MAX {
        return String::new();
    }
    let mut list = String::new();
    for keyword in ["allOf", "oneOf", "anyOf"] {
        for part in schema[keyword].as_array().into_iter().flatten() {
            list += &fields_at(part, depth + 1);
        }
    }
    if schema["items"].is_object() {
        list += &fields_at(&schema["items"], depth + 1);
    }
    let Some(properties) = schema["properties"].as_object() else {
        return list;
    };
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    list += "<ul class=\"fields\">";
    for (name, field) in properties {
        let is_required = required.contains(&name.as_str());
        list += &field_item(name, field, is_required, depth);
    }
    list + "</ul>"
}

fn field_item(name: &str, field: &Value, is_required: bool, depth: usize) -> String {
    let optional = if is_required { "" } else { " <i>optional</i>" };
    let mut item = format!(
        "<li><code>{}</code> <span>{}</span>{optional}",
        escape(name),
        kind(field)
    );
    if let Some(text) = field["description"].as_str() {
        item += &prose(text);
    }
    item += &fields_at(field, depth + 1);
    item + "</li>"
}
