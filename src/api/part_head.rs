//! The `Content-Disposition` of a form's part (RFC 7578, section 4.2), as clients really write it.
//!
//! Browsers and `curl` send the bytes of a name as they are, and `%22`, `%0D` and `%0A` for what
//! would end the header (WHATWG HTML, "escape a multipart/form-data name"); other clients put a
//! backslash before quotes. Names beyond ASCII also come as `filename*` (RFC 8187), which RFC 7578
//! does not want and many clients send, beside a `filename` of RFC 2047 words or of question marks:
//! it wins wherever it can be read. Some clients send the words alone, so these are decoded, too.

use data_encoding::BASE64;
use percent_encoding::percent_decode;

use super::input::is_utf8_label;

/// The name of a form's part, and the name of its file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PartHead {
    /// The name of the form's field.
    pub(super) name: Option<String>,
    /// The file's name; `None` where the part is no file.
    pub(super) file_name: Option<String>,
}

impl PartHead {
    /// Reads the value of a `Content-Disposition` header. What cannot be read of it is left out.
    pub(super) fn parse(header: &[u8]) -> Self {
        let parameters = Parameters { rest: header };
        let (mut name, mut file_name, mut extended) = (None, None, None);
        for (attribute, value) in parameters {
            let place = match &*attribute {
                b"name" => &mut name,
                b"filename" => &mut file_name,
                b"filename*" => &mut extended,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        let extended = extended.and_then(|value| extended_value(&value));
        let file_name = || Some(file_name_of(readable(file_name?)));
        Self { name: name.map(readable), file_name: extended.or_else(file_name) }
    }
}

/// An iterator over the parameters of a header: each the attribute, in lower case, and its value.
struct Parameters<'h> {
    rest: &'h [u8],
}

impl Iterator for Parameters<'_> {
    type Item = (Vec<u8>, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (attribute, stop, rest) = split_at(self.rest, |byte| matches!(byte, b'=' | b';'));
            self.rest = rest;
            if stop != Some(b'=') {
                continue; // the type itself, `form-data`
            }
            let value = match rest.trim_ascii_start() {
                [b'"', quoted @ ..] => {
                    let (value, rest) = unquoted(quoted);
                    self.rest = split_at(rest, |byte| byte == b';').2;
                    value
                }
                token => {
                    let (value, _, rest) = split_at(token, |byte| byte == b';');
                    self.rest = rest;
                    value.trim_ascii().to_vec()
                }
            };
            return Some((attribute.trim_ascii().to_ascii_lowercase(), value));
        }
        None
    }
}

/// What is before the first byte that stops, this byte, and what is after it.
fn split_at(bytes: &[u8], stops: impl Fn(u8) -> bool) -> (&[u8], Option<u8>, &[u8]) {
    match bytes.iter().position(|byte| stops(*byte)) {
        Some(at) => (&bytes[..at], Some(bytes[at]), &bytes[at + 1..]),
        None => (bytes, None, &[]),
    }
}

/// The value of a quoted string that begins here, and what is after it.
///
/// A backslash escapes a quotation mark or a backslash; before anything else it is itself, as in
/// `C:\cat.png`. Where no end is found so, the last quotation mark is the end: a browser escapes no
/// backslash at the end of a name.
fn unquoted(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut value, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', _) => return (value, &bytes[at + 1..]),
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                value.push(*escaped);
                at += 2;
            }
            _ => {
                value.push(*byte);
                at += 1;
            }
        }
    }
    let end = bytes.iter().rposition(|byte| *byte == b'"').unwrap_or(bytes.len());
    (bytes[..end].to_vec(), &[])
}

/// The text of a value's bytes: UTF-8, or else ISO-8859-1, in which headers once were.
fn readable(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| latin1(error.as_bytes()))
}

/// The file name that a `filename` stands for.
fn file_name_of(value: String) -> String {
    encoded_words(&value).unwrap_or_else(|| unescaped(&value))
}

/// The file name that a browser has escaped in the form.
fn unescaped(name: &str) -> String {
    let quotes = name.replace("%22", "\"");
    let returns = quotes.replace("%0D", "\r").replace("%0d", "\r");
    returns.replace("%0A", "\n").replace("%0a", "\n")
}

/// The text of an extended value, `charset'language'percent-encoded` (RFC 8187, section 3.2); `None`
/// where it is none, or in a charset that is not understood.
fn extended_value(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let text = decoded(std::str::from_utf8(charset).ok()?, percent_decoded(encoded)?)?;
    Some(text).filter(|text| !text.is_empty())
}

/// The bytes that are percent-encoded here; `None` where a percent sign is not followed by two
/// hexadecimal digits.
fn percent_decoded(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut escapes = encoded.split(|byte| *byte == b'%').skip(1);
    let all = escapes.all(|it| it.len() >= 2 && it[..2].iter().all(u8::is_ascii_hexdigit));
    all.then(|| percent_decode(encoded).collect())
}

/// The text of a value that consists of encoded words, `=?charset?B?…?=` or `=?charset?Q?…?=`
/// (RFC 2047); `None` for any other. A character may begin in one word and end in the next.
fn encoded_words(value: &str) -> Option<String> {
    let (mut charset, mut bytes) = (None, Vec::new());
    for word in value.split_ascii_whitespace() {
        let mut parts = word.strip_prefix("=?")?.strip_suffix("?=")?.split('?');
        let [Some(label), Some(encoding), Some(encoded), None] = [(); 4].map(|()| parts.next())
        else {
            return None;
        };
        // A language may follow the charset (RFC 2231, section 5).
        let label = label.split('*').next()?;
        if !charset.get_or_insert(label).eq_ignore_ascii_case(label) {
            return None;
        }
        bytes.extend(match encoding {
            "B" | "b" => BASE64.decode(encoded.as_bytes()).ok()?,
            "Q" | "q" => {
                let escapes = encoded.replace('%', "%25").replace('=', "%").replace('_', " ");
                percent_decoded(escapes.as_bytes())?
            }
            _ => return None,
        });
    }
    decoded(charset?, bytes)
}

/// The text of bytes in this charset.
fn decoded(charset: &str, bytes: Vec<u8>) -> Option<String> {
    if is_utf8_label(charset) {
        return String::from_utf8(bytes).ok();
    }
    charset.eq_ignore_ascii_case("iso-8859-1").then(|| latin1(&bytes))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parameters: impl AsRef<[u8]>, file_name: &str) {
        let header = [b"form-data; name=\"file\"; ", parameters.as_ref()].concat();
        let head = PartHead::parse(&header);
        let shown = header.escape_ascii();
        assert_eq!(head.file_name.as_deref(), Some(file_name), "{shown}");
        assert_eq!(head.name.as_deref(), Some("file"), "{shown}");
    }

    #[test]
    fn a_file_name_is_read_as_browsers_and_curl_write_it() {
        check(r#"filename="cat.png""#, "cat.png");
        check("filename=cat.png", "cat.png");
        check("FileName = cat.png ; size=7", "cat.png");
        check(r#"filename="报告 2026.txt""#, "报告 2026.txt");
        check("filename=\"می\u{200C}خواهم.pdf\"", "می\u{200C}خواهم.pdf");
        check(r#"filename="a%22b%22.txt""#, "a\"b\".txt");
        check(r#"filename="a%0D%0Ab.txt""#, "a\r\nb.txt");
        check(r#"filename="100%25 sure.txt""#, "100%25 sure.txt");
        check(r#"filename="a \"b\".txt"; size=3"#, "a \"b\".txt");
        check(r#"filename="a\\b.txt""#, r"a\b.txt");
        check(r#"filename="C:\Users\ada\cat.png""#, r"C:\Users\ada\cat.png");
        check(r#"filename="ends so\""#, r"ends so\");
        check(r#"filename="a; name=text; b=\"c\".txt""#, "a; name=text; b=\"c\".txt");
        check(r#"filename="never ends"#, "never ends");
        check(b"filename=\"Gr\xFC\xDFe.txt\"", "Grüße.txt");
        check(r#"filename="""#, "");
    }

    #[test]
    fn an_extended_file_name_wins_where_it_can_be_read() {
        let encoded = r#"filename="=?utf-8?B?5oql5ZGKLnR4dA==?="; "#;
        check(format!("{encoded}filename*=utf-8''%E6%8A%A5%E5%91%8A.txt"), "报告.txt");
        check(r#"filename*=UTF-8''na%C3%AFve%20plan.md; filename="naive.md""#, "naïve plan.md");
        check("filename*=utf-8'fa'%D9%85%DB%8C%E2%80%8C%D8%AE.pdf", "می\u{200C}خ.pdf");
        check(r#"filename="???.txt"; filename*="utf-8''%D0%9F%D0%BB%D0%B0%D0%BD.txt""#, "План.txt");
        check("filename*=iso-8859-1''%A3%20rates.txt", "£ rates.txt");
        check("filename*=utf8''a'b.txt", "a'b.txt");
        check("filename*=US-ASCII'en'%2522.txt", "%22.txt");
        check("filename*=UTF-8''日本.txt", "日本.txt");
    }

    #[test]
    fn an_extended_file_name_that_cannot_be_read_leaves_the_other() {
        for extended in [
            "utf-8''%E6%8A.txt",
            "utf-8''%ZZ.txt",
            "utf-8''%E",
            "utf-8''100%",
            "utf-8''%+1.txt",
            "shift_jis''%95%F1.txt",
            "''%E6%8A%A5.txt",
            "utf-8%E6%8A%A5.txt",
            "utf-8''",
            "",
        ] {
            check(format!("filename=plain.txt; filename*={extended}"), "plain.txt");
        }
        assert_eq!(PartHead::parse(b"form-data; filename*=utf-8''%E6").file_name, None);
    }

    #[test]
    fn encoded_words_are_decoded_where_a_name_is_nothing_else() {
        check(r#"filename="=?utf-8?B?5oql5ZGKLnR4dA==?=""#, "报告.txt");
        check(r#"filename="=?UTF-8?Q?=E6=8A=A5_2026=5F.txt?=""#, "报 2026_.txt");
        check(r#"filename="=?utf-8?B?5oql5Q==?= =?utf-8?B?kYoudHh0?=""#, "报告.txt");
        check(r#"filename="=?iso-8859-1*de?q?Gr=FC=DFe_100%.txt?=""#, "Grüße 100%.txt");
        check("filename==?us-ascii?Q?a.txt?=", "a.txt");
        for other in [
            "=?koi8-r?B?5oql?=",
            "=?utf-8?X?abc?=",
            "=?utf-8?B?not base64?=",
            "=?utf-8?B?/w==?=",
            "=?utf-8?Q?=E6=8?=",
            "=?utf-8?Q?a?b?=",
            "a =?utf-8?Q?b?=",
            "=?utf-8?Q?a?=.txt",
        ] {
            check(format!("filename=\"{other}\""), other);
        }
    }

    #[test]
    fn a_part_need_not_be_a_file() {
        let text = PartHead { name: Some("text".into()), file_name: None };
        assert_eq!(PartHead::parse(b"form-data; name=\"text\""), text);
        assert_eq!(PartHead::parse(b"form-data;name=text; other=\"filename=x\""), text);
        assert_eq!(PartHead::parse(b"Form-Data ; NAME = text;"), text);
        assert_eq!(PartHead::parse(b"form-data"), PartHead::default());
        assert_eq!(PartHead::parse(b""), PartHead::default());
        assert_eq!(PartHead::parse(b";;=;\"=\";name"), PartHead::default());
    }
}
