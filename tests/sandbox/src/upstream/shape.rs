//! What a JSON body must look like, as a table: known fields, their types, which must be there.
//!
//! The upstreams refuse what they do not know, each in its own words; here is only what they find.

use serde_json::{Map, Value};

/// A type of a value.
pub(crate) enum Kind {
    Text,
    Flag,
    /// Any JSON number.
    Number,
    /// A JSON number without a fraction; `900.0` and `"900"` are none.
    Integer,
    /// An object whose keys are the caller's.
    Object,
    /// An object of texts whose keys are the caller's.
    Texts,
    List(&'static Kind),
    /// An object with these fields and no other.
    Message(&'static [Field]),
    OrNull(&'static Kind),
}

impl Kind {
    /// The name that it goes by in an error.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Flag => "boolean",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Object | Self::Texts | Self::Message(_) => "object",
            Self::List(_) => "array",
            Self::OrNull(kind) => kind.name(),
        }
    }
}

/// A field of an object.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

impl Field {
    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: true,
        }
    }

    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
        }
    }
}

/// What is wrong at a place.
pub(crate) enum Trouble {
    Unknown,
    Missing,
    /// Not of this kind; the value that is there.
    Wrong(&'static Kind, Value),
}

/// A place where a body does not look as it must.
pub(crate) struct Violation {
    /// `message.data[0].value`
    pub(crate) path: String,
    pub(crate) trouble: Trouble,
}

impl Violation {
    /// A sentence about it.
    pub(crate) fn message(&self) -> String {
        let path = &self.path;
        match &self.trouble {
            Trouble::Unknown => format!("\"{path}\" is not allowed"),
            Trouble::Missing => format!("\"{path}\" is required"),
            Trouble::Wrong(kind, _) => format!("\"{path}\" must be of type {}", kind.name()),
        }
    }
}

/// How field names are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// To the letter.
    Exact,
    /// As the JSON form of protocol buffers: `collapse_key` and `collapseKey` are one, null is absent.
    Proto,
}

/// The body with its names to the letter, and what is wrong with it.
pub(crate) fn conform(
    value: &Value,
    fields: &'static [Field],
    names: Names,
) -> (Value, Vec<Violation>) {
    let mut reader = Reader {
        names,
        violations: Vec::new(),
    };
    let read = match value.as_object() {
        Some(object) => reader.message(object, fields, ""),
        None => {
            reader.wrong(&Kind::Object, value, String::new());
            Value::Null
        }
    };
    (read, reader.violations)
}

struct Reader {
    names: Names,
    violations: Vec<Violation>,
}

impl Reader {
    fn message(
        &mut self,
        object: &Map<String, Value>,
        fields: &'static [Field],
        path: &str,
    ) -> Value {
        let mut read = Map::new();
        for (name, value) in object {
            let Some(field) = fields.iter().find(|it| self.is(it.name, name)) else {
                self.note(join(path, name), Trouble::Unknown);
                continue;
            };
            if self.names == Names::Proto && value.is_null() {
                continue;
            }
            let value = self.value(value, &field.kind, join(path, field.name));
            read.insert(field.name.to_owned(), value);
        }
        for field in fields.iter().filter(|it| it.required) {
            if !read.contains_key(field.name) {
                self.note(join(path, field.name), Trouble::Missing);
            }
        }
        Value::Object(read)
    }

    fn is(&self, ours: &str, theirs: &str) -> bool {
        ours == theirs || (self.names == Names::Proto && camel(ours) == theirs)
    }

    fn value(&mut self, value: &Value, kind: &'static Kind, path: String) -> Value {
        match (kind, value) {
            (Kind::Message(fields), Value::Object(object)) => {
                return self.message(object, fields, &path);
            }
            (Kind::List(of), Value::Array(items)) => {
                let read = |(index, item)| self.value(item, of, format!("{path}[{index}]"));
                return Value::Array(items.iter().enumerate().map(read).collect());
            }
            (Kind::Texts, Value::Object(object)) => self.texts(object, &path),
            (Kind::OrNull(_), Value::Null) => {}
            (Kind::OrNull(kind), value) => return self.value(value, kind, path),
            (kind, value) if fits(kind, value) => {}
            (kind, value) => self.wrong(kind, value, path),
        }
        value.clone()
    }

    fn texts(&mut self, object: &Map<String, Value>, path: &str) {
        for (index, (_, value)) in object.iter().enumerate() {
            if !value.is_string() {
                self.wrong(&Kind::Text, value, format!("{path}[{index}].value"));
            }
        }
    }

    fn wrong(&mut self, kind: &'static Kind, value: &Value, path: String) {
        self.note(path, Trouble::Wrong(kind, value.clone()));
    }

    fn note(&mut self, path: String, trouble: Trouble) {
        self.violations.push(Violation { path, trouble });
    }
}

fn fits(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::Flag => value.is_boolean(),
        Kind::Number => value.is_number(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Object => value.is_object(),
        Kind::Texts | Kind::List(_) | Kind::Message(_) | Kind::OrNull(_) => false,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// `collapse_key` → `collapseKey`
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
