//! Rendering of Markdown to safe HTML.
//!
//! CommonMark (spec 0.31) without raw HTML and images, with `~~strikethrough~~`, with bare addresses,
//! users and channels linked, and with line breaks kept. The renderer's output is cleaned by an
//! allow list afterwards, so that safety does not rest on the renderer.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use linkify::{LinkFinder, LinkKind};
use percent_encoding::percent_decode_str;
use pulldown_cmark::{
    CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream, html,
};

use crate::domain::ids::UserId;
use crate::domain::mentions::{Directory, MAX_SIGNS, Mention, mentions};
use crate::domain::message::Text;
use crate::domain::url;

/// A text rendered to HTML, with the users whom it mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Safe HTML.
    pub html: String,
    /// The users who are linked in it, each once, in the order of their first mention.
    pub mentions: Vec<UserId>,
}

/// Largest size of a text's HTML, in bytes: a few characters can ask for much.
const MAX_HTML_BYTES: usize = 64 * 1024;
/// Largest depth of nested elements, such as quotes and lists.
const MAX_DEPTH: usize = 32;

/// Renders a message's text. The result holds only the elements of [`ELEMENTS`], links to `http`,
/// `https`, `mailto` and channels of this server, and no other attributes than the start of a list
/// and the user of a mention: `<a href="/channels/%40Ada" data-user="<user id>">@Ada</a>`.
///
/// A text whose HTML would be too long or too deep is rendered as plain text.
#[must_use]
pub fn render(text: &Text, directory: &dyn Directory) -> Rendered {
    let events: Vec<_> = Parser::new_ext(text.as_str(), Options::ENABLE_STRIKETHROUGH).collect();
    if depth(&events) > MAX_DEPTH {
        return plain_text(text);
    }
    let mut safe = SafeEvents::of(TextMergeStream::new(events.into_iter()), directory);
    let mut html = String::with_capacity(text.as_str().len() * 2);
    html::push_html(&mut html, &mut safe);
    let html = CLEANER.clean(&html).to_string().trim_end().to_owned();
    if html.len() > MAX_HTML_BYTES {
        return plain_text(text);
    }
    Rendered { html, mentions: safe.mentions }
}

fn depth(events: &[Event<'_>]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for event in events {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn plain_text(text: &Text) -> Rendered {
    let lines: Vec<_> = text.as_str().lines().map(ammonia::clean_text).collect();
    Rendered { html: format!("<p>{}</p>", lines.join("<br>\n")), mentions: Vec::new() }
}

/// The elements that a rendered message may hold.
pub const ELEMENTS: [&str; 19] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "ul",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner
        .tags(ELEMENTS.into())
        .tag_attributes([("a", ["href", "data-user"].into()), ("ol", ["start"].into())].into())
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(UrlRelative::Custom(Box::new(channel_address)))
        .link_rel(Some("noopener noreferrer nofollow"));
    cleaner
});

/// Keeps an address on this server if it is a channel's, as mentions link to it; drops all others.
fn channel_address(address: &str) -> Option<Cow<'_, str>> {
    let name = percent_decode_str(address.strip_prefix("/channels/")?).decode_utf8().ok()?;
    let is_name = !matches!(&*name, "" | "." | "..") && !name.contains(['/', '\\']);
    is_name.then_some(Cow::Borrowed(address))
}

static LINKS: LazyLock<LinkFinder> = LazyLock::new(|| {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    finder
});

/// An iterator over the parser's events that turns raw HTML into text, images into links, and soft
/// breaks into breaks, and that links bare addresses, users and channels.
struct SafeEvents<'a, I> {
    events: I,
    directory: &'a dyn Directory,
    /// Events that were made of one of the parser's and are still to be returned.
    queued: VecDeque<Event<'a>>,
    /// Number of open links and code blocks: nothing in them is linked.
    verbatim: usize,
    /// Number of `@` and `#` that are still looked at.
    signs_left: usize,
    mentions: Vec<UserId>,
}

impl<'a, I: Iterator<Item = Event<'a>>> SafeEvents<'a, I> {
    fn of(events: I, directory: &'a dyn Directory) -> Self {
        let (queued, verbatim, signs_left) = (VecDeque::new(), 0, MAX_SIGNS);
        Self { events, directory, queued, verbatim, signs_left, mentions: Vec::new() }
    }

    fn push_lines(&mut self, raw: &str) {
        for line in raw.split_inclusive('\n') {
            let text = line.trim_end_matches('\n');
            self.queued.push_back(Event::Text(text.to_owned().into()));
            if text.len() < line.len() {
                self.queued.push_back(Event::HardBreak);
            }
        }
    }

    fn push_linked(&mut self, text: &CowStr<'a>) {
        for span in LINKS.spans(text) {
            let piece = CowStr::from(span.as_str().to_owned());
            match span.kind() {
                Some(_) => self.queued.extend([
                    Event::Start(link_to(piece.clone())),
                    Event::Text(piece),
                    Event::End(TagEnd::Link),
                ]),
                None => self.push_mentions(&piece),
            }
        }
    }

    fn push_mentions(&mut self, text: &str) {
        let mut rest = 0;
        for (range, mention) in mentions(text, self.directory, &mut self.signs_left) {
            let written = text[range.clone()].to_owned();
            let (channel, attribute) = match mention {
                Mention::User(id) => {
                    let attribute = format!(r#" data-user="{id}""#);
                    if !self.mentions.contains(&id) {
                        self.mentions.push(id);
                    }
                    (&*written, attribute)
                }
                Mention::Channel => (&written[1..], String::new()),
            };
            // Safe, although it is raw HTML: escaped here, and cleaned like all the rest.
            let start = format!(r#"<a href="/channels/{}"{attribute}>"#, url::segment(channel));
            self.queued.extend([
                Event::Text(text[rest..range.start].to_owned().into()),
                Event::InlineHtml(start.into()),
                Event::Text(written.into()),
                Event::InlineHtml("</a>".into()),
            ]);
            rest = range.end;
        }
        self.queued.push_back(Event::Text(text[rest..].to_owned().into()));
    }
}

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for SafeEvents<'a, I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        if let Some(event) = self.queued.pop_front() {
            return Some(event);
        }
        Some(match self.events.next()? {
            Event::Html(raw) => {
                self.push_lines(&raw);
                return self.next();
            }
            Event::InlineHtml(raw) => Event::Text(raw),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            Event::SoftBreak => Event::HardBreak,
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.verbatim += 1;
                Event::Start(link_to(dest_url))
            }
            Event::End(TagEnd::Image) => {
                self.verbatim -= 1;
                Event::End(TagEnd::Link)
            }
            event @ Event::Start(Tag::Link { .. } | Tag::CodeBlock(_)) => {
                self.verbatim += 1;
                event
            }
            event @ Event::End(TagEnd::Link | TagEnd::CodeBlock) => {
                self.verbatim -= 1;
                event
            }
            Event::Text(text) if self.verbatim == 0 => {
                self.push_linked(&text);
                return self.next();
            }
            event => event,
        })
    }
}

fn link_to(url: CowStr<'_>) -> Tag<'_> {
    let (title, id) = (CowStr::Borrowed(""), CowStr::Borrowed(""));
    Tag::Link { link_type: LinkType::Autolink, dest_url: url, title, id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{ChannelName, DisplayName};

    /// Ada and `general`.
    struct Few;

    impl Directory for Few {
        fn user(&self, name: &DisplayName) -> Option<UserId> {
            (name.compared() == "ada").then(|| UserId::from("a1".to_owned()))
        }

        fn has_channel(&self, name: &ChannelName) -> bool {
            name.as_str() == "general"
        }
    }

    #[track_caller]
    fn check(text: &str, html: &str) {
        assert_eq!(render(&text.parse().expect("a text"), &Few).html, html, "{text:?}");
    }

    #[test]
    fn commonmark_is_rendered() {
        check("hello", "<p>hello</p>");
        check(
            "*a* **b** ~~c~~ `d`",
            "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>",
        );
        check("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>");
        check("3. c", "<ol start=\"3\">\n<li>c</li>\n</ol>");
        check("```rust\nfn main() {}\n```", "<pre><code>fn main() {}\n</code></pre>");
    }

    #[test]
    fn line_breaks_are_kept() {
        check("one\ntwo", "<p>one<br>\ntwo</p>");
    }

    #[test]
    fn links_are_linked_and_marked() {
        let rel = r#"rel="noopener noreferrer nofollow""#;
        check(
            "see https://example.org/a_b, now",
            &format!(
                r#"<p>see <a href="https://example.org/a_b" {rel}>https://example.org/a_b</a>, now</p>"#
            ),
        );
        check(
            "[x](https://a.example)",
            &format!(r#"<p><a href="https://a.example" {rel}>x</a></p>"#),
        );
        check("`https://a.example`", "<p><code>https://a.example</code></p>");
    }

    #[test]
    fn users_and_channels_are_linked() {
        let rel = r#"rel="noopener noreferrer nofollow""#;
        let ada = format!(r#"<a href="/channels/%40Ada" data-user="a1" {rel}>@Ada</a>"#);
        let general = format!(r#"<a href="/channels/general" {rel}>#general</a>"#);
        check("hi @Ada, see #general.", &format!("<p>hi {ada}, see {general}.</p>"));
        check("**@Ada**", &format!("<p><strong>{ada}</strong></p>"));
        check("@Bob #other a#general me@Ada", "<p>@Bob #other a#general me@Ada</p>");
        check("`@Ada` #", "<p><code>@Ada</code> #</p>");
        check(
            "[@Ada](https://a.example)",
            &format!(r#"<p><a href="https://a.example" {rel}>@Ada</a></p>"#),
        );
    }

    #[test]
    fn whom_it_names_is_who_is_linked() {
        let named = |text: &str| render(&text.parse().expect("a text"), &Few).mentions.len();
        assert_eq!(named("@Ada, @ada and @Bob"), 1);
        assert_eq!(named("`@Ada` https://a.example/@Ada [@Ada](https://a.example)"), 0);
    }

    #[test]
    fn what_would_become_too_long_or_too_deep_is_shown_as_it_was_written() {
        let deep = ">".repeat(4_000);
        check(&deep, &format!("<p>{}</p>", "&gt;".repeat(4_000)));
        let references = format!("[a]: http://x/{}\n\n{}", "&".repeat(500), "[a][a]".repeat(400));
        let html = render(&references.parse().expect("a text"), &Few).html;
        assert!(html.len() < 20_000 && html.starts_with("<p>[a]:"), "{}", html.len());
    }

    #[test]
    fn images_become_links() {
        let rel = r#"rel="noopener noreferrer nofollow""#;
        check(
            "![cat](https://a.example/cat.png)",
            &format!(r#"<p><a href="https://a.example/cat.png" {rel}>cat</a></p>"#),
        );
    }

    #[test]
    fn html_is_text() {
        check("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>");
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
        check("<div>\nx", "<p>&lt;div&gt;<br>\nx</p>");
    }

    #[test]
    fn dangerous_links_lose_their_target() {
        let aimless = r#"<p><a rel="noopener noreferrer nofollow">x</a></p>"#;
        for address in [
            "javascript:alert(1)",
            "//evil.example",
            "/sign-out",
            "/channels/../sign-out",
            "/channels/%2e%2E",
            "/channels/a%2fb",
            "x",
            "data:x",
        ] {
            check(&format!("[x]({address})"), aimless);
        }
    }
}
