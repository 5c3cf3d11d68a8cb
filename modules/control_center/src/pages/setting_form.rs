//! A form made from a setting's type, and the value that is read back from it.
//!
//! The type is known by its JSON schema. What a person can fill in is a leaf (a number, a text, a choice,
//! yes or no), a record of leaves, or a list of either; anything deeper is written as JSON. Fields are
//! named by their path (`value[1].minutes`), as the problems of the API are, so what is wrong finds its
//! field. A value is read back as it was written, also where it is wrong: it is shown again so.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::form::{Field, Kind, Wrongs};

/// The path of the whole value.
const ROOT: &str = "value";

/// What can be filled in at one place.
#[derive(Clone, Debug)]
struct Leaf {
    /// The member of the record that it belongs to; empty for a value of its own.
    member: String,
    schema: Value,
    is_required: bool,
}

/// A type.
#[derive(Clone, Debug)]
enum Shape {
    /// One field.
    One(Leaf),
    /// A field for each member.
    Record(Vec<Leaf>),
    /// A row for each item.
    List(Vec<Leaf>),
}

/// The fields.
#[derive(Clone, Debug)]
pub(crate) struct SettingForm {
    /// The heads of the columns, each with a few words about it; empty where the value is no list.
    pub(crate) heads: Vec<(String, Option<String>)>,
    /// The rows of a list; of any other value one, of its fields.
    pub(crate) rows: Vec<Vec<Field>>,
}

impl SettingForm {
    /// Of a value; `is_fixed` for who may only look.
    pub(crate) fn of(schema: &Value, value: &Value, wrongs: &Wrongs, is_fixed: bool) -> Self {
        let row = |leaves: &[Leaf], path: &str, value: &Value, is_cell: bool| -> Vec<Field> {
            let field = |leaf: &Leaf| {
                let field = leaf.field(path, value).fixed(is_fixed).judged(wrongs);
                if is_cell { field.cell() } else { field }
            };
            leaves.iter().map(field).collect()
        };
        match Shape::of(schema) {
            Shape::One(leaf) => Self::plain(row(&[leaf], ROOT, value, false)),
            Shape::Record(leaves) => Self::plain(row(&leaves, ROOT, value, false)),
            Shape::List(leaves) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let rows = items.iter().enumerate();
                let rows =
                    rows.map(|(at, item)| row(&leaves, &format!("{ROOT}[{at}]"), item, true));
                Self {
                    heads: leaves.iter().map(|it| (it.label(), it.hint())).collect(),
                    rows: rows.collect(),
                }
            }
        }
    }

    fn plain(fields: Vec<Field>) -> Self {
        Self {
            heads: Vec::new(),
            rows: vec![fields],
        }
    }

    /// Whether it is a list, whose rows can be added and removed.
    pub(crate) fn is_list(&self) -> bool {
        !self.heads.is_empty()
    }

    /// Every field, for what is wrong with none of them.
    pub(crate) fn fields(&self) -> Vec<Field> {
        self.rows.iter().flatten().cloned().collect()
    }
}

impl Shape {
    fn of(schema: &Value) -> Self {
        if is(schema, "array") {
            let items = &schema["items"];
            return match record(items) {
                Some(leaves) => Self::List(leaves),
                None => Self::List(vec![Leaf::alone(items)]),
            };
        }
        match record(schema) {
            Some(leaves) => Self::Record(leaves),
            None => Self::One(Leaf::alone(schema)),
        }
    }
}

/// The members of a record, those that are required first, in the order in which they were declared.
fn record(schema: &Value) -> Option<Vec<Leaf>> {
    let members = schema["properties"].as_object()?;
    let required = schema["required"].as_array();
    let required: Vec<&str> = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let leaf = |name: &str, is_required| Leaf {
        member: name.to_owned(),
        schema: members.get(name).cloned().unwrap_or_default(),
        is_required,
    };
    let first = required.iter().map(|name| leaf(name, true));
    let rest = members.keys().filter(|it| !required.contains(&it.as_str()));
    Some(first.chain(rest.map(|name| leaf(name, false))).collect())
}

/// Whether a schema is of this type, or of this type or null.
fn is(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(text) => text == kind,
        Value::Array(kinds) => kinds.iter().any(|it| it == kind),
        _ => false,
    }
}

impl Leaf {
    fn alone(schema: &Value) -> Self {
        Self {
            member: String::new(),
            schema: schema.clone(),
            is_required: true,
        }
    }

    fn label(&self) -> String {
        if self.member.is_empty() {
            return "Value".to_owned();
        }
        let words = self.member.replace('_', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|it| it.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    }

    fn hint(&self) -> Option<String> {
        let said = self.schema["description"].as_str().map(ToOwned::to_owned);
        // Of a value of its own the page says what it is for.
        said.filter(|_| !self.member.is_empty())
    }

    fn path(&self, of: &str) -> String {
        match self.member.as_str() {
            "" => of.to_owned(),
            member => format!("{of}.{member}"),
        }
    }

    fn kind(&self) -> Kind {
        let schema = &self.schema;
        if let Some(choices) = schema["enum"].as_array() {
            let choices = choices.iter().filter_map(Value::as_str);
            return Kind::Choice(choices.map(|it| (it.to_owned(), it.to_owned())).collect());
        }
        if is(schema, "integer") {
            let bound = |name: &str| schema[name].as_f64().map(|it| it as i64);
            return Kind::Number(bound("minimum"), bound("maximum"));
        }
        if is(schema, "boolean") {
            return Kind::Check;
        }
        if is(schema, "string") || is(schema, "number") {
            return Kind::Line("text");
        }
        Kind::Lines
    }

    /// Its field; `value` is the leaf's own, or the record's that it belongs to.
    fn field(&self, of: &str, value: &Value) -> Field {
        let value = match self.member.as_str() {
            "" => value,
            member => &value[member],
        };
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Object(_) | Value::Array(_) => {
                serde_json::to_string_pretty(value).unwrap_or_default()
            }
            other => other.to_string(),
        };
        let most = self.schema["maxLength"].as_u64();
        let mut field = Field::new(self.path(of), self.label(), self.kind())
            .holding(text)
            .at_most(most);
        if let Some(hint) = self.hint() {
            field = field.hint(hint);
        }
        // A list's items are all required; so is everything that is not optional.
        if self.is_required && self.kind() != Kind::Check {
            field = field.required();
        }
        field
    }

    /// What was written, or what is wrong with it.
    fn read(&self, text: Option<&str>) -> Result<Value, &'static str> {
        let kind = self.kind();
        if kind == Kind::Check {
            return Ok(text.is_some().into());
        }
        let text = text.unwrap_or_default();
        if text.trim().is_empty() && is(&self.schema, "null") {
            return Ok(Value::Null);
        }
        match kind {
            Kind::Number(..) => {
                let number = text.trim().parse::<i64>().map(Value::from);
                number.map_err(|_| "must be a whole number")
            }
            Kind::Line(_) if is(&self.schema, "number") => {
                let number = text.trim().parse::<f64>().map(Value::from);
                number.map_err(|_| "must be a number")
            }
            Kind::Lines => serde_json::from_str(text).map_err(|_| "must be JSON"),
            _ => Ok(text.into()),
        }
    }
}

/// Reads a value from what a form sent; what is wrong with it as far as its type goes. What cannot be
/// read is kept as the text that it is.
pub(crate) fn read(schema: &Value, pairs: &[(String, String)]) -> (Value, Wrongs) {
    let mut wrongs = Wrongs::default();
    let value = match Shape::of(schema) {
        Shape::One(leaf) => one(&[leaf], ROOT, pairs, &mut wrongs),
        Shape::Record(leaves) => one(&leaves, ROOT, pairs, &mut wrongs),
        Shape::List(leaves) => {
            // By what was sent, not by how many it says there are: a far index costs nothing.
            let sent: BTreeMap<usize, ()> = pairs
                .iter()
                .filter_map(|(name, _)| Some((index(name)?, ())))
                .collect();
            let item = |at: usize| one(&leaves, &format!("{ROOT}[{at}]"), pairs, &mut wrongs);
            Value::Array(sent.into_keys().map(item).collect())
        }
    };
    (value, wrongs)
}

/// The index in `value[3].name`.
fn index(name: &str) -> Option<usize> {
    let rest = name.strip_prefix(ROOT)?.strip_prefix('[')?;
    rest.split_once(']')?.0.parse().ok()
}

fn one(leaves: &[Leaf], of: &str, pairs: &[(String, String)], wrongs: &mut Wrongs) -> Value {
    let mut members = Map::new();
    for leaf in leaves {
        let path = leaf.path(of);
        let sent = pairs.iter().find(|(name, _)| *name == path);
        let sent = sent.map(|(_, text)| text.as_str());
        let value = leaf.read(sent).unwrap_or_else(|wrong| {
            wrongs.fields.push((path, wrong.to_owned()));
            sent.unwrap_or_default().into()
        });
        if leaf.member.is_empty() {
            return value;
        }
        members.insert(leaf.member.clone(), value);
    }
    Value::Object(members)
}

/// An item for a new row of a list.
pub(crate) fn empty_item(schema: &Value) -> Value {
    let Shape::List(leaves) = Shape::of(schema) else {
        return Value::Null;
    };
    let mut members = Map::new();
    for leaf in leaves {
        let default = leaf.schema["default"].clone();
        if leaf.member.is_empty() {
            return default;
        }
        members.insert(leaf.member, default);
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn prices() -> Value {
        json!({"type": "array", "items": {"type": "object", "required": ["id", "minutes"],
        "properties": {
            "currency": {"type": "string", "default": "IDR"},
            "id": {"type": "string", "maxLength": 40},
            "minutes": {"type": "integer", "minimum": 1, "description": "How long."},
            "once": {"type": "boolean"},
        }}})
    }

    fn sent(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_is_filled_in_is_read_back_as_its_type() {
        let pairs = sent(&[
            ("value[0].id", "5m"),
            ("value[0].minutes", " 5 "),
            ("value[0].currency", "IDR"),
            ("value[7].id", "9m"),
            ("value[7].minutes", "9"),
            ("value[7].once", "true"),
        ]);
        let (value, wrongs) = read(&prices(), &pairs);
        let expected = json!([
            {"id": "5m", "minutes": 5, "currency": "IDR", "once": false},
            {"id": "9m", "minutes": 9, "currency": "", "once": true},
        ]);
        assert_eq!(value, expected);
        assert!(wrongs.fields.is_empty(), "{wrongs:?}");
    }

    #[test]
    fn what_is_no_number_is_kept_and_said() {
        let schema = json!({"type": "integer"});
        let (value, wrongs) = read(&schema, &sent(&[("value", "five")]));
        assert_eq!(value, "five");
        assert_eq!(wrongs.of_field("value"), Some("must be a whole number"));
        let form = SettingForm::of(&schema, &value, &wrongs, false);
        let shown = form.rows[0][0].to_string();
        assert!(shown.contains(r#"value="five""#), "{shown}");
    }

    #[test]
    fn a_list_has_a_column_for_each_member_in_the_order_of_the_type() {
        let value = json!([{"id": "5m", "minutes": 5}]);
        let form = SettingForm::of(&prices(), &value, &Wrongs::default(), false);
        let heads: Vec<&str> = form.heads.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(heads, ["Id", "Minutes", "Currency", "Once"]);
        assert_eq!(form.heads[1].1.as_deref(), Some("How long."));
        assert_eq!(form.rows.len(), 1);
        let item = empty_item(&prices());
        assert_eq!(item["currency"], "IDR");
    }

    #[test]
    fn what_is_deeper_than_a_form_is_written_as_json() {
        let schema = json!({"type": "object", "properties": {"deep": {"type": "object"}}});
        let (value, wrongs) = read(&schema, &sent(&[("value.deep", r#"{"a": 1}"#)]));
        assert_eq!(value, json!({"deep": {"a": 1}}));
        assert!(wrongs.fields.is_empty());
        let (_, wrongs) = read(&schema, &sent(&[("value.deep", "{")]));
        assert_eq!(wrongs.of_field("value.deep"), Some("must be JSON"));
    }
}
