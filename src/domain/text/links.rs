//! The links of a rendered message that previews are made of.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::domain::preview::MAX_PREVIEWS;

/// Longest link that has a preview, in bytes.
const MAX_URL_BYTES: usize = 2_000;

/// The tags that count in our own HTML, in which every `<` of a text is escaped.
static TAGS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"<(/?)(?:(blockquote|section)\b|a href="(https?://[^"]*)")"#).expect("a pattern")
});

/// The first links of a message's HTML that lead to other servers, each once. What is quoted, or in the
/// card of a hook's message, was shown before or has a look of its own: it does not count. Nor do links
/// with a password.
#[must_use]
pub fn previewed_links(html: &str) -> Vec<Box<str>> {
    let mut links: Vec<(Box<str>, Url)> = Vec::new();
    let mut depth = 0_usize;
    for tag in TAGS.captures_iter(html) {
        if tag.get(2).is_some() {
            depth = if tag[1].is_empty() { depth + 1 } else { depth.saturating_sub(1) };
        } else if let Some(href) = tag.get(3).filter(|_| depth == 0) {
            let link = unescaped(href.as_str());
            let Some(address) = address_of(&link) else { continue };
            if !links.iter().any(|(_, known)| *known == address) {
                links.push((link.into(), address));
            }
            if links.len() == MAX_PREVIEWS {
                break;
            }
        }
    }
    links.into_iter().map(|(link, _)| link).collect()
}

/// The address to fetch for a link: without its fragment, which no server is told.
#[must_use]
pub fn address_of(link: &str) -> Option<Url> {
    let mut address = Url::parse(link).ok().filter(|_| link.len() <= MAX_URL_BYTES)?;
    address.set_fragment(None);
    let is_plain = address.username().is_empty() && address.password().is_none();
    (is_plain && address.has_host()).then_some(address)
}

fn unescaped(attribute: &str) -> String {
    let text = attribute.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;
    use crate::domain::text::{Directory, render};

    struct Nobody;

    impl Directory for Nobody {
        fn user(&self, compared: &str) -> Option<UserId> {
            (compared == "ada").then(|| UserId::from("u1".to_owned()))
        }

        fn has_channel(&self, name: &str) -> bool {
            name == "general"
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let html = render(&text.parse().expect("a text"), &Nobody).html;
        let links = previewed_links(&html);
        assert_eq!(links.iter().map(|it| &**it).collect::<Vec<_>>(), expected, "{html}");
    }

    #[test]
    fn the_first_three_links_count_each_once() {
        check("no link", &[]);
        check("https://a.example/", &["https://a.example/"]);
        check("[x](http://a.example/?a=1&b=\"2\") y", &["http://a.example/?a=1&b=\"2\""]);
        check("<https://a.example/a?x&amp=y>", &["https://a.example/a?x&amp=y"]);
        check(
            "https://a.example/x#one https://a.example/x#two https://b.example HTTPS://B.EXAMPLE/ \
             https://c.example https://d.example",
            &["https://a.example/x#one", "https://b.example", "https://c.example"],
        );
        check(&format!("https://a.example/{}", "x".repeat(2_000)), &[]);
    }

    #[test]
    fn links_in_code_and_quotations_and_those_to_mailboxes_and_here_do_not() {
        for text in [
            "`https://a.example/`",
            "```\nhttps://a.example/\n```",
            "code:\n\n    https://a.example/",
            "> https://a.example/",
            "> > https://a.example/\n>\n> [x](https://b.example)",
            "mailto:ada@a.example",
            "@Ada #general",
            "[x](/channels/general)",
            "ftp://a.example/",
            "https://ada:secret@a.example/",
        ] {
            check(text, &[]);
        }
        check("> https://a.example/\n\nhttps://b.example/", &["https://b.example/"]);
    }

    #[test]
    fn links_in_cards_do_not() {
        let html = "<p><a href=\"https://a.example/\">a</a></p><section data-hue=\"3\">\
                    <p><a href=\"https://b.example/\">b</a></p></section>\
                    <p><a href=\"https://c.example/\">c</a></p>";
        assert_eq!(
            previewed_links(html),
            ["https://a.example/".into(), "https://c.example/".into()]
        );
    }
}
