//! Tests of static files: kept by browsers for good, compressed, and few enough for a slow phone.

use std::collections::BTreeSet;
use std::fs;

use rocket::http::Method;

use crate::harness::{Answer, BROWSER, Workspace};

/// The largest total size of a page's CSS and JavaScript, compressed, in bytes.
const MAX_BYTES: usize = 60 * 1024;

async fn fetched(workspace: &Workspace, path: &str, encodings: &str) -> Answer {
    let accepts = [("Accept-Encoding", encodings)];
    let answer = workspace.visitor().asks(Method::Get, path, &accepts, "").await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer
}

/// Lists every static file that the sign-in page and a channel's page refer to.
async fn referred_to(workspace: &Workspace) -> BTreeSet<String> {
    let reader = workspace.visitor().signs_in_as("Reader").await;
    addresses_in(&[workspace.visitor().page("/").await.text, reader.page("/").await.text].concat())
}

/// The addresses of static files in a page.
fn addresses_in(page: &str) -> BTreeSet<String> {
    let addresses = page.split(['"', '\'']).filter(|it| it.starts_with("/static/"));
    addresses.map(ToOwned::to_owned).collect()
}

#[rocket::async_test]
async fn they_are_kept_for_good_under_an_address_that_changes_with_them() {
    let workspace = Workspace::start().await;
    let addresses = referred_to(&workspace).await;
    assert!(addresses.len() >= 5, "{addresses:?}");
    for address in &addresses {
        let file = fetched(&workspace, address, "").await;
        let cache = file.header("Cache-Control");
        assert_eq!(cache, Some("public, max-age=31536000, immutable"), "{address}");
    }
    let known = addresses.first().expect("an address");
    let version = known.split('/').nth(2).expect("a version");
    let outdated = known.replace(version, "0123456789ab");
    let file = fetched(&workspace, &outdated, "").await;
    assert_eq!(file.header("Cache-Control"), Some("no-cache"), "what a replaced server named");
    for nothing in ["nothing.css", "../Cargo.toml", "css", ""] {
        let path = format!("/static/{version}/{nothing}");
        assert_eq!(workspace.visitor().get(&path).await.status, 404, "{path}");
    }
}

#[rocket::async_test]
async fn they_are_compressed_for_those_who_take_that() {
    let workspace = Workspace::start().await;
    let addresses = referred_to(&workspace).await;
    let sheet = addresses.iter().find(|it| it.contains("/css/")).expect("a stylesheet");
    let plain = fetched(&workspace, sheet, "").await;
    assert!(plain.header("Content-Encoding").is_none());
    for (accepted, given) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip", Some("gzip")),
        ("br;q=0, gzip;q=0.5", Some("gzip")),
        ("zstd", None),
    ] {
        let file = fetched(&workspace, sheet, accepted).await;
        assert_eq!(file.header("Content-Encoding"), given, "{accepted}");
        assert_eq!(file.header("Vary"), Some("Accept-Encoding"));
        assert!(given.is_none() || file.bytes.len() < plain.bytes.len() / 3, "{accepted}");
        assert_eq!(file.header("Content-Type"), plain.header("Content-Type"));
    }
    let headers = [("Accept-Encoding", "gzip"), ("Accept", BROWSER)];
    let page = workspace.visitor().asks(Method::Get, "/", &headers, "").await;
    assert_eq!(page.header("Content-Encoding"), Some("gzip"), "pages too");
    assert_eq!(page.header("Vary"), Some("Accept, Accept-Encoding"));
}

#[rocket::async_test]
async fn those_of_a_page_are_small() {
    let workspace = Workspace::start().await;
    let reader = workspace.visitor().signs_in_as("Reader").await;
    for (page, visitor) in [("sign-in", workspace.visitor()), ("channel", reader)] {
        let mut bytes = 0;
        for address in addresses_in(&visitor.page("/").await.text) {
            if address.contains("/css/") || address.contains("/js/") {
                bytes += fetched(&workspace, &address, "br").await.bytes.len();
            }
        }
        assert!(bytes > 1_024, "{page} has some");
        assert!(bytes < MAX_BYTES, "{page}: {bytes} bytes of CSS and JavaScript, compressed");
    }
}

#[rocket::async_test]
async fn the_list_of_emoji_is_one_of_them() {
    let workspace = Workspace::start().await;
    let addresses = referred_to(&workspace).await;
    let known = addresses.first().expect("an address");
    let version = known.split('/').nth(2).expect("a version");
    let path = format!("/static/{version}/emoji.json");
    let list = fetched(&workspace, &path, "").await;
    assert_eq!(list.header("Content-Type"), Some("application/json"));
    assert_eq!(list.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
    assert!(list.text.contains(r#"["🎉",["tada","party_popper"]]"#), "{}", list.text);
    let compressed = fetched(&workspace, &path, "br").await;
    assert_eq!(compressed.header("Content-Encoding"), Some("br"));
    assert!(compressed.bytes.len() < 24 * 1024, "{} bytes", compressed.bytes.len());
}

#[test]
fn every_stylesheet_is_imported_once() {
    let css = concat!(env!("CARGO_MANIFEST_DIR"), "/static/css");
    let entry = fs::read_to_string(format!("{css}/houston.css")).expect("the entry");
    let imported = entry.lines().filter_map(|line| line.strip_prefix("@import url(\"./"));
    let mut imported: Vec<_> = imported.filter_map(|it| it.strip_suffix("\");")).collect();
    imported.sort_unstable();
    let sheets = fs::read_dir(css).expect("the sheets");
    let sheets = sheets.map(|it| it.expect("a sheet").file_name().into_string().expect("a name"));
    let mut sheets: Vec<_> = sheets.filter(|name| name != "houston.css").collect();
    sheets.sort_unstable();
    assert_eq!(imported, sheets);
}
