//! Putting descriptions together: names that two modules use for different things are kept apart, and
//! what every route can answer is said once for all.

use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
};

use super::{BEARER, COOKIE};

/// Below this are the calls of the internal listener, which take tokens only.
const INTERNAL: &str = "/api/admin/";

/// Adds a module's description.
pub(super) fn add(document: &mut OpenApi, module: OpenApi, name: &str) {
    document.merge(kept_apart(document, module, name));
}

/// Renames the module's schemas that would hide behind others of the same name.
fn kept_apart(document: &OpenApi, module: OpenApi, name: &str) -> OpenApi {
    let taken = document.components.as_ref().map(|it| &it.schemas);
    let own = module.components.as_ref().map(|it| &it.schemas);
    let (Some(taken), Some(own)) = (taken, own) else {
        return module;
    };
    let clashing: Vec<String> = own
        .iter()
        .filter(|(schema, ours)| taken.get(*schema).is_some_and(|theirs| theirs != *ours))
        .map(|(schema, _)| schema.clone())
        .collect();
    clashing.iter().fold(module, |module, schema| {
        renamed(module, schema, &format!("{name}.{schema}"))
    })
}

fn renamed(mut document: OpenApi, from: &str, to: &str) -> OpenApi {
    if let Some(components) = &mut document.components
        && let Some(schema) = components.schemas.remove(from)
    {
        components.schemas.insert(to.to_owned(), schema);
    }
    let Ok(mut json) = serde_json::to_value(&document) else {
        return document;
    };
    let (from, to) = (
        format!("#/components/schemas/{from}"),
        format!("#/components/schemas/{to}"),
    );
    point_elsewhere(&mut json, &from, &to);
    serde_json::from_value(json).unwrap_or(document)
}

fn point_elsewhere(json: &mut Value, from: &str, to: &str) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "$ref" && text == from => to.clone_into(text),
                    value => point_elsewhere(value, from, to),
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| point_elsewhere(item, from, to)),
        _ => {}
    }
}

/// Says how to sign in, and what errors look like, on every operation.
pub(super) fn share(document: &mut OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access token of a sign-in."))
        .build();
    let components = document.components.get_or_insert_with(Components::default);
    components
        .security_schemes
        .insert(BEARER.to_owned(), SecurityScheme::Http(scheme).into());
    let takes_cookies = components.security_schemes.contains_key(COOKIE);
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            describe_errors(operation);
            if takes_cookies && !path.starts_with(INTERNAL) {
                offer_cookie(operation);
            }
        }
    }
}

/// What takes a token takes a cookie too. What also goes without either (`()`) looks at none.
fn offer_cookie(operation: &mut Operation) {
    let bearer = SecurityRequirement::new(BEARER, [""; 0]);
    if let Some(security) = &mut operation.security
        && security[..] == [bearer]
    {
        security.push(SecurityRequirement::new(COOKIE, [""; 0]));
    }
}

/// The methods that an item describes.
pub(super) fn methods(item: &PathItem) -> impl Iterator<Item = &'static str> {
    [
        ("GET", item.get.is_some()),
        ("PUT", item.put.is_some()),
        ("POST", item.post.is_some()),
        ("DELETE", item.delete.is_some()),
        ("OPTIONS", item.options.is_some()),
        ("HEAD", item.head.is_some()),
        ("PATCH", item.patch.is_some()),
    ]
    .into_iter()
    .filter_map(|(method, described)| described.then_some(method))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

fn describe_errors(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            *response = problem(&response.description);
        }
    }
    responses
        .entry("default".to_owned())
        .or_insert_with(|| problem("Any error: see its `code`").into());
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::schema::Schema;
    use utoipa::openapi::{ComponentsBuilder, ObjectBuilder, OpenApiBuilder, schema::Type};

    use super::*;

    fn document(kind: Type) -> OpenApi {
        let thing: RefOr<Schema> = ObjectBuilder::new().schema_type(kind).into();
        let user: RefOr<Schema> = RefOr::Ref(Ref::from_schema_name("Thing"));
        let components = ComponentsBuilder::new()
            .schema("Thing", thing)
            .schema("User", user)
            .build();
        OpenApiBuilder::new().components(Some(components)).build()
    }

    #[test]
    fn equal_names_for_different_things_are_kept_apart() {
        let mut merged = document(Type::String);
        let mut other = document(Type::Integer);
        other = renamed(other, "User", "Owner");
        add(&mut merged, other, "chat");
        let json = serde_json::to_value(&merged).unwrap();
        let schemas = &json["components"]["schemas"];
        assert_eq!(schemas["Thing"]["type"], "string");
        assert_eq!(schemas["chat.Thing"]["type"], "integer");
        assert_eq!(schemas["User"]["$ref"], "#/components/schemas/Thing");
        assert_eq!(schemas["Owner"]["$ref"], "#/components/schemas/chat.Thing");
    }

    #[test]
    fn equal_names_for_equal_things_are_one() {
        let mut merged = document(Type::String);
        add(&mut merged, document(Type::String), "chat");
        assert_eq!(merged.components.unwrap().schemas.len(), 2);
    }
}
