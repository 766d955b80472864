use super::*;
use crate::domain::names::DisplayName;

/// A directory of these users and the channel `general`.
struct Few(Vec<DisplayName>);

impl Few {
    fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| name.parse().expect("a name")).collect())
    }
}

impl Directory for Few {
    fn user(&self, compared: &str) -> Option<UserId> {
        let number = self.0.iter().position(|name| name.compared() == compared)?;
        Some(UserId::from(format!("u{number}")))
    }

    fn has_channel(&self, name: &str) -> bool {
        name == "general"
    }
}

fn rendered(text: &str) -> Rendered {
    render(&text.parse().expect("a text"), &Few::of(&["Ada"]))
}

#[track_caller]
fn check(text: &str, html: &str) {
    assert_eq!(rendered(text).html, html, "{text:?}");
}

/// A link as it is drawn.
fn link(address: &str, text: &str) -> String {
    format!(r#"<a href="{address}" rel="noopener noreferrer nofollow">{text}</a>"#)
}

fn bare(address: &str) -> String {
    link(address, address)
}

fn ada() -> String {
    r#"<a href="/channels/%40Ada" data-user="u0" rel="noopener noreferrer nofollow">@Ada</a>"#
        .into()
}

#[test]
fn markdown_is_rendered() {
    check("hello", "<p>hello</p>");
    check(
        "*a* **b** ~~c~~ `d`",
        "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>",
    );
    check("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>");
    check("3. c", "<ol start=\"3\">\n<li>c</li>\n</ol>");
    check("one\ntwo", "<p>one<br>\ntwo</p>");
}

#[test]
fn code_tells_its_language() {
    let code = |attributes: (&str, &str), code: &str| {
        format!("<pre{}><code{}>{code}\n</code></pre>", attributes.0, attributes.1)
    };
    let rust = (r#" data-language="rust""#, r#" class="language-rust""#);
    check("```rust\nfn main() {}\n```", &code(rust, "fn main() {}"));
    check("~~~ rust ignore\n@Ada\n~~~", &code(rust, "@Ada"));
    check("```rust,ignore\n:tada:\n```", &code(rust, ":tada:"));
    let cpp = (r#" data-language="C++""#, r#" class="language-C++""#);
    check("```C++\nx\n```", &code(cpp, "x"));
    check("```\nx\n```", &code(("", ""), "x"));
    check("```<b>\nx\n```", &code(("", ""), "x"));
    check("```\"onclick=x\nx\n```", &code(("", ""), "x"));
    let plain = code(("", ""), "x").replace("x\n", "x");
    check("a\n\n    x", &format!("<p>a</p>\n{plain}"));
}

#[test]
fn tables_and_task_lists_are_drawn() {
    check(
        "| a | b |\n|:--|--:|\n| *1* | https://a.example/x|y |\n| @Ada",
        &format!(
            "<table><thead><tr><th align=\"left\">a</th><th align=\"right\">b</th></tr></thead><tbody>\n\
             <tr><td align=\"left\"><em>1</em></td><td align=\"right\">{}</td></tr>\n\
             <tr><td align=\"left\">{}</td><td align=\"right\"></td></tr>\n</tbody></table>",
            bare("https://a.example/x"),
            ada()
        ),
    );
    check(
        "- [ ] a\n- [x] b",
        "<ul>\n<li><input disabled=\"\" type=\"checkbox\"> a</li>\n\
         <li><input disabled=\"\" type=\"checkbox\" checked=\"\"> b</li>\n</ul>",
    );
}

#[test]
fn bare_addresses_are_linked_whole() {
    let address = "https://github.com/a/b/blob/main/__init__.py";
    check(address, &format!("<p>{}</p>", bare(address)));
    check(&format!("*see {address}*"), &format!("<p><em>see {}</em></p>", bare(address)));
    check(&format!("**{address}**"), &format!("<p><strong>{}</strong></p>", bare(address)));
    check(
        "詳細はhttps://a.example/*x*です。",
        &format!("<p>詳細は{}</p>", bare("https://a.example/*x*です") + "。"),
    );
    check("（http://google.com/）", &format!("<p>（{}）</p>", bare("http://google.com/")));
    check("“https://a.example/x”", &format!("<p>“{}”</p>", bare("https://a.example/x")));
    check("http://[::1]:80/x", &format!("<p>{}</p>", bare("http://[::1]:80/x")));
    check("<https://a.example/x_y_z>", &format!("<p>{}</p>", bare("https://a.example/x_y_z")));
    check(
        "https://a.example/?a=1&b=2",
        &format!("<p>{}</p>", bare("https://a.example/?a=1&amp;b=2")),
    );
    check("xhttps://a.example", "<p>xhttps://a.example</p>");
    check("`https://a.example`", "<p><code>https://a.example</code></p>");
}

#[test]
fn links_lead_somewhere_or_are_text() {
    check("[x](https://a.example)", &format!("<p>{}</p>", link("https://a.example", "x")));
    check("[x](http://[::1]/)", &format!("<p>{}</p>", link("http://[::1]/", "x")));
    check("[x](/channels/general)", &format!("<p>{}</p>", link("/channels/general", "x")));
    check("<ada@a.example>", &format!("<p>{}</p>", link("mailto:ada@a.example", "ada@a.example")));
    check(
        "![cat](https://a.example/cat.png)",
        &format!("<p>{}</p>", link("https://a.example/cat.png", "cat")),
    );
    check(
        "[![cat](https://b.example)](https://a.example)",
        &format!("<p>{}</p>", link("https://a.example", "cat")),
    );
    let docs = link("https://b.example", "docs");
    check(
        "<https://a.example/x\u{3000}[docs](https://b.example)、`@Ada`>",
        &format!("<p>&lt;{}\u{3000}{docs}、<code>@Ada</code>&gt;</p>", bare("https://a.example/x")),
    );
    assert!(rendered("<https://a.example/x、`@Ada`>").mentions.is_empty());
    check("[x](example.org)", "<p>[x](example.org)</p>");
    check("[**x**](example.org)", "<p>[<strong>x</strong>](example.org)</p>");
    check("![x](cat.png)", "<p>![x](cat.png)</p>");
    check("ssh://git@a.example/x", "<p>ssh://git@a.example/x</p>");
    check("<ssh://git@a.example/x>", "<p>&lt;ssh://git@a.example/x&gt;</p>");
    check("[x][y]\n\n[y]: example.org", "<p>[x][y]</p>\n<p>[y]: example.org</p>");
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
        check(&format!("[x]({address})"), &format!("<p>[x]({address})</p>"));
    }
}

#[test]
fn what_would_show_nothing_is_shown_as_it_was_written() {
    let address = bare("https://a.example/x");
    check("[1]: https://a.example/x", &format!("<p>[1]: {address}</p>"));
    check("[](https://a.example/x)", &format!("<p>[]({address})</p>"));
    check("[ \u{200B}](https://a.example/x)", &format!("<p>[ \u{200B}]({address})</p>"));
    check("hello ![](https://a.example/x)", &format!("<p>hello ![]({address})</p>"));
    check("[bot]: done", "<p>[bot]: done</p>");
    check("> [a]: /x 'y'", "<blockquote>\n<p>[a]: /x 'y'</p>\n</blockquote>");
    check("-", "<p>-</p>");
    check("", "");
    check("\u{200B}", "");
    check(">", "<p>&gt;</p>");
    check("#", "<p>#</p>");
    check("```\n```", "<p>```<br>\n```</p>");
    check("***", "<hr>");
    check("- [ ]", "<ul>\n<li>[ ]</li>\n</ul>");
    check(
        "[a]: https://a.example/x\n\n[a]",
        &format!("<p>{}</p>", link("https://a.example/x", "a")),
    );
}

#[test]
fn users_and_channels_are_linked() {
    let general = link("/channels/general", "#general");
    check("hi @Ada, see #general.", &format!("<p>hi {}, see {general}.</p>", ada()));
    check("**@Ada**", &format!("<p><strong>{}</strong></p>", ada()));
    check("@Bob #other a#general me@Ada", "<p>@Bob #other a#general me@Ada</p>");
    check("`@Ada` #", "<p><code>@Ada</code> #</p>");
    check("[@Ada](https://a.example)", &format!("<p>{}</p>", link("https://a.example", "@Ada")));
    check("@here", "<p><span data-here=\"\">@here</span></p>");
    check("\u{F0000}@Ada\u{F0001}", &format!("<p>\u{F0000}{}\u{F0001}</p>", ada()));
}

#[test]
fn nobody_is_called_in_quotations() {
    let quoted = link("/channels/%40Ada", "@Ada");
    check("> @Ada", &format!("<blockquote>\n<p>{quoted}</p>\n</blockquote>"));
    check("> @here", "<blockquote>\n<p>@here</p>\n</blockquote>");
    assert!(rendered("> @Ada please look\n\nyes").mentions.is_empty());
    assert!(rendered("> - > @Ada").mentions.is_empty());
    assert_eq!(rendered("> @Ada\n\n@Ada, yes").mentions.len(), 1);
}

#[test]
fn no_number_of_signs_hides_a_mention() {
    let frames: Vec<_> = (0..55).map(|n| format!("#{n} frame")).collect();
    assert_eq!(rendered(&format!("{}\n@Ada any idea?", frames.join("\n"))).mentions.len(), 1);
    assert_eq!(rendered(&format!("{} @Ada", "@nobody ".repeat(400))).mentions.len(), 1);
    assert_eq!(rendered(&format!("{} @Ada", "#general ".repeat(400))).mentions.len(), 1);
    let many = rendered(&"@Ada ".repeat(800));
    assert_eq!(
        (many.mentions.len(), many.html),
        (1, format!("<p>{}</p>", "@Ada ".repeat(800).trim()))
    );
}

#[test]
fn shortcodes_are_emoji() {
    check(":tada: :+1: :white_check_mark:", "<p>🎉 👍 ✅</p>");
    check("**:tada:**:tada:", "<p><strong>🎉</strong>🎉</p>");
    check("すごい:tada:", "<p>すごい🎉</p>");
    check(":grinning_face: :party_popper:", "<p>😀 🎉</p>");
    check("10:30:45 a:100:5 :100:5", "<p>10:30:45 a:100:5 :100:5</p>");
    check("std::lock::x a::key::b :tada::tada:", "<p>std::lock::x a::key::b 🎉🎉</p>");
    check(
        "[std::key::x](https://a.example)",
        &format!("<p>{}</p>", link("https://a.example", "std::key::x")),
    );
    check(
        "<https://a.example/:tada:/x>",
        &format!("<p>{}</p>", bare("https://a.example/:tada:/x")),
    );
    check("`:tada:` :nothing_like_it: ::", "<p><code>:tada:</code> :nothing_like_it: ::</p>");
    check("[:tada:](https://a.example)", &format!("<p>{}</p>", link("https://a.example", "🎉")));
}

#[test]
fn html_is_text() {
    check("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>");
    check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
    check("<div>\nx", "<p>&lt;div&gt;<br>\nx</p>");
    check("<p>@Ada", &format!("<p>&lt;p&gt;{}</p>", ada()));
    check(
        "<a href=\"https://a.example/x\">",
        &format!("<p>&lt;a href=\"{}\"&gt;</p>", bare("https://a.example/x")),
    );
}

#[test]
fn what_would_become_too_long_or_too_deep_is_shown_as_it_was_written() {
    let deep = ">".repeat(4_000);
    check(&deep, &format!("<p>{}</p>", "&gt;".repeat(4_000)));
    let references = format!("[a]: http://x/{}\n\n{}", "&".repeat(500), "[a][a]".repeat(400));
    let html = rendered(&references).html;
    assert!(html.len() < 20_000 && html.starts_with("<p>[a]:"), "{}", html.len());
    assert!(rendered(&"&".repeat(4_000)).html.len() <= MAX_HTML_BYTES);
}

/// A row of the table of names, which the page's tests read as well.
#[derive(serde::Deserialize)]
struct Row {
    text: String,
    users: Vec<String>,
    named: Vec<String>,
}

#[test]
fn the_table_of_names_holds() {
    let rows = include_str!("../../../tests/text/names.json");
    let rows: Vec<Row> = serde_json::from_str(rows).expect("a table");
    assert!(rows.len() > 30);
    for Row { text, users, named } in rows {
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        let found = signs(&text, &Outline::of(&text), &Few::of(&users));
        let found = found
            .iter()
            .filter(|placed| matches!(placed.sign, Sign::User(_) | Sign::Channel | Sign::Here));
        let found: Vec<_> = found.map(|placed| &text[placed.range.clone()]).collect();
        assert_eq!(found, named, "{text:?}");
    }
}

#[test]
fn escaped_text_of_several_lines_begins_no_block() {
    for line in [
        "# a",
        "###### a",
        "> a",
        "- a",
        "+ a",
        "* a",
        "1. a",
        "9) a",
        "    a",
        "\ta",
        "===",
        "---",
        "***",
        "___",
        "| a | b |\n| - | - |",
        "a|b\n:-|-:",
        "```\nx\n```",
        "~~~\nx",
        "- [ ] a",
        "<b>",
        "[a]: https://a.example/",
        "\t- a",
    ] {
        let html = rendered(&mrkdwn::escape(&format!("before\n{line}\nafter"))).html;
        let tags = html.replace("<p>", "").replace("</p>", "").replace("<br>", "");
        let tags = tags.replace(&bare("https://a.example/"), "");
        assert!(!tags.contains('<'), "{line:?}: {html}");
    }
}
