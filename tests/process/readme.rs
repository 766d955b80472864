//! Tests that the README's commands do what it says.

use std::fs;
use std::process::Command;

use crate::server::Server;

#[rocket::async_test]
async fn the_readmes_curl_lines_work() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let curls: Vec<_> = blocks.filter(|block| block.contains("curl ")).collect();
    assert!(!curls.is_empty(), "the README shows how to use curl");

    let server = Server::start().await;
    let script = curls.concat().replace("http://127.0.0.1:8000", server.url());
    // A stream goes on for ever: here it may go on for as long as it takes to be answered.
    let script = script.replace("curl -sN", "curl -sN --max-time 2");
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("README.md"), &readme).expect("writable");
    let ran = Command::new("bash")
        .args(["-c", &format!("set -euo pipefail\ncurl() {{ command curl --fail-with-body \"$@\" || [ $? = 28 ]; }}\n{script}")])
        .current_dir(directory.path())
        .output()
        .expect("bash runs");

    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    for promised in [
        "\"display_name\":\"Ada\"",
        "event: message",
        "\"name\":\"README.md\"",
        "\"text\":\"Hello\"",
        "**Build** [#7](https://ci.example.org/7) is ~~red~~ green",
        "launch",
    ] {
        assert!(said.contains(promised), "{promised} in {said}");
    }
}
