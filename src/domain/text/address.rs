//! Bare addresses in texts.

use icu_properties::CodePointSetData;
use icu_properties::CodePointSetDataBorrowed;
use icu_properties::props::{Dash, GeneralCategory, QuotationMark, TerminalPunctuation};
use url::{ParseError, Url};

use crate::domain::names::general_category;

/// The schemes of addresses that are linked.
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Longest host with its port and user, in code points. A domain name has at most 253 (RFC 1035).
const MAX_HOST: usize = 300;

const TERMINAL_PUNCTUATION: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<TerminalPunctuation>();
const DASHES: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Dash>();
const QUOTATION_MARKS: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<QuotationMark>();

/// The length in bytes of the bare address at the start of `rest`; `None` where none starts there.
///
/// It is as long as it can be, but ends before white space and controls, `<`, `>`, `"`, quotation
/// marks, CJK punctuation and the ellipsis, and before trailing ASCII punctuation and brackets that
/// are not balanced within it. Letters, marks and emoji of any script stay.
pub(super) fn length(rest: &str) -> Option<usize> {
    let scheme = SCHEMES.iter().map(|scheme| scheme.len()).find(|length| {
        let begins =
            |scheme: &&str| rest.get(..*length).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
        SCHEMES.iter().any(begins) && rest[*length..].starts_with(':')
    })?;
    let body = scheme + 1 + if rest[scheme + 1..].starts_with("//") { 2 } else { 0 };
    let is_mail = rest[..scheme].eq_ignore_ascii_case("mailto");
    if is_mail == (body > scheme + 1) {
        return None;
    }
    // First of all: what fails must not cost a look at the whole rest.
    if !rest[body..].starts_with(|c: char| c.is_alphanumeric() || "[?".contains(c)) {
        return None;
    }
    let end = body + body_length(&rest[body..]);
    let parsed = parsed(&rest[..end]).ok()?;
    (end > body && (is_mail || parsed.has_host())).then_some(end)
}

/// Parses an address, but none with a host that no name server could know: decoding labels takes the
/// square of their length.
fn parsed(address: &str) -> Result<Url, ParseError> {
    let host = address.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.find(['/', '?', '#']).map_or(host, |end| &host[..end]);
    if host.chars().count() > MAX_HOST { Err(ParseError::IdnaError) } else { Url::parse(address) }
}

fn body_length(body: &str) -> usize {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut end = body.len();
    for (at, c) in body.char_indices() {
        let opening = match c {
            ')' => '(',
            ']' => '[',
            '}' => '{',
            _ => {
                if "([{".contains(c) {
                    open.push((c, at));
                } else if ends_address(c) {
                    end = at;
                    break;
                }
                continue;
            }
        };
        if open.last().is_some_and(|(c, _)| *c == opening) {
            open.pop();
        } else {
            end = at;
            break;
        }
    }
    // What was opened first and never closed is the sentence's.
    let end = open.first().map_or(end, |(_, at)| end.min(*at));
    body[..end].trim_end_matches(is_trailing_punctuation).len()
}

/// Tells whether an address in angle brackets is one: where Markdown goes on, a bare one might end.
pub(super) fn is_one(address: &str) -> bool {
    !address.contains(ends_address)
}

/// Tells whether no address goes on with this character.
fn ends_address(c: char) -> bool {
    use GeneralCategory as G;
    match c {
        '<' | '>' | '"' | '`' => true,
        _ if c.is_ascii() => c.is_ascii_whitespace() || c.is_ascii_control(),
        // Joiners and the tags of flags are parts of words and emoji.
        '\u{200C}' | '\u{200D}' | '\u{E0020}'..='\u{E007F}' => false,
        '…' | '‥' | '⋯' => true,
        // Punctuation among the CJK symbols, the full-width forms, and the small and vertical ones.
        '\u{3000}'..='\u{303F}'
        | '\u{FE10}'..='\u{FE1F}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF65}' => !c.is_alphanumeric(),
        _ => {
            c.is_whitespace()
                || QUOTATION_MARKS.contains(c)
                || matches!(general_category(c), G::Control | G::Format)
        }
    }
}

/// Tells whether an address does not end with this character: the sentence goes on with it.
fn is_trailing_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return matches!(
            c,
            '!' | '\'' | '*' | ',' | '.' | ':' | ';' | '?' | '\\' | '^' | '_' | '|' | '~'
        );
    }
    TERMINAL_PUNCTUATION.contains(c) || DASHES.contains(c)
}

/// Tells whether an address of a Markdown link leads somewhere: to a page or a mailbox, or to a
/// channel of this server.
pub(super) fn is_linkable(address: &str) -> bool {
    match parsed(address) {
        Ok(url) => {
            let scheme = url.scheme();
            // Browsers take `http:x` for an address on this server.
            let is_whole = address.get(scheme.len()..).is_some_and(|rest| rest.starts_with("://"));
            scheme == "mailto" || SCHEMES.contains(&scheme) && is_whole
        }
        Err(ParseError::RelativeUrlWithoutBase) => super::clean::is_channel(address),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, address: &str) {
        assert_eq!(length(text).map(|end| &text[..end]).unwrap_or_default(), address, "{text:?}");
    }

    #[track_caller]
    fn whole(address: &str) {
        check(address, address);
        check(&format!("{address} and more"), address);
        check(&format!("{address}。次"), address);
        check(&format!("{address}."), address);
        check(&format!("{address}) and"), address);
    }

    #[test]
    fn signs_of_markdown_in_an_address_are_its_own() {
        whole("https://github.com/a/b/blob/main/__init__.py");
        whole("https://a.example/*x*/~y~?q=a_b_c#_z");
        whole("http://a.example/a|b/$x$/%7Ey&copy=1&amp;b");
        whole("https://en.wikipedia.org/wiki/Rock_'n'_Roll_(song)");
        whole("https://web.archive.org/web/2020*/https://a.example/");
        whole("https://a.example/=x==-+");
    }

    #[test]
    fn letters_of_any_script_stay() {
        whole("https://zh.wikipedia.org/wiki/中国");
        whole("https://例え.テスト/パス/ページー々");
        whole("https://пример.рф/страница");
        whole("https://he.wikipedia.org/wiki/ירושלים");
        whole("https://hi.wikipedia.org/wiki/हिन्दी");
        whole("https://fa.wikipedia.org/wiki/می\u{200C}خواهم");
        whole("https://a.example/👩‍🚀/🏴󠁧󠁢󠁳󠁣󠁴󠁿/é");
    }

    #[test]
    fn hosts_may_be_numbers() {
        whole("http://[::1]:80/x");
        whole("https://[2001:db8::7]/a[1]");
        whole("http://127.0.0.1:8000");
        whole("HTTPS://A.EXAMPLE/X");
        whole("http://localhost:3000/?q");
        whole("http://user:secret@a.example");
    }

    #[test]
    fn mailboxes_are_addresses() {
        whole("mailto:ada@example.org");
        whole("mailto:ada+chat@example.org?subject=a_b");
        check("mailto: ada@example.org", "");
        check("mailto:", "");
        check("mailto://ada@example.org", "");
    }

    #[test]
    fn the_sentence_goes_on_after_an_address() {
        check("https://google.com。次", "https://google.com");
        check("http://google.com/）", "http://google.com/");
        check("https://a.example/x”", "https://a.example/x");
        for after in [
            " ",
            "\u{A0}",
            "\u{3000}",
            "\u{2028}",
            "\n",
            "\t",
            "\u{200B}",
            "\u{202E}x",
            "<b>",
            ">",
            "\"",
            "`",
            "…",
            "...",
            "?!",
            "»",
            "«x",
            "’s",
            "„x",
            "」と",
            "』",
            "、",
            "！",
            "？",
            "：",
            "】",
            "〉",
            "．",
            "*",
            "**",
            "_",
            "~~",
            "'",
            ";",
            ":",
            ",",
            "|",
            ")",
            "]",
            "}",
            "))",
            ").",
            "(",
            " (x)",
            "{",
        ] {
            let address = "https://a.example/x_y";
            check(&format!("{address}{after}"), address);
        }
        for after in ["،", "؟", "۔", "।", "։", "።", "។", "—", "–", "،»"] {
            check(&format!("https://a.example/x{after} then"), "https://a.example/x");
        }
        check("https://a.example/x؟y", "https://a.example/x؟y");
        check("https://a.example/x(y", "https://a.example/x");
        check("https://a.example/(x)(y)z)", "https://a.example/(x)(y)z");
        check("https://a.example/[x)", "https://a.example/");
    }

    #[test]
    fn links_lead_to_other_servers_mailboxes_or_channels() {
        for address in
            ["http://a", "HTTPS://a.example/x", "mailto:a@b", "/channels/general", "http://[::1]/"]
        {
            assert!(is_linkable(address), "{address}");
        }
        for address in [
            "http:sign-out",
            "https:/sign-out",
            "HTTP:x",
            "http:\\\\a.example",
            "http:",
            "ht\ntp://a.example",
            " http:x",
            "ftp://a.example",
            &format!("https://{}.example", "a".repeat(300)),
        ] {
            assert!(!is_linkable(address), "{address}");
        }
    }

    #[test]
    fn not_everything_with_a_colon_is_an_address() {
        for text in [
            "http://",
            "https://.",
            "http:/x",
            "http:x",
            "https://…",
            "http://[::1/x",
            "http://?",
            "ssh://a.example",
            "javascript:alert(1)",
            "httpx://a",
            "http:// a.example",
            "http://)",
            "https://-",
            "ftp://a.example",
        ] {
            check(text, "");
        }
    }
}
