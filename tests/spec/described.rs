//! Checks of every answer in these tests against the API's description.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use houston::api::description;
use jsonschema::Validator;
use rocket::http::Method;
use serde_json::{Value, json};

use crate::harness::Answer;

/// The description, as JSON.
pub(crate) static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(description::json()).expect("a description"));

/// Fails unless the description has this answer: its status, its headers, and what is in it.
/// Addresses and methods that are not described are not judged.
#[track_caller]
pub(crate) fn judge(method: Method, address: &str, answer: &Answer) {
    let path = address.split('?').next().unwrap_or_default();
    let method = method.as_str().to_lowercase();
    let paths = DESCRIPTION["paths"].as_object().expect("paths").iter();
    let operation = paths
        .filter(|(template, _)| fits(template, path))
        .find_map(|(template, item)| Some((template, item.get(&method)?)));
    let Some((template, operation)) = operation else { return };
    // True of every address, and told once.
    let common =
        ["NotFound", "MethodNotAllowed"].map(|name| &DESCRIPTION["components"]["responses"][name]);
    let status = answer.status.to_string();
    let own = operation["responses"].get(&status);
    let told = own.into_iter().chain(common).find(|told| is(told, answer));
    let told = told.unwrap_or_else(|| panic!("{method} {template} is not told to give {answer:?}"));
    for header in told["headers"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        assert!(answer.header(header).is_some(), "{method} {template}: {header} in {answer:?}");
    }
}

/// Tells whether an address matches a path template.
fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, given)| {
            if part.starts_with('{') { !given.is_empty() } else { part == given }
        })
}

/// Compares the answer's status, headers and body with the description.
fn is(told: &Value, answer: &Answer) -> bool {
    let Some(content) = told["content"].as_object() else { return answer.bytes.is_empty() };
    let kind = answer.header("Content-Type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    match content.get(kind) {
        Some(content) if kind.ends_with("json") => says(&content["schema"], &answer.json()),
        Some(_) => true,
        None => content.contains_key("*/*"),
    }
}

/// Tells whether a value is as the schema says, and has no field that it lacks.
pub(crate) fn says(schema: &Value, value: &Value) -> bool {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);
    let valid = {
        let mut validators = VALIDATORS.lock().expect("a test that failed says why itself");
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let components = &DESCRIPTION["components"];
            let schema = json!({ "allOf": [schema], "components": components });
            jsonschema::draft202012::new(&schema).expect("a schema")
        });
        validator.is_valid(value)
    };
    valid && has_all(schema, value)
}

/// Tells whether each field of the value is in the schema.
fn has_all(schema: &Value, value: &Value) -> bool {
    let parts = parts(schema);
    match value {
        Value::Object(fields) => {
            let properties = || parts.iter().filter_map(|part| part["properties"].as_object());
            // An object of whose fields nothing is said can have any.
            properties().next().is_none()
                || fields.iter().all(|(name, value)| {
                    properties().filter_map(|told| told.get(name)).any(|told| has_all(told, value))
                })
        }
        Value::Array(items) => {
            let mut told = parts.iter().filter_map(|part| part.get("items"));
            told.all(|schema| items.iter().all(|item| has_all(schema, item)))
        }
        _ => true,
    }
}

/// Lists all parts of a schema: itself, what it refers to, and its parts and alternatives.
fn parts(schema: &Value) -> Vec<&Value> {
    let referred = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let referred = referred.and_then(|pointer| DESCRIPTION.pointer(pointer));
    let several = [&schema["allOf"], &schema["oneOf"]].into_iter().filter_map(Value::as_array);
    let others = referred.into_iter().chain(several.flatten()).flat_map(parts);
    std::iter::once(schema).chain(others).collect()
}
