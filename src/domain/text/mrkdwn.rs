//! Slack's message format (mrkdwn), as Markdown.
//!
//! Programs that post to hooks write it, or Markdown as Mattermost does. Both are read at once: what only
//! one of them knows is taken in its sense, and what both know in Slack's (`*this*` is bold).
//! `<https://a.example|label>`, `<@U1>`, `<!here>`, `*bold*`, `~gone~` and `&amp; &lt; &gt;` are changed,
//! outside code the first ones, everything else stays as it was written.

use std::borrow::Cow;

/// Converts Slack's format to Markdown. O(length).
///
/// ```
/// use houston::domain::text::mrkdwn::to_markdown;
///
/// let slack = "*Build* <https://ci.example/7|#7> &lt;main&gt; is ~red~ green, <!here>";
/// let markdown = "**Build** [#7](https://ci.example/7) <main> is ~~red~~ green, @here";
/// assert_eq!(to_markdown(slack), markdown);
/// ```
#[must_use]
pub fn to_markdown(mrkdwn: &str) -> String {
    let mut markdown = String::with_capacity(mrkdwn.len() + 16);
    Converter { source: mrkdwn, at: 0, hopeless: [0; 2] }.convert(&mut markdown);
    markdown
}

/// Escapes a plain text so that Markdown shows it as it is, but for spaces at the beginning of a line.
#[must_use]
pub fn escape(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len());
    for (at, line) in plain.split('\n').enumerate() {
        if at > 0 {
            escaped.push('\n');
        }
        // Four spaces would begin a block of code.
        let line = line.trim_start_matches([' ', '\t']);
        let number = line.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = line.split_at(number);
        // What begins a heading, a quotation, a list or a line below a heading.
        let begins_block = match number {
            "" => rest.starts_with(['#', '>', '-', '+', '=']),
            _ => rest.starts_with(['.', ')']),
        };
        escaped.push_str(number);
        if begins_block {
            escaped.push('\\');
        }
        escape_signs(rest, &mut escaped);
    }
    escaped
}

/// Escapes the signs that Markdown sees anywhere in a line.
fn escape_signs(line: &str, escaped: &mut String) {
    let mut before = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let after = rest.clone().next();
        let is_within_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_sign = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' | '|' => true,
            '_' => !(is_within_word(before) && is_within_word(after)),
            '&' => begins_entity(rest.as_str()),
            _ => false,
        };
        if is_sign {
            escaped.push('\\');
        }
        escaped.push(c);
        before = Some(c);
    }
}

/// A Markdown link; the label is plain text.
#[must_use]
pub fn link(label: &str, url: &str) -> String {
    let url: String = url
        .chars()
        .map(|c| match c {
            ' ' => "%20".into(),
            '(' => "%28".into(),
            ')' => "%29".into(),
            '<' => "%3C".into(),
            '>' => "%3E".into(),
            '\\' => "%5C".into(),
            c => Cow::Owned(c.to_string()),
        })
        .collect();
    let mut escaped = String::with_capacity(label.len());
    for c in label.chars() {
        if matches!(c, '[' | ']' | '\\' | '`' | '<') {
            escaped.push('\\');
        }
        escaped.push(if c == '\n' { ' ' } else { c });
    }
    format!("[{escaped}]({url})")
}

/// Tells whether an address is one that messages may link to.
#[must_use]
pub fn is_linkable(url: &str) -> bool {
    let begins = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && url.len() > scheme.len()
    };
    ["http://", "https://", "mailto:"].into_iter().any(begins)
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// A reader of Slack's format at some place of it.
struct Converter<'s> {
    source: &'s str,
    at: usize,
    /// The places up to which no `*` and no `~` can end anything.
    hopeless: [usize; 2],
}

impl<'s> Converter<'s> {
    fn convert(&mut self, out: &mut String) {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '`' if self.code(out) => {}
                '<' if self.reference(out) => {}
                '&' => self.entity(out),
                '*' | '~' => self.emphasis(c, out),
                '\\' => self.escaped(out),
                'h' | 'H' if self.address(out) => {}
                _ => self.copy(c.len_utf8(), out),
            }
        }
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn before(&self) -> Option<char> {
        self.source[..self.at].chars().next_back()
    }

    fn copy(&mut self, bytes: usize, out: &mut String) {
        out.push_str(&self.rest()[..bytes]);
        self.at += bytes;
    }

    /// A backslash, and the sign that it is before.
    fn escaped(&mut self, out: &mut String) {
        let sign = self.rest().chars().nth(1).filter(char::is_ascii_punctuation);
        self.copy(1 + usize::from(sign.is_some_and(|sign| sign != '&' && sign != '<')), out);
    }

    /// Code, in which nothing but the three entities is changed.
    fn code(&mut self, out: &mut String) -> bool {
        let ticks = self.rest().bytes().take_while(|&byte| byte == b'`').count();
        let fence = &self.rest()[..ticks];
        let inner = &self.rest()[ticks..];
        let Some(end) = inner.find(fence) else {
            self.copy(ticks, out);
            return true;
        };
        let code = decoded(&inner[..end]);
        if !code.contains('\n') || ticks < 3 {
            for part in [fence, &code, fence] {
                out.push_str(part);
            }
            self.at += ticks + end + ticks;
            return true;
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(fence);
        // Slack shows the first line; with Mattermost one word there is the language.
        let first = code.split('\n').next().unwrap_or_default();
        let is_word = |c: char| c.is_ascii_alphanumeric() || "+#.-_".contains(c);
        if !first.chars().all(is_word) {
            out.push('\n');
        }
        out.push_str(code.trim_end_matches('\n'));
        out.push('\n');
        out.push_str(fence);
        self.at += ticks + end + ticks;
        if !self.rest().is_empty() && !self.rest().starts_with('\n') {
            out.push('\n');
        }
        true
    }

    /// A reference in angle brackets; false where it is none.
    fn reference(&mut self, out: &mut String) -> bool {
        let inner = &self.rest()[1..];
        let Some(end) = inner.find(['>', '<', '\n']).filter(|&end| inner[end..].starts_with('>'))
        else {
            return false;
        };
        let after = inner[end + 1..].chars().next();
        let Some(markdown) = referred(&inner[..end], after) else { return false };
        out.push_str(&markdown);
        self.at += end + 2;
        true
    }

    fn entity(&mut self, out: &mut String) {
        for (entity, sign) in ENTITIES {
            if let Some(rest) = self.rest().strip_prefix(entity) {
                if sign == '&' && begins_entity(rest) {
                    out.push('\\');
                }
                out.push(sign);
                self.at += entity.len();
                return;
            }
        }
        self.copy(1, out);
    }

    /// `*bold*` or `~gone~`, where the sign is alone and ends on the same line. Where it is doubled it is
    /// Markdown already.
    fn emphasis(&mut self, sign: char, out: &mut String) {
        let run = self.rest().chars().take_while(|&c| c == sign).count();
        let inner = &self.rest()[run..];
        let begins = run == 1
            && !self.before().is_some_and(char::is_alphanumeric)
            && inner.starts_with(|c: char| !c.is_whitespace());
        let hopeless = &mut self.hopeless[usize::from(sign == '~')];
        if !begins || self.at < *hopeless {
            return self.copy(run, out);
        }
        let line = inner.split('\n').next().unwrap_or_default();
        let Some(end) = closing(line, sign) else {
            *hopeless = self.at + 1 + line.len();
            return self.copy(1, out);
        };
        let mark = if sign == '*' { "**" } else { "~~" };
        out.push_str(mark);
        Self { source: &line[..end], at: 0, hopeless: [0; 2] }.convert(out);
        out.push_str(mark);
        self.at += 1 + end + 1;
    }

    /// A bare address, whose signs are its own; false where none begins here.
    fn address(&mut self, out: &mut String) -> bool {
        let rest = self.rest();
        let is_address = ["http://", "https://"].iter().any(|scheme| {
            rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !is_address || self.before().is_some_and(char::is_alphanumeric) {
            return false;
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`'));
        let address = rest[..end.unwrap_or(rest.len())].trim_end_matches(['*', '~', '_']);
        out.push_str(&decoded(address));
        self.at += address.len();
        true
    }
}

/// The entities of Slack's format, and the signs that they stand for.
const ENTITIES: [(&str, char); 3] = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];

/// The text with its entities decoded: all that Slack's plain texts need.
#[must_use]
pub fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into()
}

/// Tells whether `&` and this would be an entity in Markdown.
fn begins_entity(rest: &str) -> bool {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '#');
    end.is_some_and(|end| end > 0 && rest[end..].starts_with(';'))
}

/// The place of the sign that ends an emphasis on the line.
fn closing(line: &str, sign: char) -> Option<usize> {
    let mut before = None;
    for (at, c) in line.char_indices() {
        let after = line[at + c.len_utf8()..].chars().next();
        let is_alone = before != Some(sign) && after != Some(sign);
        let ends = before.is_some_and(|before: char| !before.is_whitespace() && before != '\\');
        if c == sign && is_alone && ends && !after.is_some_and(char::is_alphanumeric) {
            return Some(at);
        }
        before = Some(c);
    }
    None
}

/// The Markdown of what stands between angle brackets; `None` where that is no reference.
fn referred(inner: &str, after: Option<char>) -> Option<String> {
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.trim().is_empty())),
        None => (inner, None),
    };
    let label = label.map(decoded);
    match target.chars().next()? {
        '@' => Some(format!("@{}", label.as_deref().unwrap_or(target).trim_start_matches('@'))),
        '#' => Some(format!("#{}", label.as_deref().unwrap_or(target).trim_start_matches('#'))),
        '!' => match target[1..].split('^').next()? {
            "here" | "channel" | "everyone" | "group" => Some("@here".into()),
            _ => label.map(|label| escape(&label)),
        },
        _ => {
            let url = decoded(target);
            match label {
                Some(label) if is_linkable(&url) => Some(link(&label, &url)),
                None if is_linkable(&url) => {
                    let ends = after.is_none_or(|c| c.is_whitespace() || ".,;:!?)".contains(c));
                    let is_bare = ends && !url.starts_with("mailto:");
                    Some(if is_bare { url.into_owned() } else { format!("<{url}>") })
                }
                label if has_scheme(&url) => Some(escape(&label.unwrap_or(url))),
                _ => None,
            }
        }
    }
}

/// Tells whether it is an address of some scheme: `tel:`, `slack://`.
fn has_scheme(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    scheme.len() > 1
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
        && !rest.is_empty()
        && !url.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mrkdwn: &str, markdown: &str) {
        assert_eq!(to_markdown(mrkdwn), markdown, "{mrkdwn:?}");
    }

    #[test]
    fn emphasis_is_doubled_where_slack_would_show_it() {
        for (mrkdwn, markdown) in [
            ("*bold*", "**bold**"),
            ("a *b c* d", "a **b c** d"),
            ("_it_", "_it_"),
            ("~gone~", "~~gone~~"),
            ("*_both_*", "**_both_**"),
            ("_*both*_", "_**both**_"),
            ("*~all~*", "**~~all~~**"),
            ("(*x*)", "(**x**)"),
            ("*a*, *b*.", "**a**, **b**."),
            ("*fett* und *größer*", "**fett** und **größer**"),
            // Markdown already.
            ("**bold** ~~gone~~", "**bold** ~~gone~~"),
            ("***x***", "***x***"),
            ("* one\n* two", "* one\n* two"),
            ("- *one*", "- **one**"),
            // None of Slack's.
            ("2*3*4", "2*3*4"),
            ("a * b * c", "a * b * c"),
            ("*not\nbold*", "*not\nbold*"),
            ("*open", "*open"),
            ("*a *", "*a *"),
            ("\\*no\\*", "\\*no\\*"),
            ("snake_case_name", "snake_case_name"),
            ("~/bin and ~/lib", "~/bin and ~/lib"),
        ] {
            check(mrkdwn, markdown);
        }
    }

    #[test]
    fn references_become_links_and_mentions() {
        for (mrkdwn, markdown) in [
            ("<https://a.example>", "https://a.example"),
            ("<https://a.example|A>", "[A](https://a.example)"),
            ("<https://a.example/?a=1&amp;b=2|A &amp; B>", "[A & B](https://a.example/?a=1&b=2)"),
            ("<https://a.example/x_(y)|[1]>", "[\\[1\\]](https://a.example/x_%28y%29)"),
            ("<https://a.example|>", "https://a.example"),
            ("<https://a.example>x", "<https://a.example>x"),
            ("<mailto:a@b.example|a@b.example>", "[a@b.example](mailto:a@b.example)"),
            ("<mailto:a@b.example>", "<mailto:a@b.example>"),
            ("*<https://a.example|A>*", "**[A](https://a.example)**"),
            ("<@U1>", "@U1"),
            ("<@U1|ada>", "@ada"),
            ("<#C1|general>", "#general"),
            ("<#C1>", "#C1"),
            ("<!here>", "@here"),
            ("<!channel> <!everyone|everyone>", "@here @here"),
            ("<!subteam^S1|@ops>", "@ops"),
            ("<!date^1392734382^{date}|Feb 18, 2014>", "Feb 18, 2014"),
            ("<tel:123|call>", "call"),
            ("<javascript:alert(1)|x>", "x"),
            // None of Slack's.
            ("a < b > c", "a < b > c"),
            ("<b>x</b>", "<b>x</b>"),
            ("<!unknown>", "<!unknown>"),
            ("<https://a.example", "<https://a.example"),
            ("1 <2, 3> 4", "1 <2, 3> 4"),
            ("<>", "<>"),
            // Mattermost's.
            ("[A](https://a.example)", "[A](https://a.example)"),
            (
                "see https://a.example/*x*_y_?a=1&amp;b=2 ok",
                "see https://a.example/*x*_y_?a=1&b=2 ok",
            ),
            ("*https://a.example*", "**https://a.example**"),
        ] {
            check(mrkdwn, markdown);
        }
    }

    #[test]
    fn entities_are_their_signs() {
        for (mrkdwn, markdown) in [
            ("a &lt;b&gt; &amp; c", "a <b> & c"),
            ("&amp;lt;", "\\&lt;"),
            ("&amp;amp;", "\\&amp;"),
            ("AT&amp;T; R&D", "AT\\&T; R&D"),
            ("&gt; quoted", "> quoted"),
            ("&copy;", "&copy;"),
        ] {
            check(mrkdwn, markdown);
        }
    }

    #[test]
    fn code_stays_but_for_its_entities() {
        for (mrkdwn, markdown) in [
            ("`*a* <b> &lt;c&gt;`", "`*a* <b> <c>`"),
            ("```*one*```", "```*one*```"),
            ("```\na\nb\n```", "```\na\nb\n```"),
            ("```a b\nc```", "```\na b\nc\n```"),
            ("```rust\nfn f() {}\n```", "```rust\nfn f() {}\n```"),
            ("log:\n```a && b\nc &amp;&amp; d```after", "log:\n```\na && b\nc && d\n```\nafter"),
            ("log: ```{\n}```", "log: \n```\n{\n}\n```"),
            ("`open", "`open"),
            ("```open\n*x*", "```open\n**x**"),
        ] {
            check(mrkdwn, markdown);
        }
    }

    #[test]
    fn plain_text_is_escaped_where_markdown_would_see_something() {
        for (plain, markdown) in [
            (
                "[FIRING:1] a_b *c* `d` <e> &amp; ~f~",
                "\\[FIRING:1\\] a_b \\*c\\* \\`d\\` \\<e> \\&amp; \\~f\\~",
            ),
            ("_x_ :party_popper:", "\\_x\\_ :party_popper:"),
            ("R&D; 100% #1", "R\\&D; 100% #1"),
            ("one\n# two\n> three", "one\n\\# two\n\\> three"),
            ("- a\n+ b\n    c", "\\- a\n\\+ b\nc"),
            ("1. a\n2) b\n3 c 4.", "1\\. a\n2\\) b\n3 c 4."),
            ("a\n===", "a\n\\==="),
            ("a | b\n--|--", "a \\| b\n\\--\\|--"),
            ("سطر\n- سطر", "سطر\n\\- سطر"),
            ("", ""),
        ] {
            assert_eq!(escape(plain), markdown);
        }
    }

    #[test]
    fn long_hopeless_texts_take_no_time() {
        let text = "(*a(~b".repeat(20_000);
        assert_eq!(to_markdown(&text), text);
        let text = "<".repeat(100_000);
        assert_eq!(to_markdown(&text), text);
        let text = "`".repeat(3) + &"`a".repeat(50_000);
        assert!(to_markdown(&text).len() >= 50_000);
    }
}
