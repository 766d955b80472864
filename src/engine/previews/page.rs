//! Reading a page: what it says of itself, as Open Graph or otherwise.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, EndTag, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use regex::bytes::Regex;
use rustix::time::{ClockId, clock_gettime};

/// Longest processor time that a page is read for. Most take a hundredth of it; some are made so that each
/// attribute of a tag is compared with all others. What was found by then counts.
const MAX_READING: Duration = Duration::from_millis(100);
/// Number of bytes that are read between two looks at the time.
const PIECE_BYTES: usize = 4 * 1024;
/// Longest value that is kept of a page, in bytes: nothing longer is shown.
const MAX_VALUE_BYTES: usize = 4 * 1024;
/// The part of a page in which it may name its charset, in bytes (HTML, 13.2.3.2).
const CHARSET_BYTES: usize = 1024;

static CHARSET: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?i-u)<meta[^>]*?charset\s*=\s*["']?\s*([a-z0-9_:.-]+)"#;
    Regex::new(pattern).expect("a pattern")
});

/// What a page says of itself, as it is written there; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) site: String,
    /// The address of its picture, which may be relative.
    pub(super) picture: String,
    /// True where it asks not to be shown in parts (`nosnippet`).
    pub(super) wants_none: bool,
}

/// The names under which a page says something of itself, the best first.
const TITLES: [&str; 2] = ["og:title", "twitter:title"];
const DESCRIPTIONS: [&str; 3] = ["og:description", "twitter:description", "description"];
const SITES: [&str; 1] = ["og:site_name"];
const PICTURES: [&str; 5] =
    ["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"];

impl Page {
    /// Reads a page in this charset, or else in the one that it names. Takes processor time: not to be
    /// called on an async worker.
    pub(super) fn read(bytes: &[u8], charset: Option<&str>) -> Self {
        let text = decoded(bytes, charset);
        let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
        let end = processor_time() + MAX_READING;
        let mut rest = &*text;
        while !rest.is_empty() && processor_time() < end {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
            let queue = BufferQueue::default();
            queue.push_back(StrTendril::from(piece));
            // Scripts are not run: it always goes on to the end.
            let _ = tokenizer.feed(&queue);
            rest = after;
        }
        let Found { title, values, wants_none, .. } = tokenizer.sink.0.into_inner();
        let first = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| {
                let value = values.iter().find(|(known, _)| known == name);
                value.map(|(_, value)| value.clone())
            });
            found.find(|value| !value.trim().is_empty()).unwrap_or_default()
        };
        let named = first(&TITLES);
        Self {
            title: if named.is_empty() { title } else { named },
            description: first(&DESCRIPTIONS),
            site: first(&SITES),
            picture: first(&PICTURES).trim().to_owned(),
            wants_none,
        }
    }
}

/// The time that this thread has computed for, however busy the machine is.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

/// The text of a page: by its mark of byte order, its header, its `<meta>`, or else as UTF-8, and what
/// cannot be that as Windows-1252.
fn decoded<'b>(bytes: &'b [u8], charset: Option<&str>) -> Cow<'b, str> {
    let labelled = |label: &[u8]| Encoding::for_label(label).map(Encoding::output_encoding);
    let named = || {
        let head = &bytes[..bytes.len().min(CHARSET_BYTES)];
        labelled(CHARSET.captures(head)?.get(1)?.as_bytes())
    };
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes())).or_else(named);
    let encoding = encoding.unwrap_or_else(|| match str::from_utf8(bytes) {
        // It may have been cut within a character.
        Err(error) if error.error_len().is_some() => WINDOWS_1252,
        _ => UTF_8,
    });
    encoding.decode(bytes).0
}

/// A sink of tokens that keeps what a page says of itself.
#[derive(Default)]
struct Reader(RefCell<Found>);

#[derive(Default)]
struct Found {
    title: String,
    in_title: bool,
    has_title: bool,
    /// The values of `<meta>`, the first of each name that counts.
    values: Vec<(&'static str, String)>,
    /// The depth within `<template>` and `<svg>`, whose content says nothing of the page.
    depth: usize,
    wants_none: bool,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut found = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => found.take_tag(&tag),
            Token::CharacterTokens(text) => {
                if found.in_title {
                    let room = MAX_VALUE_BYTES.saturating_sub(found.title.len());
                    found.title.push_str(&text[..text.floor_char_boundary(room)]);
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Found {
    fn take_tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        use TokenSinkResult::{Continue, Plaintext, RawData};
        let opens = tag.kind == StartTag;
        match &*tag.name {
            "template" | "svg" if opens && !tag.self_closing => self.depth += 1,
            "template" | "svg" if tag.kind == EndTag => self.depth = self.depth.saturating_sub(1),
            "meta" if opens && self.depth == 0 => self.take_meta(tag),
            "title" if opens && self.depth == 0 => {
                self.in_title = !self.has_title;
                return RawData(RawKind::Rcdata);
            }
            "title" => {
                self.has_title |= self.in_title;
                self.in_title = false;
            }
            "textarea" if opens => return RawData(RawKind::Rcdata),
            "script" if opens => return RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" if opens => {
                return RawData(RawKind::Rawtext);
            }
            "plaintext" if opens => return Plaintext,
            _ => {}
        }
        Continue
    }

    fn take_meta(&mut self, tag: &Tag) {
        let value = |name: &str| {
            let mut found = tag.attrs.iter().filter(|it| &*it.name.local == name);
            found.next().map(|it| &*it.value)
        };
        let Some(content) = value("content") else { return };
        for name in ["property", "name"].into_iter().filter_map(value) {
            let name = name.trim().to_ascii_lowercase();
            if name == "robots" {
                let wants = content.to_ascii_lowercase();
                self.wants_none |=
                    wants.split(',').any(|it| matches!(it.trim(), "nosnippet" | "none"));
            }
            let known = [&TITLES[..], &DESCRIPTIONS, &SITES, &PICTURES].concat();
            let known = known.into_iter().find(|known| *known == name);
            let Some(known) = known.filter(|known| !self.values.iter().any(|(it, _)| it == known))
            else {
                continue;
            };
            let kept = &content[..content.floor_char_boundary(MAX_VALUE_BYTES)];
            self.values.push((known, kept.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(html: &str) -> Page {
        Page::read(html.as_bytes(), None)
    }

    #[test]
    fn open_graph_goes_before_all_else() {
        let page = read(
            "<!doctype html><html><head><title> Plain &amp; simple </title>\
             <meta name=description content='plain'>\
             <META Property='OG:Title' content='Fish &amp; Chips &#x2764;&quot;'>\
             <meta property=og:title content='a second'>\
             <meta content=\"Of the sea\" property=\"og:description\">\
             <meta name=og:site_name content=Harbour>\
             <meta property='og:image' content=' /fish.png '><meta property=og:image content=b.png>\
             </head><body><meta property=og:description content=late>",
        );
        assert_eq!(
            page,
            Page {
                title: "Fish & Chips ❤\"".into(),
                description: "Of the sea".into(),
                site: "Harbour".into(),
                picture: "/fish.png".into(),
                wants_none: false,
            }
        );
    }

    #[test]
    fn a_page_without_open_graph_has_its_title_and_description() {
        let page =
            read("<title>A &lt;b&gt;</title><title>B</title><meta name=Description content=d>");
        assert_eq!((page.title.as_str(), page.description.as_str()), ("A <b>", "d"));
        let page = read("<meta property=og:title content=' '><title>T<!-- x --></title>");
        assert_eq!(page.title, "T<!-- x -->");
        assert_eq!(read("<p>no head at all").title, "");
        assert_eq!(read("<meta name=twitter:title content=t><title>x</title>").title, "t");
    }

    #[test]
    fn what_is_no_part_of_the_page_says_nothing() {
        for hidden in [
            "<script>'<meta property=og:title content=evil>'</script>",
            "<script><!-- <script>'<meta property=og:title content=evil>'</script>--></script>",
            "<style><meta property=og:title content=evil></style>",
            "<!-- <meta property=og:title content=evil> -->",
            "<noscript><meta property=og:title content=evil></noscript>",
            "<template><meta property=og:title content=evil><template></template></template>",
            "<textarea><meta property=og:title content=evil></textarea>",
            "<svg><title>evil</title></svg>",
            "<svg/>",
            "<a title='<meta property=og:title content=evil>'>",
            "<xmp><meta property=og:title content=evil></xmp>",
            "<meta property=og:title>",
        ] {
            let page = read(&format!("{hidden}<title>good</title>"));
            assert_eq!(page.title, "good", "{hidden}");
        }
        assert_eq!(read("<plaintext><title>evil</title>").title, "");
        assert_eq!(read("<script><title>evil</title>").title, "", "it never ends");
    }

    #[test]
    fn a_page_may_want_no_preview() {
        for (content, wants_none) in
            [("nosnippet", true), ("noindex, NoSnippet", true), ("none", true), ("noindex", false)]
        {
            let page = read(&format!("<title>t</title><meta name=robots content='{content}'>"));
            assert_eq!(page.wants_none, wants_none, "{content}");
        }
    }

    #[test]
    fn a_page_is_read_in_its_charset() {
        #[track_caller]
        fn check(bytes: &[u8], charset: Option<&str>, title: &str) {
            assert_eq!(Page::read(bytes, charset).title, title, "{}", bytes.escape_ascii());
        }
        let utf_8 = "<title>Grüße</title>".as_bytes();
        check(utf_8, None, "Grüße");
        check(utf_8, Some("utf-8"), "Grüße");
        check(utf_8, Some("no such charset"), "Grüße");
        check(b"<title>Gr\xFC\xDFe</title>", None, "Grüße");
        check(b"<title>Gr\xFC\xDFe</title>", Some("ISO-8859-1"), "Grüße");
        check(b"<meta charset=windows-1251><title>\xCF\xF0\xE8</title>", None, "При");
        check(
            b"<meta http-equiv=content-type content='text/html; charset=Shift_JIS'><title>\x93\xFA</title>",
            None,
            "日",
        );
        check(b"\xFF\xFE<\0t\0i\0t\0l\0e\0>\0\xE9\0", Some("utf-8"), "é");
        // The header goes before what the page says; a page that can be read says no UTF-16.
        check("<meta charset=shift_jis><title>é</title>".as_bytes(), Some("utf-8"), "é");
        check("<meta charset=utf-16le><title>é</title>".as_bytes(), None, "é");
        // What is not of the charset is no reason to fail; what is cut off neither.
        check(b"<title>\xFFa</title>", Some("utf-8"), "\u{FFFD}a");
        check(&"<title>x</title><p>é".as_bytes()[..21], None, "x");
    }

    #[test]
    fn a_hostile_page_is_read_in_a_moment() {
        let attributes: String = (0..120_000).flat_map(|n| [n.to_string(), " ".into()]).collect();
        let tags = "<b><i>".repeat(80_000);
        for (what, html) in [
            ("many attributes", format!("<title>t</title><p {attributes}>")),
            ("many tags", format!("<title>t</title>{tags}")),
            ("many entities", format!("<title>t</title>{}", "&amp;&ampx".repeat(50_000))),
            ("a long comment", format!("<title>t</title><!--{}", "-!".repeat(250_000))),
            ("one long tag", format!("<title>t</title><p a='{}", "x".repeat(500_000))),
            ("brackets", format!("<title>t</title>{}", "<".repeat(500_000))),
            ("zeros", format!("<title>t</title>{}", "\0".repeat(500_000))),
            ("metas", format!("<title>t</title>{}", "<meta name=a content=b>".repeat(20_000))),
        ] {
            let begun = processor_time();
            assert_eq!(read(&html).title, "t", "{what}");
            // One piece more than may be read by then, and what it takes to let go of all.
            let spent = processor_time().saturating_sub(begun);
            assert!(spent < 10 * MAX_READING, "{what}: {spent:?}");
        }
        let long = read(&format!("<title>{}</title>", "x".repeat(400_000)));
        assert_eq!(long.title.len(), MAX_VALUE_BYTES);
        let long = format!("<meta property=og:title content='{}'>", "é".repeat(200_000));
        assert_eq!(read(&long).title.len(), MAX_VALUE_BYTES);
    }
}
