//! Tests by tools that others wrote, installed by `tests/all`, that the API is what its description says,
//! and that the description is a good one.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rocket::tokio;
use serde_json::json;

use crate::programs::{SCRIPTS, program};
use crate::server::Server;

/// The largest number of cases that schemathesis makes up for a route where chance decides, and with which
/// seed: about a thousand in all, the same ones each time. With the variable `SCHEMATHESIS_EXAMPLES` they
/// are others each time; 150 are more than five thousand in all, in ten minutes.
const EXAMPLES: &str = "3";
const SEED: &str = "1";
/// The time in which a tool must be done, and in which schemathesis must be with other cases.
const DEADLINE: Duration = Duration::from_mins(5);
const LONG_DEADLINE: Duration = Duration::from_hours(1);

/// Runs a tool to its end, which must come in this time: then it is killed.
async fn output(tool: Command, deadline: Duration) -> Output {
    let mut tool = tokio::process::Command::from(tool);
    let ran = tokio::time::timeout(deadline, tool.kill_on_drop(true).output()).await;
    ran.expect("its end in time").expect("it runs")
}

/// Two users at once who do what the description allows, and what it forbids, as schemathesis makes it up.
#[rocket::async_test]
async fn the_api_is_as_its_description_says() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut users = Vec::new();
    for name in ["Ada", "Grace"] {
        let token = server.client().signed_in_as(name).await.token.expect("a token");
        let bearer = json!({ "name": "Authorization", "value": format!("Bearer {token}") });
        users.push(json!({ "name": name, "fixedHeaders": [bearer] }));
    }
    fs::write(directory.path().join("users.json"), json!({ "auth": users }).to_string())
        .expect("writable");
    let examples = env::var("SCHEMATHESIS_EXAMPLES");
    let (seed, deadline) = match examples {
        Ok(_) => (&[][..], LONG_DEADLINE),
        Err(_) => (&["--seed", SEED][..], DEADLINE),
    };

    let mut tool = Command::new(program("SCHEMATHESIS", "python/bin/schemathesis"));
    tool.arg(format!("--config-file={SCRIPTS}/schemathesis.toml"))
        .args(["run", &format!("{}/api/openapi.json", server.url())])
        .args(["--checks", "all", "--max-examples", examples.as_deref().unwrap_or(EXAMPLES)])
        .arg("--continue-on-failure")
        .args(seed)
        .current_dir(&directory)
        .env("PROGRAMS", SCRIPTS);
    let ran = output(tool, deadline).await;

    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(said.contains(&format!("✅ {phase}")), "{phase}: {said}");
    }
    // Told with `--nocapture`.
    eprintln!("{}", said.split("= SUMMARY =").last().unwrap_or_default());
}

#[rocket::async_test]
async fn redocly_has_nothing_to_say_about_the_description() {
    let server = Server::start().await;
    let described = server.client().get("/api/openapi.json").await.expect("an answer").json;
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("openapi.json"), described.to_string()).expect("writable");
    for file in ["redocly.yaml", ".redocly.lint-ignore.yaml"] {
        fs::copy(Path::new(SCRIPTS).join(file), directory.path().join(file)).expect(file);
    }

    let mut tool = Command::new("node");
    tool.arg(format!("{SCRIPTS}/node_modules/@redocly/cli/bin/cli.js"))
        .args(["lint", "openapi.json", "--format=stylish", "--max-problems=1000"])
        .current_dir(&directory)
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    let ran = output(tool, DEADLINE).await;

    let said = String::from_utf8_lossy(&ran.stderr) + String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && !said.contains("warning "), "{said}");
}
