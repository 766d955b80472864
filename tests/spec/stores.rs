//! Tests of stores that earlier versions wrote.

use chrono::Utc;
use houston::domain::entry::Key;
use houston::domain::ids::SessionId;
use houston::domain::names::DisplayName;
use houston::domain::time::Timestamp;
use rocket::http::RawStr;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::Workspace;

/// A store that version 1 wrote, dumped by `sqlite3`: two users who are here, two who have left,
/// one of them under another name than before, a full channel whose topic was changed after its
/// messages, direct conversations, a read marker, and a channel name that made the whole store
/// unreadable.
const VERSION_1: &str = include_str!("stores/version_1.sql");
/// The tokens of the two users who are signed in.
const COUNTESS: &str = "398530e86674bdceccc07b054793bd196abefaf01466d2eb9625843c827deee0";
const BOB: &str = "824379f55934528cf4c43f6495bc8c003603697f7ed14f5068eb67c918cc3878";
/// The channel `ꭰ`, in an address.
const CHEROKEE: &str = "%EA%AD%B0";

async fn opened() -> Workspace {
    let data = tempfile::tempdir().expect("a temporary directory");
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    database.execute_batch(VERSION_1).expect("a dump");
    drop(database);
    Workspace::over(data).await
}

#[rocket::async_test]
async fn a_store_of_version_1_opens_with_all_that_it_kept() {
    let mut workspace = opened().await;
    for _ in 0..2 {
        let (ada, bob) = (workspace.holder_of(COUNTESS), workspace.holder_of(BOB));
        assert_eq!(ada.get("/api/session").await.json()["user"]["display_name"], "Countess");

        let (messages, _) = bob.history("ops").await;
        assert_eq!(messages.len(), 99, "one was deleted");
        assert_eq!((&messages[0]["id"], &messages[98]["id"]), (&json!("m6"), &json!("m105")));
        assert!(messages.iter().all(|message| message["author"]["display_name"] == "Countess"));
        let of = |id: &str| messages.iter().find(|it| it["id"] == id).expect("it is kept").clone();
        assert_eq!(of("m90")["text"], "edited for @Bob");
        let given = &of("m92")["reactions"][0]["users"];
        assert_eq!(given[0]["display_name"], "Eva", "under the name that she had last");
        assert_eq!(given[1]["display_name"], "Zoe");

        let ops = bob.channel("ops").await;
        assert_eq!((&ops["topic"], &ops["unread"]), (&json!("two"), &json!(5)));
        assert_eq!(ops["created_by"]["display_name"], "Countess");
        assert_eq!(bob.channel("eves").await["created_by"], json!(null), "she has left");
        assert_eq!(bob.channel(CHEROKEE).await["name"], "ꭰ");
        bob.get("/api/channels/gone").await.refused(404, "no-such-channel");

        assert_eq!(ada.reads("@Bob").await, ["just us"]);
        let zoes = bob.get("/api/channels").await.json();
        let zoes = zoes["channels"].as_array().expect("channels").iter();
        let zoes = zoes.filter(|channel| channel["name"] == "@Zoe");
        let zoes: Vec<_> =
            zoes.map(|channel| format!("id:{}", channel["id"].as_str().expect("an id"))).collect();
        assert_eq!(bob.reads(&zoes[0]).await, ["with zoe"]);

        drop((ada, bob));
        workspace = workspace.restarted().await;
    }
}

#[rocket::async_test]
async fn a_store_of_version_1_goes_on_as_any_other() {
    let workspace = opened().await;
    let (ada, bob) = (workspace.holder_of(COUNTESS), workspace.holder_of(BOB));
    let zoe = workspace.signed_in_as("Zoe").await;
    workspace.signed_in_as("Eve").await;
    assert_eq!(ada.patch("/api/channels/ops", json!({ "topic": "three" })).await.status, 200);
    assert_eq!(bob.put("/api/channels/ops/read", json!({ "message": "m105" })).await.status, 204);
    assert_eq!(ada.posts("ops", "new").await["author"]["display_name"], "Countess");
    ada.patch("/api/session", json!({ "display_name": "Ada" })).await;
    assert_eq!(ada.delete("/api/channels/ops/messages/m90").await.status, 204);
    zoe.posts("general", "another Zoe").await;
    let token = zoe.token.clone().expect("a token");
    drop((ada, bob, zoe));

    let workspace = workspace.restarted().await;

    let (bob, zoe) = (workspace.holder_of(BOB), workspace.holder_of(&token));
    let ops = bob.channel("ops").await;
    assert_eq!((&ops["topic"], &ops["unread"]), (&json!("three"), &json!(1)));
    let (messages, _) = bob.history("ops").await;
    assert_eq!(messages.len(), 99);
    assert!(messages.iter().all(|message| message["author"]["display_name"] == "Ada"));
    assert_eq!(zoe.reads("general").await, ["hello from zoe", "another Zoe"]);
    assert_eq!(zoe.delete("/api/session").await.status, 204);
    workspace.signed_in_as("zoe").await;
}

#[rocket::async_test]
async fn sessions_of_an_earlier_version_have_ids_that_stay_and_can_be_ended() {
    let mut workspace = opened().await;
    let mut before = None;
    for _ in 0..3 {
        let ada = workspace.holder_of(COUNTESS);
        let listed = ada.get("/api/sessions").await.json()["sessions"].clone();
        let session = &listed[0];
        let nothing = [&session["name"], &session["client"]];
        assert_eq!((&session["kind"], nothing), (&json!("browser"), [&json!(null); 2]));
        let stays = (session["id"].clone(), session["created_at"].clone());
        assert_eq!(*before.get_or_insert(stays.clone()), stays, "{listed}");
        // From here on its record is one of the present version.
        ada.post("/api/sessions", json!({ "name": "script" })).await;
        drop(ada);
        workspace = workspace.restarted().await;
    }
    let ada = workspace.holder_of(COUNTESS);
    let (id, _) = before.expect("it was listed");
    let path = format!("/api/sessions/{}", id.as_str().expect("an id"));
    assert_eq!(ada.delete(&path).await.status, 204);
    ada.get("/api/session").await.refused(401, "sign-in-required");
}

/// Adds a user who is signed in under this name, which nothing checks; returns their token.
fn add_user(database: &Connection, name: &str) -> String {
    let token = format!("the token of {name}");
    let key = Key::User(name.parse::<DisplayName>().expect("a name").hash());
    let session = json!({ "id": SessionId::of_token(&token), "used_at": Timestamp::from(Utc::now()).as_millis() });
    let body = json!({
        "v": 2, "user": { "id": name, "display_name": name }, "sessions": [session],
        "revision": 0, "since": 0,
    });
    let insert = "insert into log (key, at, op, body) values (?1, 0, ?2, ?3)";
    database.execute(insert, [key.to_string(), token.clone(), body.to_string()]).expect("an entry");
    token
}

#[rocket::async_test]
async fn names_that_look_alike_and_are_held_already_stay_valid() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    database.execute_batch(VERSION_1).expect("a dump");
    let names = ["Ada", "Аda", "Αda"]; // Latin, Cyrillic, Greek
    let tokens = names.map(|name| add_user(&database, name));
    drop(database);

    let mut workspace = Workspace::over(data).await;
    for _ in 0..2 {
        let users = tokens.clone().map(|token| workspace.holder_of(&token));
        for (user, name) in users.iter().zip(names) {
            assert_eq!(user.get("/api/session").await.json()["user"]["display_name"], name);
            let name = json!({ "display_name": name });
            assert_eq!(user.post("/api/session", name.clone()).await.status, 200, "the same user");
            assert_eq!(user.patch("/api/session", name).await.status, 200, "the same name");
            user.posts("general", "hello").await;
        }
        let another = json!({ "display_name": "Adа" });
        let answer = workspace.visitor().post("/api/session", another.clone()).await;
        answer.refused(409, "display-name-taken");
        users[0].patch("/api/session", another).await.refused(409, "display-name-taken");
        drop(users);
        workspace = workspace.restarted().await;
    }

    let [latin, cyrillic, greek] = tokens.map(|token| workspace.holder_of(&token));
    assert_eq!(latin.delete("/api/session").await.status, 204);
    let ada = json!({ "display_name": "Ada" });
    workspace.visitor().post("/api/session", ada.clone()).await.refused(409, "display-name-taken");
    assert_eq!(cyrillic.delete("/api/session").await.status, 204);
    assert_eq!(greek.patch("/api/session", json!({ "display_name": "Eve" })).await.status, 200);
    assert_eq!(workspace.visitor().post("/api/session", ada).await.status, 201);
}

#[rocket::async_test]
async fn reactions_that_were_kept_in_two_forms_stay_and_can_be_given_and_taken_back() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    database.execute_batch(VERSION_1).expect("a dump");
    let tokens = ["Ada", "Max", "Nora", "Tom"].map(|name| add_user(&database, name));
    let user = |name: &str| json!({ "id": name, "display_name": name });
    let kept = json!([
        { "reaction": "❤\u{FE0F}", "users": [user("Ada"), user("Max")] },
        { "reaction": "❤", "users": [user("Max"), user("Nora")] },
    ]);
    let body = json!({ "v": 2, "state": "present", "reactions": kept }).to_string();
    let insert = "insert into log (key, at, op, body) select replace(key, '.m', '.x.' || seq), 0, \
                  'react', ?1 from log where key like 'c.%.m' and body like '%\"id\":\"m105\"%'";
    assert_eq!(database.execute(insert, [body]).expect("an entry"), 1);
    drop(database);
    let shown = async |workspace: &Workspace| -> Vec<(String, Vec<String>)> {
        let message = workspace.holder_of(BOB).get("/api/channels/ops/messages/m105").await.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let users = |group: &Value| -> Vec<_> {
            let users = group["users"].as_array().expect("users").iter();
            users.map(|user| text(&user["display_name"])).collect()
        };
        let groups = message["reactions"].as_array().expect("reactions").iter();
        groups.map(|group| (text(&group["reaction"]), users(group))).collect()
    };
    let group = |reaction: &str, users: &[&str]| {
        (reaction.to_owned(), users.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let path = |reaction: &str| {
        let reaction = RawStr::new(reaction).percent_encode();
        format!("/api/channels/ops/messages/m105/reactions/{reaction}")
    };

    let workspace = Workspace::over(data).await;
    let (emoji, plain) = ("❤\u{FE0F}", "❤");
    let both = [group(emoji, &["Ada", "Max"]), group(plain, &["Max", "Nora"])];
    assert_eq!(shown(&workspace).await, both);
    let [ada, max, nora, tom] = tokens.map(|token| workspace.holder_of(&token));

    for (user, reaction) in [(&ada, plain), (&max, plain), (&nora, emoji), (&tom, plain)] {
        assert_eq!(user.put(&path(reaction), json!({})).await.status, 204);
    }
    let both = [group(emoji, &["Ada", "Max"]), group(plain, &["Max", "Nora", "Tom"])];
    assert_eq!(shown(&workspace).await, both, "nobody gives it twice");

    assert_eq!(max.delete(&path(emoji)).await.status, 204);
    assert_eq!(tom.delete(&path(emoji)).await.status, 204);
    assert_eq!(shown(&workspace).await, [group(emoji, &["Ada"]), group(plain, &["Nora"])]);
    assert_eq!(ada.delete(&path(plain)).await.status, 204);
    drop((ada, max, nora, tom));
    let workspace = workspace.restarted().await;
    assert_eq!(shown(&workspace).await, [group(plain, &["Nora"])]);
}

#[rocket::async_test]
async fn an_entry_that_cannot_be_read_is_set_aside_and_counted() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    database.execute_batch(VERSION_1).expect("a dump");
    for (key, body) in [
        ("c.x.m", r#"{"v":1,"nonsense":true}"#),
        ("x.y.z", r#"{"v":1}"#),
        ("c.x.m", r#"{"v":99}"#),
        ("c.x.m", "not JSON"),
    ] {
        let insert = "insert into log (key, at, op, body) values (?1, 0, 'no uuid', ?2)";
        database.execute(insert, [key, body]).expect("an entry");
    }
    drop(database);

    let workspace = Workspace::over(data).await;

    let bob = workspace.holder_of(BOB);
    assert_eq!(bob.channel(CHEROKEE).await["name"], "ꭰ");
    bob.posts("general", "it goes on").await;
    let metrics = workspace.visitor().get("/metrics").await;
    let counted = "houston_log_unreadable_entries_total 4";
    assert!(metrics.text.lines().any(|line| line == counted), "{}", metrics.text);
}

/// A store of version 1 in which the bodies of these keys cannot be read.
fn damaged(keys: &str) -> TempDir {
    let data = tempfile::tempdir().expect("a temporary directory");
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    database.execute_batch(VERSION_1).expect("a dump");
    let changed = database.execute("update log set body = 'not JSON' where key like ?1", [keys]);
    assert_eq!(changed.expect("an update"), 1);
    data
}

/// The number of the log's entries whose keys are like this.
fn entries(workspace: &Workspace, keys: &str) -> usize {
    let database = Connection::open(workspace.data().join("houston.db")).expect("a database");
    let count = "select count(*) from log where key like ?1";
    database.query_row(count, [keys], |row| row.get(0)).expect("a count")
}

#[rocket::async_test]
async fn what_rests_on_an_entry_that_cannot_be_read_is_kept() {
    let mut workspace = Workspace::over(damaged("d.n.d3dc89%")).await;
    for kept in 103..105 {
        let bob = workspace.holder_of(BOB);
        bob.get("/api/channels/ops").await.refused(404, "no-such-channel");
        bob.posts("general", "it goes on").await;
        drop(bob);
        workspace = workspace.restarted().await;
        assert_eq!(entries(&workspace, "c.%.m"), kept);
    }
}

#[rocket::async_test]
async fn an_entry_that_cannot_be_read_does_not_block_its_key() {
    let workspace = Workspace::over(damaged("d.n.78be47%")).await;
    let bob = workspace.holder_of(BOB);
    bob.posts("general", "there is one all the same").await;

    let data = tempfile::tempdir().expect("a temporary directory");
    let database = Connection::open(data.path().join("houston.db")).expect("a database");
    database.execute_batch(VERSION_1).expect("a dump");
    let after = "insert into log (key, at, op, body) select key, at, 'none', 'not JSON' from log \
                 where key like 'd.u.%' or key like 'd.n.d3dc89%' or key like 'c.%.x.100'";
    database.execute(after, []).expect("entries");
    drop(database);
    let workspace = Workspace::over(data).await;
    let (ada, bob) = (workspace.holder_of(COUNTESS), workspace.holder_of(BOB));
    assert_eq!(ada.patch("/api/channels/ops", json!({ "topic": "three" })).await.status, 200);
    let reaction = "/api/channels/ops/messages/m92/reactions/no";
    assert_eq!(bob.put(reaction, json!({})).await.status, 204);
    assert_eq!(bob.delete("/api/session").await.status, 204);
    workspace.signed_in_as("Bob").await;
}
