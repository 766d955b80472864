//! Tests that the API's description is true: it has every route and nothing else, and answers look
//! as it says.

use std::collections::BTreeSet;

use houston::api::problem::ProblemKind;
use rocket::http::Method;
use serde_json::{Map, Value, json};

use crate::described::says;
use crate::harness::Workspace;

async fn description(workspace: &Workspace) -> Value {
    let answer = workspace.visitor().get("/api/openapi.json").await;
    assert_eq!(answer.status, 200, "it is open to all");
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    answer.json()
}

/// Lists each operation: its method, its path, and its description.
fn operations(description: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = description["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, item)| {
        let item = item.as_object().expect("an item").iter();
        item.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    });
    operations.collect()
}

/// Collects the values of this key, at any depth.
fn all<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    match value {
        Value::Object(fields) => {
            let own = fields.get(key).into_iter();
            own.chain(fields.values().flat_map(|field| all(field, key))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| all(item, key)).collect(),
        _ => Vec::new(),
    }
}

#[rocket::async_test]
async fn every_route_is_described_and_nothing_else() {
    let workspace = Workspace::start().await;
    let description = description(&workspace).await;
    let described = operations(&description).into_iter();
    let described: BTreeSet<_> =
        described.map(|(method, path, _)| format!("{} {path}", method.to_uppercase())).collect();
    // What HEAD gives goes without saying.
    let mounted = workspace.routes().into_iter().filter(|(_, route)| route.starts_with("/api/"));
    let mounted = mounted.filter(|(method, _)| *method != Method::Head);
    // The operator's commands alone know these.
    let mounted = mounted.filter(|(_, route)| !route.starts_with("/api/operator/"));
    let mounted: BTreeSet<_> = mounted
        .map(|(method, route)| {
            let path = route.split('?').next().unwrap_or_default();
            format!("{method} {}", path.replace("<_", "{").replace('<', "{").replace('>', "}"))
        })
        .collect();
    assert!(mounted.len() > 20, "{mounted:?}");
    assert_eq!(described, mounted);
}

#[rocket::async_test]
async fn it_is_an_openapi_document() {
    let workspace = Workspace::start().await;
    let description = description(&workspace).await;
    assert_eq!(description["openapi"], "3.1.0");
    assert!(description["info"]["title"].is_string() && description["info"]["version"].is_string());
    for reference in all(&description, "$ref") {
        let pointer = reference.as_str().and_then(|it| it.strip_prefix('#')).expect("of its own");
        assert!(description.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for schema in all(&description, "schema") {
        jsonschema::draft202012::meta::validate(schema).expect("a schema");
    }
    for schema in description["components"]["schemas"].as_object().expect("schemas").values() {
        jsonschema::draft202012::meta::validate(schema).expect("a schema");
    }
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&description) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id), "{id} is said twice");
        let title = operation["summary"].as_str().expect("a title");
        assert!(title.starts_with(|first: char| first.is_ascii_uppercase()), "{title}");
        assert!(title.len() <= 60 && !title.ends_with('.') && !title.contains('\n'), "{title}");
        assert!(operation.get("x-problems").is_none(), "{id}: problems are told as answers");
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.values().all(|answer| answer["description"].is_string()), "{path}");
        assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let in_path: BTreeSet<_> = in_path.map(|it| it["name"].as_str().expect("a name")).collect();
        let named: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(in_path, named, "{method} {path}");
        let sample = operation["x-codeSamples"][0]["source"].as_str().expect("an example");
        assert!(sample.starts_with("curl "), "{method} {path}: {sample}");
    }
}

#[rocket::async_test]
async fn people_can_read_all_of_it() {
    let workspace = Workspace::start().await;
    let description = description(&workspace).await;
    let page = workspace.visitor().get("/api/docs").await;
    assert_eq!(page.status, 200, "it is open to all");
    assert!(page.header("Content-Type").is_some_and(|kind| kind.starts_with("text/html")));
    assert!(page.header("Content-Security-Policy").is_some());
    for (_, path, operation) in operations(&description) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(page.text.contains(&format!("<h3 id=\"{id}\">")), "{id} has a place");
        assert!(page.text.contains(&format!("<a href=\"#{id}\">")), "{id} is in the contents");
        assert!(page.text.contains(&path.replace('/', "&#x2F;")), "{path}");
        for event in all(&operation["x-events"], "event") {
            let event = event.as_str().expect("a name");
            assert!(page.text.contains(&format!("<dt><code>{event}</code>")), "{event}");
        }
    }
    for name in description["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(page.text.contains(&format!("<h3 id=\"{name}\">")), "{name} has a place");
    }
    let ids = page.text.split(" id=\"").skip(1).map(|rest| rest.split('"').next());
    let (ids, unique): (Vec<_>, BTreeSet<_>) = (ids.clone().collect(), ids.collect());
    assert_eq!(ids.len(), unique.len(), "no two things have one name");
    let links = page.text.split("href=\"#").skip(1).map(|rest| rest.split('"').next());
    for link in links {
        assert!(unique.contains(&link), "{link:?} leads nowhere");
    }
}

#[rocket::async_test]
async fn every_problem_is_told_where_it_can_come_from() {
    let workspace = Workspace::start().await;
    let description = description(&workspace).await;
    let told = [&description["paths"], &description["components"]["responses"]];
    let told = told.into_iter().flat_map(|part| all(part, "enum")).filter_map(Value::as_array);
    let told = told.flatten().filter_map(Value::as_str);
    let told: BTreeSet<_> = told.filter(|told| told.starts_with("/problems/")).collect();
    // Links are followed on a page.
    let kinds = ProblemKind::ALL.into_iter().filter(|kind| *kind != ProblemKind::NoSuchLink);
    let kinds: BTreeSet<_> = kinds.map(|kind| format!("/problems/{}", kind.slug())).collect();
    assert_eq!(told, kinds.iter().map(String::as_str).collect(), "each problem, and no other");
    let any = &description["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let any: BTreeSet<_> =
        any.as_array().expect("types").iter().filter_map(Value::as_str).collect();
    assert_eq!(any, told);
    let problem = workspace.visitor().get("/api/session").await.refused(401, "sign-in-required");
    let answer = &description["paths"]["/api/session"]["get"]["responses"]["401"];
    let mut schema = answer["content"]["application/problem+json"]["schema"].clone();
    schema["components"] = description["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    assert!(validator.is_valid(&problem), "{problem} is no {schema}");
    for (method, path, operation) in operations(&description) {
        let open = operation["security"] == json!([{}]);
        let told = operation["responses"].get("401").is_some();
        assert_ne!(open, told, "{method} {path}: a session is needed, or it is not");
    }
}

#[rocket::async_test]
async fn only_what_is_described_as_open_answers_without_a_session() {
    let workspace = Workspace::start().await;
    let description = description(&workspace).await;
    for (method, path, operation) in operations(&description) {
        let address = path.replace("{channel}", "general").replace(['{', '}'], "");
        let json = [("Content-Type", "application/json")];
        let method = method.to_uppercase().parse().expect("a method");
        let answer = workspace.visitor().asks(method, &address, &json, "{}").await;
        let open = operation["responses"].get("401").is_none();
        assert_eq!(answer.status != 401, open, "{method} {path}: {answer:?}");
    }
}

/// Every test here checks its answers against the description; this one makes sure that the most
/// usual requests are among them, with every optional field.
#[rocket::async_test]
async fn what_is_answered_is_as_described() {
    let workspace = Workspace::start().await;
    let signed_in =
        workspace.visitor().post("/api/session", json!({ "display_name": "Ada" })).await.json();
    let ada = workspace.holder_of(signed_in["token"].as_str().expect("a token"));
    let again = ada.post("/api/session", json!({ "display_name": "Ada" })).await;
    assert_eq!((again.status, again.json().get("token")), (200, None));
    let bob = workspace.signed_in_as("Bob").await;
    ada.get("/api/session").await;
    ada.get("/api/users").await;
    ada.post("/api/session/links", json!({})).await;

    ada.creates("launch").await;
    ada.posts("@Bob", "Hello").await;
    let channels = bob.get("/api/channels").await.json();
    assert_eq!(channels["channels"].as_array().map(Vec::len), Some(3));
    assert_eq!(bob.channel("@Ada").await["with"], signed_in["user"], "the other one");
    bob.channel("@Bob").await;

    let pixel = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0";
    let files: [(&str, &[u8]); 2] = [("plan.txt", b"plot"), ("map.png", pixel)];
    let message = ada.sends("launch", "The plan", &files).await.json();
    assert_eq!(message["attachments"][1]["width"], 2);
    let url = message["attachments"][0]["url"].as_str().expect("an address");
    assert_eq!(bob.get(url).await.text, "plot");
    let reaction = format!(
        "/api/channels/launch/messages/{}/reactions/go",
        message["id"].as_str().expect("an id")
    );
    bob.put(&reaction, json!({})).await;
    let (history, _) = bob.history("launch").await;
    assert_eq!(history[0]["reactions"][0]["reaction"], "go");
    assert_eq!(bob.get("/api/search?q=plan").await.json()["messages"][0], history[0]);
    ada.puts("launch", "m1", "once").await;
    assert!(ada.puts("launch", "m1", "twice").await.json()["edited_at"].is_string());
    ada.deletes("launch", "m1").await;
    assert_eq!(ada.restores("launch", "m1").await["text"], "twice");

    for (body, field) in [(json!({}), "name"), (json!({ "name": 5 }), "name")] {
        let problem = ada.post("/api/channels", body).await.refused(400, "malformed-request");
        assert_eq!(problem["field"], field);
    }
}

#[rocket::async_test]
async fn what_is_not_described_is_noticed() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let user = json!({ "$ref": "#/components/schemas/User" });
    assert!(says(&user, &ada.user));
    assert!(!says(&user, &json!({ "id": "u1", "bot": false })), "a field is missing");
    assert!(
        !says(&user, &json!({ "id": "u1", "display_name": 5, "bot": false })),
        "a field is of another type"
    );
    let more = json!({ "id": "u1", "display_name": "Ada", "bot": false, "age": 36 });
    assert!(!says(&user, &more), "a field is not described");
    let list = json!({ "type": "array", "items": { "allOf": [user, { "properties": { "online": {} } }] } });
    let with = |name: &str| {
        let mut listed = ada.user.clone();
        listed[name] = json!(true);
        json!([listed])
    };
    assert!(says(&list, &with("online")));
    assert!(!says(&list, &with("offline")));
}

#[rocket::async_test]
async fn what_streams_tell_is_as_described() {
    let workspace = Workspace::start().await;
    let description = description(&workspace).await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("launch").await;
    let told = |path: &str| {
        let mut events = Map::new();
        let operation = &description["paths"][path]["get"];
        for event in operation["x-events"].as_array().expect("events") {
            events.insert(event["event"].as_str().expect("a name").into(), event.clone());
        }
        // What programs read: the shape of each event, as the stream has it.
        (events, &operation["responses"]["200"]["content"]["text/event-stream"]["schema"])
    };
    let mut here = ada.opens("/api/channels/launch/events?after=nonsense", &[]).await;
    let mut everywhere = ada.opens("/api/events?after=nonsense", &[]).await;
    let bobs = bob.listens("launch").await;
    bob.puts("launch", "m1", "once").await;
    bob.puts("launch", "m1", "twice").await;
    bob.post("/api/channels/launch/typing", json!({})).await;
    bob.deletes("launch", "m1").await;
    bob.restores("launch", "m1").await;
    bob.patch("/api/session", json!({ "display_name": "Bert" })).await;
    ada.patch("/api/channels/launch", json!({ "topic": "Countdown" })).await;
    bob.creates("other").await;
    drop(bobs);
    let mut listening = [
        (&mut here, told("/api/channels/{channel}/events"), BTreeSet::new()),
        (&mut everywhere, told("/api/events"), BTreeSet::new()),
    ];
    // Of a channel that is gone nobody is told what it was about, so that comes first.
    for last in ["channel-updated", "channel-deleted"] {
        if last == "channel-deleted" {
            ada.delete("/api/channels/launch").await;
        }
        for (feed, (events, schema), heard) in &mut listening {
            while !heard.contains(last) {
                let event = feed.next().await.expect("the stream goes on");
                let described = events.get(&event.name).unwrap_or_else(|| panic!("{event:?}"));
                assert_eq!(described["has_id"], event.id.is_some(), "{event:?}");
                assert!(says(&described["data"], &event.data), "{event:?}");
                let (name, data) = (&event.name, event.data.to_string());
                let with_id = json!({ "event": name, "data": data, "id": event.id });
                let without = json!({ "event": name, "data": data });
                let sent = if event.id.is_some() { with_id } else { without };
                assert!(says(schema, &sent), "{sent} is not in {schema}");
                heard.insert(event.name);
            }
        }
    }
    // It takes seconds until somebody has left, and a hundred people until they are counted alone.
    let late = ["left", "offline", "ping", "presence"];
    for (_, (events, _), heard) in &listening {
        let told = events.keys().filter(|name| !late.contains(&name.as_str()));
        assert_eq!(
            told.collect::<BTreeSet<_>>(),
            heard.iter().collect(),
            "each event, and no other"
        );
    }
}
