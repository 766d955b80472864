//! Tests that the commands of the README and of the manual do what those say.

use std::fs;
use std::process::Command;

use crate::server::{PREVIEWING, Server, site};

#[rocket::async_test]
async fn the_readmes_curl_lines_work() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let curls: Vec<_> = blocks.filter(|block| block.contains("curl ")).collect();
    assert!(!curls.is_empty(), "the README shows how to use curl");

    let server = Server::start().await;
    let script = curls.concat().replace("http://127.0.0.1:8000", server.url());
    let said = ran(&script);
    for promised in [
        "\"display_name\":\"Ada\"",
        "event: message",
        "\"name\":\"README.md\"",
        "\"text\":\"Hello\"",
        "**Build** [#7](https://ci.example.org/7) is ~~red~~ green",
        "launch",
        "Z Ada: Hello\n",
        "/plan.txt\n",
    ] {
        assert!(said.contains(promised), "{promised} in {said}");
    }
}

#[rocket::async_test]
async fn the_readmes_lines_of_its_own_command_work() {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<_> = blocks.filter(|block| block.contains("houston login")).collect();
    let server = Server::start().await;
    let script = lines.concat().replace("http://127.0.0.1:8000", server.url());
    // What goes on for ever, or waits for people, does so for a moment here.
    let script = script.replace("--timeout 10m", "--timeout 1s");
    let houston = env!("CARGO_BIN_EXE_houston");
    let shell = format!(
        "houston() {{ case \"$1\" in
           tail | run) timeout 3 {houston} \"$@\" || [ $? = 124 ] ;;
           wait) {houston} \"$@\" || [ $? = 124 ] ;;
           *) {houston} \"$@\" ;;
         esac; }}"
    );
    let said = ran(&format!("{shell}\n{script}\ntrue"));
    for promised in [
        "\nstatus\n",
        "Z Grace: Hello from a shell\n",
        "Z Grace: Linux ",
        "Z Grace: The plan\n  http",
        "Z Grace: T minus 10\n",
        "Z Grace: Building\n  Built\n",
    ] {
        assert!(said.contains(promised), "{promised} in {said}");
    }
    assert!(!said.contains("Off we go"), "nobody has decided");
}

#[rocket::async_test]
async fn the_manuals_commands_work() {
    let server = Server::start().await;
    let manual = ran(&format!("curl -s {}", server.url()));
    let commands: Vec<_> = manual.lines().filter_map(|line| line.strip_prefix("    $ ")).collect();
    assert!(commands.len() > 12, "{manual}");
    let said = ran(&commands.join("\n"));
    for promised in [
        "Z Ada: Hello\n",
        "Z Ada: T minus 10\n",
        "/session\n",
        "/date.txt\n",
        "\"text\":\"Hello\"",
        "retry: ",
        "event: message\n",
        "\"name\":\"launch\"",
    ] {
        assert!(said.contains(promised), "{promised} in {said}");
    }
}

/// Runs a script of curl lines, all of which must succeed, where there is a `README.md` and a
/// `plan.txt`. Returns what it has said.
fn ran(script: &str) -> String {
    // A stream goes on for ever: here it may go on for as long as it takes to be answered.
    let script = script.replace("curl -sN", "curl -sN --max-time 2");
    let directory = tempfile::tempdir().expect("a temporary directory");
    for name in ["README.md", "plan.txt"] {
        fs::write(directory.path().join(name), "The plan").expect("writable");
    }
    let strict = "set -euo pipefail\n\
         curl() { command curl --fail-with-body \"$@\" || [ $? = 28 ]; }";
    let ran = Command::new("bash")
        .args(["-c", &format!("{strict}\n{script}")])
        .current_dir(directory.path())
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    said
}

/// The lines that must have been run before the example of an operation: somebody is signed in and
/// has said something under the id `status`.
const BEFORE: &str = r#"
post() { curl -s -H "Authorization: Bearer $token" "$url$1" "${@:2}"; }
field() { sed 's/.*"'$1'":"\([^"]*\)".*/\1/'; }
own_id() { sed 's/^{"id":"\([^"]*\)".*/\1/'; }
json='Content-Type: application/json'
if [ "$operation" != signIn ]; then
  token=$(curl -s "$url/api/session" -H "$json" -d '{"display_name": "Ada"}' | field token)
  post /api/channels/general/messages/status -X PUT -H "$json" -d '{"text": "lift off"}' > /dev/null
fi
case "$operation" in
  deleteChannel) post /api/channels -H "$json" -d '{"name": "launch"}' > /dev/null ;;
  restoreMessage) post /api/channels/general/messages/status -X DELETE ;;
  getHook | deleteHook) id=$(post /api/channels/general/hooks -H "$json" -d '{"name": "x"}' | own_id) ;;
  getOutgoingHook | setPaused | deleteOutgoingHook)
    id=$(post /api/channels/general/outgoing -H "$json" -d '{"name": "x", "url": "https://ci.example.org/"}' | own_id) ;;
  endSession) id=$(post /api/sessions -H "$json" -d '{"name": "x"}' | sed 's/.*"session":{"id":"\([^"]*\)".*/\1/') ;;
  getFile) id=$(post /api/channels/general/messages -F file=@README.md | sed 's/.*"attachments":\[{"id":"\([^"]*\)".*/\1/') ;;
  getPreviewPicture)
    post /api/channels/general/messages/link -X PUT -H "$json" -d '{"text": "'"$site"'"}' > /dev/null
    for _ in $(seq 300); do
      id=$(post /api/channels/general/messages/link | sed -n 's/.*previews\/\([0-9a-f]*\).*/\1/p')
      [ -z "$id" ] || break
      sleep 0.1
    done ;;
esac
"#;

#[rocket::async_test]
async fn the_examples_of_the_apis_description_work() {
    let server = Server::start().await;
    let described = server.client().get("/api/openapi.json").await.expect("an answer").json;
    let operations = described["paths"].as_object().expect("paths").values();
    let operations = operations.flat_map(|path| path.as_object().expect("operations").values());
    let site = site().await;
    let mut run = 0;
    for operation in operations {
        let name = operation["operationId"].as_str().expect("a name");
        let example = operation["x-codeSamples"][0]["source"].as_str().expect("an example");
        // A server for each: some of them end what others need.
        let server = Server::with(&PREVIEWING).await;
        let url = server.url();
        ran(&format!("operation={name}\nurl={url}\nsite={site}\n{BEFORE}\n{example}"));
        run += 1;
    }
    assert!(run > 30, "they were found");
}
