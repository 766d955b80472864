//! A grammar of texts: addresses, names, Markdown, scripts and controls. Each text knows the links
//! that it is to have.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The names that somebody holds.
pub(super) const USERS: [&str; 14] = [
    "Tom",
    "Nora",
    "Ada",
    "Ada L.",
    "Ünal",
    "דנה",
    "山田",
    "สมชาย",
    "Жанна",
    "*neo*",
    "_x2_",
    "a<b>2",
    "me@home #1",
    "민수",
];

/// A text, and the texts of its links to other sites.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) links: Vec<String>,
}

impl Written {
    fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), links: Vec::new() }
    }

    fn joined(parts: Vec<Self>, separator: &str) -> Self {
        let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
        let text = texts.join(separator);
        Self { text, links: parts.into_iter().flat_map(|part| part.links).collect() }
    }
}

/// Several blocks, with empty lines between them.
pub(super) fn written() -> impl Strategy<Value = Written> {
    vec(block(), 1..5).prop_map(|blocks| Written::joined(blocks, "\n\n"))
}

fn block() -> impl Strategy<Value = Written> {
    let lines = || vec(line(), 1..4);
    let prefixed = move |prefix: &'static str| {
        lines().prop_map(move |lines| {
            let prefixed =
                |line: Written| Written { text: format!("{prefix}{}", line.text), ..line };
            Written::joined(lines.into_iter().map(prefixed).collect(), "\n")
        })
    };
    let fence = lines().prop_map(|lines| {
        let code = Written::joined(lines, "\n").text.replace('`', "'");
        Written::of(format!("```rust\n{code}\n```"))
    });
    let table = vec((line(), line()), 1..3).prop_map(|rows| {
        let row = |(a, b)| {
            let row = Written::joined(vec![a, b], " | ");
            Written { text: format!("| {} |", row.text), ..row }
        };
        let head = Written::of("| a | b |\n| --- | :-: |");
        let rows = std::iter::once(head).chain(rows.into_iter().map(row)).collect();
        Written::joined(rows, "\n")
    });
    prop_oneof![
        4 => prefixed(""),
        1 => prefixed("> "),
        1 => prefixed("- "),
        1 => prefixed("- [x] "),
        1 => prefixed("7. "),
        1 => prefixed("## "),
        1 => table,
        1 => fence,
    ]
}

/// A line: it begins with a word, so that no noise begins a block.
fn line() -> impl Strategy<Value = Written> {
    let space = select(vec![" ", " ", " ", "\u{3000}", "\u{A0}", "、", " — "]);
    vec((token(), space), 0..7).prop_map(|tokens| {
        let tokens = tokens.into_iter().flat_map(|(token, space)| [Written::of(space), token]);
        let tokens = std::iter::once(Written::of("so")).chain(tokens).collect();
        Written::joined(tokens, "")
    })
}

fn token() -> impl Strategy<Value = Written> {
    prop_oneof![
        3 => select(WORDS.to_vec()).prop_map(Written::of),
        4 => address(),
        6 => mention().prop_map(Written::of),
        2 => select(NOISE.to_vec()).prop_map(Written::of),
        1 => (select(WORDS.to_vec()), mention()).prop_map(|(word, mention)| {
            Written::of(format!("`{word} {}`", mention.replace('`', "")))
        }),
        1 => select(LABELS.to_vec()).prop_map(|label| Written {
            text: format!("[{label}](https://label.example/)"),
            links: vec![label.to_owned()],
        }),
    ]
}

/// An address, with what may stand right before it and right after.
fn address() -> impl Strategy<Value = Written> {
    let scheme = select(vec!["https://", "http://", "HTTPS://"]);
    let host = select(vec![
        "a.example",
        "例え.テスト",
        "[::1]:80",
        "127.0.0.1",
        "localhost:3000",
        "münchen.example",
        "[2001:db8::7]",
        "пример.рф",
    ]);
    let path = vec(select(PATHS.to_vec()), 0..4).prop_map(|parts| parts.concat());
    let before = select(vec![
        "",
        "",
        "(",
        "（",
        "「",
        "“",
        "*",
        "**",
        "_",
        "~~",
        "詳細は",
        "ดู",
        "<",
        "\"",
        "—",
    ]);
    let after = select(vec![
        "",
        "",
        ")",
        "）",
        "」",
        "”",
        ".",
        ",",
        "!",
        "?!",
        "。",
        "、",
        "…",
        "...",
        ":",
        ";",
        "*",
        "**",
        "_",
        "~~",
        "。次",
        "』と",
        "’s",
        "»",
        "<b>",
        ">",
        "\"",
        "\u{200B}",
        "\u{202E}x",
        "'",
        "（x）",
    ]);
    (scheme, host, path, before, after).prop_map(|(scheme, host, path, before, after)| {
        // The last character is none that a sentence could own.
        let address = format!("{scheme}{host}/{path}z");
        Written { text: format!("{before}{address}{after}"), links: vec![address] }
    })
}

/// A sign and mostly a name, with what may stand right before and right after.
fn mention() -> impl Strategy<Value = String> {
    let before = select(vec![
        "",
        "",
        "",
        "(",
        "*",
        "**",
        "_",
        "~~",
        "ありがとう",
        "谢谢",
        "ขอบคุณ",
        "サーバー",
        "me",
        "é",
        "e\u{301}",
        "7",
        "안녕",
        "ש",
        "1️⃣",
        "👩‍🚀",
        "@Tom",
        "@nobody",
        "<p>",
        "\"",
        "「",
    ]);
    let sign = select(vec!["@", "@", "@", "＠"]);
    let name = prop_oneof![
        8 => select(USERS.to_vec()),
        2 => select(vec!["tom", "ＮＯＲＡ", "ada", "ADA L.", "ünal", "U\u{308}nal", "here", "nobody", ""]),
    ];
    let after = select(vec![
        "",
        "",
        "",
        ",",
        "!",
        ".",
        "さん",
        "的",
        "ครับ",
        "my",
        "2",
        "\u{301}",
        "\u{FE0F}",
        "'s",
        "’s",
        "לה",
        "ла",
        "야",
        "_",
        "*",
        "**",
        ")",
        "」",
        "@Nora",
        "@דנה",
        "#general",
        ":",
        "…",
        "\u{200B}",
        "👍",
    ]);
    (before, sign, name, after)
        .prop_map(|(before, sign, name, after)| format!("{before}{sign}{name}{after}"))
}

const WORDS: [&str; 12] = [
    "hello",
    "*very*",
    "**bold**",
    "~~gone~~",
    "日本語",
    "שלום",
    "مرحبا",
    "😀",
    "naïve",
    "10:30",
    ":tada:",
    "#general",
];

const LABELS: [&str; 4] = ["docs", "the docs", "ドキュメント", "@Tom’s"];

const PATHS: [&str; 16] = [
    "a",
    "__init__.py",
    "wiki/中国",
    "A_(b)",
    "*x*",
    "~y~",
    "?q=1&b=2",
    "#_z",
    "a_b_c",
    "@Tom",
    "[1]",
    "%7E",
    "é",
    "ペー",
    "שלום",
    "x-y.z",
];

const NOISE: [&str; 24] = [
    "*", "**", "_", "~~", "[", "]", "(", ")", "!", "&", "&amp;", "#", "\\", "<b>", "</b>", "<br/>",
    "a < b", "\u{202E}", "\u{301}", "\u{200D}", "\u{FEFF}", "...", "@", "＠",
];
