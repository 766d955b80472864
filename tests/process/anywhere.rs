//! Tests of the program by itself: it has its pages in it, and runs from any directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::client::Client;
use crate::server::Server;

/// The page at this path.
async fn page(client: &Client, path: &str) -> String {
    let page = client.request(reqwest::Method::GET, path).header("Accept", "text/html");
    let page = page.send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["Content-Type"], "text/html; charset=utf-8");
    page.text().await.expect("a page")
}

/// Lists the static files that the sign-in page refers to; their addresses have the version of all.
async fn static_files(server: &Server) -> BTreeSet<String> {
    let page = page(&server.client(), "/").await;
    page.split(['"', '\'']).filter(|it| it.starts_with("/static/")).map(str::to_owned).collect()
}

#[rocket::async_test]
async fn it_runs_from_an_empty_directory_with_the_pages_of_the_repository() {
    let empty = tempfile::tempdir().expect("a temporary directory");
    let server = Server::started_in(empty.path(), &[]).await;
    let repository = Server::start().await;

    let built_in = static_files(&server).await;

    assert!(built_in.len() >= 3, "{built_in:?}");
    assert_eq!(built_in, static_files(&repository).await, "the version is of all static files");
    for path in &built_in {
        let file = server.client().request(reqwest::Method::GET, path).send().await;
        assert_eq!(file.expect("an answer").status(), 200, "{path}");
    }
    let ada = server.client().signed_in_as("Ada").await;
    ada.puts("general", "m1", "from **anywhere**").await.expect("an answer");
    let page = page(&ada, "/channels/general").await;
    assert!(page.contains("from <strong>anywhere</strong>"));
    assert_eq!(fs::read_dir(empty.path()).expect("a directory").count(), 0, "it leaves nothing");
}

#[rocket::async_test]
async fn pages_are_read_from_a_directory_for_those_who_change_them() {
    let theirs = tempfile::tempdir().expect("a temporary directory");
    for tree in ["templates", "static"] {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(tree), &theirs.path().join(tree));
    }
    let template = theirs.path().join("templates/sign_in.html.tera");
    let changed =
        fs::read_to_string(&template).expect("a template").replace("Houston</p>", "Chat & Co</p>");
    fs::write(&template, changed).expect("writable");
    fs::write(theirs.path().join("static/css/ours.css"), ".ours {}\n").expect("writable");
    let pages_dir = theirs.path().to_str().expect("a path");

    let server = Server::started_in(theirs.path(), &[("ROCKET_PAGES_DIR", pages_dir)]).await;

    let files = static_files(&server).await;
    assert!(page(&server.client(), "/").await.contains("Chat & Co</p>"));
    let version = files.first().and_then(|it| it.split('/').nth(2)).expect("a version");
    let ours = format!("/static/{version}/css/ours.css");
    let ours = server.client().request(reqwest::Method::GET, &ours).send().await;
    assert_eq!(ours.expect("an answer").status(), 200);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            fs::copy(entry.path(), there).expect("a file");
        }
    }
}
