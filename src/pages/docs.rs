//! The page with the API's description, drawn from the `OpenAPI` document.

use std::sync::LazyLock;

use pulldown_cmark::{Parser, html};
use rocket::get;
use rocket_dyn_templates::{Template, context};
use serde::Serialize;
use serde_json::Value;

use super::look::Look;
use crate::api::description;

/// Serves the description of the API as a page.
#[get("/api/docs")]
pub(super) fn docs(look: Look) -> Template {
    static API: LazyLock<Api> = LazyLock::new(Api::from_description);
    look.page("docs", context! { api: &*API })
}

/// The order of the routes at one path, by method.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The description as the page's template takes it.
#[derive(Serialize)]
struct Api {
    version: String,
    html: String,
    sections: Vec<Section>,
    schemas: Vec<Shape>,
}

/// A group of routes, by their tag.
#[derive(Serialize)]
struct Section {
    name: String,
    html: String,
    routes: Vec<Route>,
}

#[derive(Serialize)]
struct Route {
    /// The operation's id, which is its anchor on the page.
    id: String,
    method: String,
    path: String,
    summary: String,
    html: String,
    /// `true` where no session is needed.
    open: bool,
    parameters: Vec<Field>,
    body_html: String,
    bodies: Vec<Shape>,
    answers: Vec<Response>,
    events: Vec<Event>,
    curl: String,
}

#[derive(Serialize)]
struct Response {
    status: String,
    html: String,
    headers: Vec<Field>,
    shape: Option<Shape>,
}

/// An event of a stream.
#[derive(Serialize)]
struct Event {
    name: String,
    has_id: bool,
    html: String,
    shape: Shape,
}

/// A schema: the type of its values, and the fields if they are objects.
#[derive(Serialize)]
struct Shape {
    /// A schema's name, or the media type of a body.
    name: String,
    kind: ValueType,
    html: String,
    fields: Vec<Field>,
}

/// A field of an object, a parameter, or a header.
#[derive(Serialize)]
struct Field {
    name: String,
    /// `path`, `query` or `header`; empty for the field of an object.
    place: String,
    kind: ValueType,
    html: String,
    required: bool,
}

/// The type of a value, in words, and the name of the schema that it refers to.
#[derive(Default, Serialize)]
struct ValueType {
    words: String,
    schema: Option<String>,
}

impl Api {
    fn from_description() -> Self {
        let document: Value = serde_json::from_str(description::json()).unwrap_or_default();
        let mut routes = Vec::new();
        for (path, item) in fields(&document["paths"]) {
            for (method, operation) in fields(item) {
                routes.push((text(&operation["tags"][0]), Route::of(path, method, operation)));
            }
        }
        let rank = |route: &Route| METHODS.iter().position(|method| *method == route.method);
        routes.sort_by_key(|(_, route)| (route.path.clone(), rank(route)));
        let sections = items(&document["tags"]).map(|tag| {
            let name = text(&tag["name"]);
            let of_section = routes.extract_if(.., |(section, _)| *section == name);
            let routes = of_section.map(|(_, route)| route).collect();
            Section { name, html: rendered(&tag["description"]), routes }
        });
        let sections = sections.collect();
        let schemas = fields(&document["components"]["schemas"]);
        Self {
            version: text(&document["info"]["version"]),
            html: rendered(&document["info"]["description"]),
            sections,
            schemas: schemas.map(|(name, schema)| Shape::of(name, schema)).collect(),
        }
    }
}

impl Route {
    fn of(path: &str, method: &str, operation: &Value) -> Self {
        let answers = fields(&operation["responses"]);
        let bodies = fields(&operation["requestBody"]["content"]);
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            html: rendered(&operation["description"]),
            open: operation["responses"].get("401").is_none(),
            parameters: items(&operation["parameters"]).map(Field::of_parameter).collect(),
            body_html: rendered(&operation["requestBody"]["description"]),
            bodies: bodies.map(|(kind, body)| Shape::of(kind, &body["schema"])).collect(),
            answers: answers.map(|(status, answer)| Response::of(status, answer)).collect(),
            events: items(&operation["x-events"]).map(Event::of).collect(),
            curl: text(&operation["x-codeSamples"][0]["source"]).replace(" -H", " \\\n  -H"),
        }
    }
}

impl Response {
    fn of(status: &str, answer: &Value) -> Self {
        let headers = fields(&answer["headers"]);
        let content = fields(&answer["content"]).next();
        // The shape of refusals is described once, above all routes.
        let content = content.filter(|(kind, _)| *kind != "application/problem+json");
        Self {
            status: status.to_owned(),
            html: rendered(&answer["description"]),
            headers: headers.map(|(name, header)| Field::of(name, header, true)).collect(),
            shape: content.map(|(kind, content)| Shape::of(kind, &content["schema"])),
        }
    }
}

impl Event {
    fn of(event: &Value) -> Self {
        Self {
            name: text(&event["event"]),
            has_id: event["has_id"] == true,
            html: rendered(&event["description"]),
            shape: Shape::of("", &event["data"]),
        }
    }
}

impl Shape {
    fn of(name: &str, schema: &Value) -> Self {
        let required: Vec<_> = items(&schema["required"]).filter_map(Value::as_str).collect();
        let mut own: Vec<_> = fields(&schema["properties"]).collect();
        // JSON objects have no order, but `required` has one; optional fields come last.
        let place = |name: &str| required.iter().position(|required| *required == name);
        own.sort_by_key(|(name, _)| place(name).unwrap_or(required.len()));
        let own = own.into_iter().map(|(name, schema)| {
            let field = Field::of(name, schema, place(name).is_some());
            Field { kind: ValueType::of(schema), ..field }
        });
        Self {
            name: name.to_owned(),
            kind: ValueType::of(schema),
            html: rendered(&schema["description"]),
            fields: own.collect(),
        }
    }
}

impl Field {
    fn of(name: &str, value: &Value, required: bool) -> Self {
        Self {
            name: name.to_owned(),
            place: text(&value["in"]),
            kind: ValueType::default(),
            html: rendered(description_of(value)),
            required,
        }
    }

    fn of_parameter(parameter: &Value) -> Self {
        Self::of(&text(&parameter["name"]), parameter, parameter["required"] == true)
    }
}

impl ValueType {
    fn of(schema: &Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return Self { words: String::new(), schema: Some(name.to_owned()) };
        }
        for several in [&schema["allOf"], &schema["oneOf"]] {
            let mut kinds = items(several).map(Self::of);
            if let Some(first) = kinds.next() {
                let others = kinds.map(|kind| kind.words);
                let others: Vec<_> = others.filter(|words| words == "null").collect();
                let words = others.first().map_or("", |_| "or null");
                return Self { words: words.to_owned(), ..first };
            }
        }
        if schema["type"] == "array" {
            return Self { words: "list of".to_owned(), ..Self::of(&schema["items"]) };
        }
        let kind = &schema["type"];
        let kinds = items(kind).filter_map(Value::as_str).chain(kind.as_str());
        let words = match schema["format"].as_str() {
            Some("date-time") => kinds.collect::<Vec<_>>().join(" or ").replace("string", "time"),
            _ => kinds.collect::<Vec<_>>().join(" or "),
        };
        Self { words: words.replace("integer", "number"), schema: None }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The description of a schema; of one that may be `null`, that of its first part.
fn description_of(schema: &Value) -> &Value {
    match &schema["description"] {
        Value::Null => &schema["oneOf"][0]["description"],
        description => description,
    }
}

/// Renders `CommonMark` from the description, which is trusted, as HTML.
fn rendered(value: &Value) -> String {
    let mut page = String::new();
    html::push_html(&mut page, Parser::new(value.as_str().unwrap_or_default()));
    page
}
