//! The HTML of a message's text, made ready for one reader.
//!
//! `static/js/conversation/message-view.js` does the same, byte for byte; the table `tests/rendering/prose.json` holds
//! both to it.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use url::Url;

/// The button that copies a block of code.
const COPY: &str = include_str!("../../templates/_copy.html.tera");

/// The attribute of a link that names the reader.
const NAMES_READER: &str = " data-me=\"\"";

/// The tags that are changed. A text's HTML is written in one way only: attributes in quotation
/// marks, and no `<` outside of tags and attributes.
static TAGS: LazyLock<Regex> = LazyLock::new(|| {
    let tags = r#"<(/?)(a|input|pre|table)((?: [a-z-]+="[^"]*")*)>"#;
    Regex::new(tags).expect("a valid expression")
});

/// Makes a text's HTML ready for a reader: links that leave this host open beside it, links that
/// name the reader say so (`data-me`), tables and code can be scrolled by keys, code has a button
/// that copies it, and the boxes of tasks have names.
pub(super) fn readable(html: &str, reader: &str, host: &str) -> String {
    let change = |tag: &Captures<'_>| {
        let attributes = &tag[3];
        match (&tag[1], &tag[2]) {
            ("/", "pre") => format!("</pre>{}</div>", COPY.trim_end()),
            ("/", _) => tag[0].to_owned(),
            (_, "a") => {
                let is_reader = attributes.contains(&format!(" data-user=\"{reader}\""));
                let names = if is_reader { NAMES_READER } else { "" };
                let target = if leaves(attributes, host) { " target=\"_blank\"" } else { "" };
                format!("<a{attributes}{names}{target}>")
            }
            (_, "input") => {
                let is_done = attributes.contains(" checked=\"\"");
                let label = if is_done { "Done" } else { "To do" };
                format!("<input{attributes} aria-label=\"{label}\">")
            }
            (_, "pre") => format!("<div class=\"code\"><pre{attributes} tabindex=\"0\">"),
            (_, name) => format!("<{name}{attributes} tabindex=\"0\">"),
        }
    };
    TAGS.replace_all(html, change).into_owned()
}

/// Tells whether HTML that is ready for a reader names them.
pub(super) fn names_reader(readable: &str) -> bool {
    TAGS.captures_iter(readable).any(|tag| &tag[2] == "a" && tag[3].contains(NAMES_READER))
}

/// Tells whether a link of these attributes leads to a web page of another host.
fn leaves(attributes: &str, host: &str) -> bool {
    let href = attributes.split_once(" href=\"").and_then(|(_, rest)| rest.split_once('"'));
    let Some(url) = href.and_then(|(href, _)| Url::parse(href).ok()) else { return false };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let other = format!("{}{port}", url.host_str().unwrap_or_default());
    ["http", "https"].contains(&url.scheme()) && other != host
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        html: String,
        readable: String,
        names_reader: bool,
    }

    #[test]
    fn html_is_made_ready_as_the_table_says() {
        let table = include_str!("../../tests/rendering/prose.json");
        let rows: Vec<Row> = serde_json::from_str(table).expect("a table");
        assert!(rows.len() >= 12);
        for row in rows {
            // The button is the template's, whatever it is.
            let expected = row.readable.replace("{copy}", COPY.trim_end());
            let ready = readable(&row.html, "0a1b", "chat.example:8000");
            assert_eq!(ready, expected, "{}", row.html);
            assert_eq!(names_reader(&ready), row.names_reader, "{}", row.html);
        }
    }
}
