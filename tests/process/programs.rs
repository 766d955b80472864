//! Tests with programs that others wrote: those that post to hooks as they would to Slack or Mattermost,
//! and those that are told of messages. `tests/all` installs them, below `target/tools` and
//! `tests/programs`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rocket::tokio::time::sleep;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{Server, free_port, until};

/// Where programs are looked for that no variable points to.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools");
pub(crate) const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs");

/// A program that a variable may point to; else it is below `target/tools`.
pub(crate) fn program(variable: &str, path: &str) -> PathBuf {
    let found = env::var_os(variable).map_or_else(|| Path::new(TOOLS).join(path), PathBuf::from);
    assert!(found.is_file(), "{path} is missing: run tests/all, or set {variable}");
    found
}

pub(crate) fn python() -> Command {
    Command::new(program("PROGRAMS_PYTHON", "python/bin/python"))
}

#[track_caller]
fn runs(command: &mut Command) -> String {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// Makes a hook of `general`. Returns its address.
async fn hook(ada: &Client) -> String {
    let made = ada.post("/api/channels/general/hooks", json!({ "name": "CI" })).await;
    let made = made.expect("an answer");
    assert_eq!(made.status, 201, "{made:?}");
    made.json["url"].as_str().expect("an address").to_owned()
}

async fn last(ada: &Client) -> Value {
    ada.messages("general").await.pop().expect("a message")
}

#[rocket::async_test]
async fn curl_posts_as_slack_s_manual_shows_it() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let url = hook(&ada).await;
    let json = ["-X", "POST", "-H", "Content-type: application/json", "--data"];
    for (arguments, body, text) in [
        (&json[..], r#"{"text":"Hello, World!"}"#, "Hello, World!"),
        (&["-X", "POST", "--data-urlencode"], r#"payload={"text": "a & b"}"#, "a & b"),
        (
            &["-d"],
            r#"{"text": "Danny Torrance left a 1 star review"}"#,
            "Danny Torrance left a 1 star review",
        ),
        (&["-H", "Content-Type: text/plain", "-d"], "as it is", "as it is"),
        (
            &json,
            r#"{"text": "<https://example.com|Overlook Hotel>"}"#,
            "[Overlook Hotel](https://example.com)",
        ),
    ] {
        let said =
            runs(Command::new("curl").args(["-sS", "--fail"]).args(arguments).args([body, &url]));
        assert_eq!(said, "ok", "{arguments:?} {body}");
        assert_eq!(last(&ada).await["text"], text, "{arguments:?}");
    }
}

#[rocket::async_test]
async fn clients_of_slack_mattermost_and_matrix_post_here() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let url = hook(&ada).await;
    let posts = |which: &str| {
        runs(python().arg(format!("{SCRIPTS}/post.py")).args([which, &url]));
    };
    posts("mattermost");
    let message = last(&ada).await;
    assert_eq!(message["author"]["display_name"], "Apprise", "{message}");
    let text = message["text"].as_str().expect("a text");
    assert!(text.contains("Backup & restore") && text.contains("All is <well>"), "{text:?}");
    posts("matrix");
    let message = last(&ada).await;
    let text = message["text"].as_str().expect("a text");
    assert!(text.starts_with("**Backup & restore**\n\nAll is <well>"), "{text:?}");
    assert!(message["html"].as_str().is_some_and(|it| it.starts_with("<section data-hue=")));
    posts("slack");
    assert_eq!(last(&ada).await["text"], "**From slack_sdk**\n\n**By**\nAda");

    runs(Command::new("node").arg(format!("{SCRIPTS}/post.mjs")).arg(&url));
    let message = last(&ada).await;
    assert_eq!(message["text"], "From **@slack/webhook**\n\ndeployed");
    assert_eq!(message["author"]["display_name"], "Node");
    assert_eq!(message["hook"]["icon"], "🚀");

    let library = format!("{TOOLS}/usr/lib/ruby/vendor_ruby");
    runs(Command::new("ruby").args(["-I", &library, &format!("{SCRIPTS}/post.rb"), &url]));
    let message = last(&ada).await;
    let text = "From **slack-notifier**\n\n**Backup**\n\nSee [the log](https://ci.example.org/7)";
    assert_eq!(message["text"], text, "{message}");
    assert_eq!(message["author"]["display_name"], "Ruby");
    assert_eq!(message["hook"]["icon"], "💎");
}

/// A program that runs while the test does, in a directory of its own.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn of(command: &mut Command) -> Self {
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Waits until somebody answers at an address.
async fn answers(url: &str) {
    let client = reqwest::Client::new();
    until(url, async || client.get(url).send().await.is_ok()).await;
}

#[rocket::async_test]
async fn alertmanager_posts_by_both_of_its_receivers() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let url = hook(&ada).await;
    let (directory, port) = (directory(), free_port());
    let config = format!(
        "route: {{receiver: slack, group_wait: 0s, routes: [{{receiver: slack, continue: true}}, \
         {{receiver: generic}}]}}\n\
         receivers:\n\
         - name: slack\n  slack_configs: [{{api_url: '{url}', channel: '#alerts'}}]\n\
         - name: generic\n  webhook_configs: [{{url: '{url}'}}]\n"
    );
    let file = directory.path().join("alertmanager.yml");
    fs::write(&file, config).expect("writable");
    let mut alertmanager = Command::new(program("ALERTMANAGER", "usr/bin/prometheus-alertmanager"));
    alertmanager
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", directory.path().display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    let _running = Running::of(&mut alertmanager);
    answers(&format!("http://127.0.0.1:{port}/-/ready")).await;
    let alert = json!([{
        "labels": { "alertname": "DiskFull", "instance": "db_1" },
        "annotations": { "summary": "The disk is full", "description": "95 %" },
    }]);
    let alerts = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let told = reqwest::Client::new().post(alerts).json(&alert).send().await.expect("an answer");
    assert!(told.status().is_success(), "{told:?}");

    until("both are there", async || ada.messages("general").await.len() == 2).await;
    let messages = ada.messages("general").await;
    let text = |message: &Value| message["text"].as_str().expect("a text").to_owned();
    let generic =
        messages.iter().find(|message| text(message).contains("Firing: The disk is full"));
    let generic = generic.unwrap_or_else(|| panic!("{messages:?}"));
    assert!(text(generic).contains("95 %") && text(generic).contains("db_1"), "{generic}");
    let slack = messages.iter().find(|message| text(message).contains("FIRING:1"));
    let slack = slack.unwrap_or_else(|| panic!("{messages:?}"));
    for message in [generic, slack] {
        assert!(message["html"].as_str().is_some_and(|it| it.contains("<section")), "{message}");
    }
}

/// Debian's `webhook` runs a script that verifies the signature by the library of Standard Webhooks, and
/// answers with what it prints.
#[rocket::async_test]
async fn a_program_verifies_what_it_is_told_and_answers() {
    let server = Server::with(&[("ROCKET_OUTGOING_PRIVATE", "true")]).await;
    let ada = server.client().signed_in_as("Ada").await;
    let (directory, port) = (directory(), free_port());
    let url = format!("http://127.0.0.1:{port}/hooks/verify");
    let body = json!({ "name": "Verifier", "url": url, "words": ["!verify"] });
    let made = ada.post("/api/channels/general/outgoing", body).await.expect("an answer");
    assert_eq!(made.status, 201, "{made:?}");
    let script = format!("{SCRIPTS}/verify.py");
    let python = program("PROGRAMS_PYTHON", "python/bin/python");
    let argument = |source: &str, name: &str| json!({ "source": source, "name": name });
    let hooks = json!([{
        "id": "verify",
        "execute-command": python,
        "include-command-output-in-response": true,
        "pass-arguments-to-command": [
            argument("string", &script),
            argument("string", made.json["secret"].as_str().expect("a key")),
            argument("header", "webhook-id"),
            argument("header", "webhook-timestamp"),
            argument("header", "webhook-signature"),
            { "source": "raw-request-body" },
        ],
    }]);
    let file = directory.path().join("hooks.json");
    fs::write(&file, hooks.to_string()).expect("writable");
    let mut webhook = Command::new(program("WEBHOOK", "usr/bin/webhook"));
    webhook.arg("-hooks").arg(&file).args(["-ip", "127.0.0.1", "-port", &port.to_string()]);
    let _running = Running::of(&mut webhook);
    answers(&format!("http://127.0.0.1:{port}/")).await;

    ada.puts("general", "m1", "!verify \"this\" é").await.expect("an answer");
    until("it answers", async || ada.messages("general").await.len() == 2).await;
    let answer = last(&ada).await;
    assert_eq!(answer["text"], "verified: !verify \"this\" é", "{answer}");
    assert_eq!(answer["author"]["display_name"], "Verifier");
}

#[rocket::async_test]
async fn nothing_is_posted_to_this_machine_unless_that_is_allowed() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("it can be");
    for (host, refused) in [("127.0.0.1", true), ("0x7f.1", true), ("localhost", false)] {
        let body = json!({ "name": "Bot", "url": format!("http://{host}:{port}/") });
        let made = ada.post("/api/channels/general/outgoing", body).await.expect("an answer");
        assert_eq!(made.status, if refused { 422 } else { 201 }, "{host}: {made:?}");
    }
    ada.puts("general", "m1", "hello").await.expect("an answer");
    sleep(Duration::from_secs(2)).await;
    let connected = listener.accept();
    assert!(connected.is_err(), "{connected:?}");
}
