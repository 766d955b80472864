//! Tests of hostile texts, OWASP's list of cross-site scripting among them (see `tests/hostile`):
//! their HTML is harmless by itself, whatever a page's policy may be.

use serde_json::Value;

use crate::harness::Workspace;
use houston::domain::text::ELEMENTS;

fn texts() -> Vec<String> {
    serde_json::from_str(include_str!("../hostile/texts.json")).expect("a list of texts")
}

/// Parses a tag into its name and attributes.
fn tags(html: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let tag = |tag| -> (&str, Vec<(&str, &str)>) {
        let (tag, _): (&str, &str) = str::split_once(tag, '>').expect("a tag has an end");
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((attribute, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("a value has an end");
            attributes.push((attribute.trim(), value));
            rest = after;
        }
        assert!(rest.trim().is_empty(), "{tag:?} ends after its attributes");
        (name.trim_start_matches('/'), attributes)
    };
    html.split('<').skip(1).map(tag).collect()
}

fn is_harmless(tag: &str, attribute: &str, value: &str) -> bool {
    match (tag, attribute) {
        ("a", "href") => {
            let schemes = ["https://", "http://", "mailto:", "/channels/"];
            schemes.iter().any(|scheme| value.starts_with(scheme))
        }
        ("a", "rel") => value == "noopener noreferrer nofollow",
        ("a", "data-user") => value.chars().all(|c| c.is_ascii_hexdigit()),
        ("ol", "start") => value.parse::<u32>().is_ok(),
        ("pre", "data-language") => !value.contains(['"', '<', '&', ' ']),
        ("code", "class") => value.starts_with("language-") && !value.contains(' '),
        ("input", "type") => value == "checkbox",
        ("input", "checked" | "disabled") | ("span", "data-here") => value.is_empty(),
        ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
        _ => false,
    }
}

#[rocket::async_test]
async fn nothing_that_is_rendered_can_do_anything() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let texts = texts();
    assert!(texts.len() >= 60, "{} texts", texts.len());
    for text in texts {
        let message = ada.posts("general", &text).await;
        assert_eq!(message["text"], Value::from(text.trim()));
        let html = message["html"].as_str().expect("html");
        for (tag, attributes) in tags(html) {
            assert!(ELEMENTS.contains(&tag), "<{tag}> of {text:?} in {html}");
            for (attribute, value) in attributes {
                assert!(is_harmless(tag, attribute, value), "{attribute} of {text:?} in {html}");
            }
        }
    }
}

#[rocket::async_test]
async fn nothing_of_it_gets_into_a_page_but_as_text() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("hostile").await;
    let page = async || {
        let page = ada.page("/channels/hostile").await;
        assert_eq!(page.status, 200);
        page.text.to_lowercase()
    };
    ada.posts("hostile", "harmless").await;
    let harmless = page().await;
    for text in texts().iter().take(100) {
        ada.posts("hostile", text).await;
    }
    let full = page().await;
    for tag in [
        "script", "style", "iframe", "object", "embed", "img", "base", "video", "meta", "link",
        "svg", "form", "input",
    ] {
        let tag = format!("<{tag}");
        let of_a_message = full.matches(&tag).count() - harmless.matches(&tag).count();
        assert_eq!(of_a_message, 0, "{tag}");
    }
}
