//! What a setting looks like, as a JSON schema without references: forms are made from it.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// References deeper than this are left as they are; a setting is a form, not a language.
const DEPTH_MAX: usize = 8;

/// The schema of a type, every reference replaced by what it names.
pub(super) fn of<T: ToSchema>() -> Value {
    let mut named: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut named);
    let json = |schema: &RefOr<Schema>| serde_json::to_value(schema).unwrap_or(Value::Null);
    let named: Vec<(String, Value)> = named
        .iter()
        .map(|(name, schema)| (format!("#/components/schemas/{name}"), json(schema)))
        .collect();
    let mut schema = json(&T::schema());
    resolve(&mut schema, &named, DEPTH_MAX);
    schema
}

fn resolve(schema: &mut Value, named: &[(String, Value)], depth: usize) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
        && let Some((_, found)) = named.iter().find(|(name, _)| name == reference)
        && depth > 0
    {
        *schema = found.clone();
        return resolve(schema, named, depth - 1);
    }
    match schema {
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| resolve(member, named, depth)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| resolve(item, named, depth)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Tariff {
        name: String,
        minutes: u32,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Tariffs(Vec<Tariff>);

    #[test]
    fn a_list_of_structs_is_described_to_its_leaves() {
        let schema = of::<Tariffs>();
        assert_eq!(schema["type"], "array");
        let fields = &schema["items"]["properties"];
        assert_eq!(fields["name"]["type"], "string");
        assert_eq!(fields["minutes"]["type"], "integer");
    }
}
