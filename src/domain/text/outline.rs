//! The outline of a text: where Markdown sees code, links and quotations.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, RefDefs, Tag, TagEnd};

use super::address::{is_linkable, is_one};
use crate::domain::names::is_blank;

/// CommonMark (0.31) with GitHub's tables, task lists and strikethrough (GFM 0.29).
pub(super) const OPTIONS: Options =
    Options::ENABLE_STRIKETHROUGH.union(Options::ENABLE_TABLES).union(Options::ENABLE_TASKLISTS);

/// Largest depth of nested elements, such as quotes and lists.
const MAX_DEPTH: usize = 32;
/// Largest number of Markdown's events. More of them could not be drawn within the bound of HTML,
/// and a few characters can ask for many: each row of a table has all its columns.
const MAX_EVENTS: usize = 16 * 1024;
/// Largest number of readings of a text.
const MAX_READINGS: usize = 4;
/// A character as long as a bracket, of which Markdown makes nothing.
const MASK: &str = "\u{7F}";

/// The parts of a text that decide where its signs are.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The ranges of code, links, and the definitions of links, in which no signs are looked for.
    opaque: Vec<Range<usize>>,
    /// The ranges of what is shown although Markdown would take it for a link.
    written: Vec<Range<usize>>,
    /// The ranges of links' texts, in which only emoji are looked for.
    pub(super) labels: Vec<Range<usize>>,
    /// The ranges of quotations, in which nobody is called.
    quotes: Vec<Range<usize>>,
    /// The borders of table cells, which no sign goes across.
    barriers: Vec<usize>,
    /// The characters that Markdown must not read: the brackets of what it would take for a link although it leads nowhere or shows
    /// nothing, with the punctuation of its destination, and the brackets of definitions that no
    /// link uses: all this is shown as it was written.
    pub(super) literals: Vec<usize>,
    /// The starts of lines, such as `> `, before which a paragraph must end: a definition that a
    /// link uses stands there, below one that is shown.
    pub(super) breaks: Vec<Range<usize>>,
    /// The brackets at the start of what is no address: with them, nothing of this is true.
    false_brackets: Vec<usize>,
    /// True where Markdown makes too much of the text to be drawn. All else ends where that showed.
    pub(super) is_too_much: bool,
}

/// A link or image whose end was not read yet.
struct OpenLink {
    range: Range<usize>,
    /// The label of its definition, if it has one.
    label: Option<String>,
    leads_somewhere: bool,
    shows_something: bool,
    /// The end of what is between its brackets; its start for `<https://a.example>`.
    text_end: usize,
    is_autolink: bool,
    /// The numbers of opaque ranges, written ranges and literals before it.
    before: (usize, usize, usize),
}

impl Outline {
    /// Reads the outline of a text.
    ///
    /// What Markdown takes for one address in angle brackets may be several words, with links and
    /// code among them: the text is read again without those brackets.
    pub(super) fn of(text: &str) -> Self {
        let mut text = Cow::Borrowed(text);
        let mut brackets = Vec::new();
        for _ in 0..MAX_READINGS {
            let mut outline = Self::read(&text);
            if outline.false_brackets.is_empty() {
                outline.literals.append(&mut brackets);
                return outline.sorted();
            }
            for at in outline.false_brackets {
                text.to_mut().replace_range(at..=at, MASK);
                brackets.push(at);
            }
        }
        Self { is_too_much: true, ..Self::default() }
    }

    fn read(text: &str) -> Self {
        let mut outline = Self::default();
        let mut depth = 0_usize;
        let mut links: Vec<OpenLink> = Vec::new();
        let mut used = HashSet::new();
        let mut events = Parser::new_ext(text, OPTIONS).into_offset_iter();
        for (number, (event, range)) in events.by_ref().enumerate() {
            match &event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            if depth > MAX_DEPTH || number >= MAX_EVENTS {
                return Self { is_too_much: true, ..outline.sorted() };
            }
            if let Some(link) = links.last_mut()
                && range.end < link.range.end
                && !link.is_autolink
                && !matches!(event, Event::SoftBreak | Event::HardBreak)
            {
                link.text_end = range.end;
            }
            match event {
                Event::Start(Tag::CodeBlock(_)) => outline.opaque.push(range),
                Event::Start(Tag::BlockQuote(_)) => outline.quotes.push(range),
                Event::Start(Tag::TableCell) => outline.barriers.extend([range.start, range.end]),
                Event::Start(
                    Tag::Link { link_type, dest_url, id, .. }
                    | Tag::Image { link_type, dest_url, id, .. },
                ) => {
                    let is_autolink = matches!(link_type, LinkType::Autolink | LinkType::Email);
                    if link_type == LinkType::Autolink
                        && is_linkable(&dest_url)
                        && !is_one(&dest_url)
                    {
                        outline.false_brackets.push(range.start);
                    }
                    let is_inline = is_autolink || link_type == LinkType::Inline;
                    links.push(OpenLink {
                        text_end: range.start,
                        range,
                        label: (!is_inline).then(|| id.to_string()),
                        leads_somewhere: link_type == LinkType::Email || is_linkable(&dest_url),
                        shows_something: false,
                        is_autolink,
                        before: (
                            outline.opaque.len(),
                            outline.written.len(),
                            outline.literals.len(),
                        ),
                    });
                }
                Event::End(TagEnd::Link | TagEnd::Image) => {
                    used.extend(links.pop().and_then(|link| outline.close(text, link)));
                }
                Event::Code(shown) => {
                    outline.opaque.push(range);
                    show(&mut links, &shown);
                }
                Event::Text(shown) | Event::InlineHtml(shown) => {
                    show(&mut links, &shown);
                    if links.last().is_some_and(|link| !link.is_autolink) {
                        outline.add_label(range);
                    }
                }
                _ => {}
            }
        }
        outline.read_definitions(text, events.reference_definitions(), &used);
        outline.sorted()
    }

    /// Tells the definitions that links use from those that are shown: the ones that no link uses,
    /// and second ones of a label.
    fn read_definitions(&mut self, text: &str, definitions: &RefDefs<'_>, used: &HashSet<String>) {
        let used = used.iter().filter_map(|label| Some(definitions.get(label)?.span.start));
        let used: HashSet<_> = used.collect();
        let mut shown = Vec::new();
        let mut hidden = Vec::new();
        for (_, definition) in definitions.iter() {
            let span = definition.span.clone();
            let Some(bracket) = text[span.clone()].find('[') else { continue };
            if used.contains(&span.start) {
                hidden.push(span.start + bracket);
                self.opaque.push(span);
            } else {
                shown.push(span.start + bracket);
            }
        }
        if definitions.iter().next().is_some() {
            self.opaque.sort_by_key(|range| range.start);
            let brackets = text.match_indices('[').map(|(at, _)| at);
            shown.extend(brackets.filter(|at| {
                let label = label_at(text, *at).and_then(|label| definitions.get(label));
                label.is_some() && self.opaque_until(*at).is_none()
            }));
        }
        shown.sort_unstable();
        hidden.sort_unstable();
        self.breaks = breaks(text, &shown, &hidden);
        self.literals.extend(shown);
    }

    fn sorted(mut self) -> Self {
        self.opaque.sort_by_key(|range| range.start);
        self.barriers.sort_unstable();
        self.literals.sort_unstable();
        self.literals.dedup();
        self
    }

    /// Decides what becomes of a link whose end was read; returns the label that it uses.
    fn close(&mut self, text: &str, link: OpenLink) -> Option<String> {
        let OpenLink { range, before: (opaque, written, literals), .. } = link;
        if link.leads_somewhere && link.shows_something {
            self.opaque.truncate(opaque);
            self.written.truncate(written);
            self.literals.truncate(literals);
            self.opaque.push(range);
            return link.label;
        }
        let brackets = text[range.clone()].match_indices('[').map(|(at, _)| range.start + at);
        let (code, inner) = (&self.opaque[opaque..], &self.written[written..]);
        let brackets = brackets.filter(|at| !is_in(code, *at) && !is_in(inner, *at));
        self.literals.extend(brackets);
        self.written.truncate(written);
        self.written.push(range.clone());
        // Its first line: signs at the start of others may belong to quotations.
        let end = text[link.text_end..range.end].lines().next().unwrap_or_default();
        let punctuation = end.match_indices(|c: char| c.is_ascii_punctuation());
        self.literals.extend(punctuation.map(|(at, _)| link.text_end + at));
        None
    }

    /// Adds a part of a link's text: Markdown gives it in pieces.
    fn add_label(&mut self, range: Range<usize>) {
        match self.labels.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.labels.push(range),
        }
    }

    /// The end of the code or link at this byte, if there is one.
    pub(super) fn opaque_until(&self, at: usize) -> Option<usize> {
        let next = self.opaque.partition_point(|range| range.start <= at);
        let range = self.opaque.get(next.checked_sub(1)?)?;
        (at < range.end).then_some(range.end)
    }

    /// The byte that a sign which begins here cannot go beyond.
    pub(super) fn limit(&self, at: usize) -> Option<usize> {
        let opaque = self.opaque.partition_point(|range| range.start <= at);
        let opaque = self.opaque.get(opaque).map(|range| range.start);
        let barrier = self.barriers.partition_point(|barrier| *barrier <= at);
        let barrier = self.barriers.get(barrier).copied();
        opaque.into_iter().chain(barrier).min()
    }

    /// Tells whether this byte is in a quotation.
    pub(super) fn is_quoted(&self, at: usize) -> bool {
        self.quotes.iter().any(|range| range.contains(&at))
    }
}

/// Tells whether a byte is in one of these ranges, which are in order and do not overlap.
fn is_in(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.start <= at);
    next.checked_sub(1).is_some_and(|last| at < ranges[last].end)
}

/// The label of what may be a definition that begins at this byte.
fn label_at(text: &str, at: usize) -> Option<&str> {
    let rest = text[at..].strip_prefix('[').filter(|_| !text[..at].ends_with('\\'))?;
    let (label, after) = rest.split_at(rest.find(['[', ']'])?);
    after.starts_with("]:").then_some(label)
}

/// The starts of the lines of hidden definitions that stand right below shown ones: Markdown would
/// take them for the same paragraph.
fn breaks(text: &str, shown: &[usize], hidden: &[usize]) -> Vec<Range<usize>> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let last_before =
        |all: &[usize], at| all[..all.partition_point(|one| *one < at)].last().copied();
    let mut breaks = Vec::new();
    for &at in hidden {
        let start = line_start(at);
        let Some(above) = last_before(shown, start) else { continue };
        let is_next = last_before(hidden, start).is_none_or(|other| other < above)
            && !text[above..start].contains("\n\n");
        // One that is further to the right would become code.
        let stays = at - start <= above - line_start(above);
        let prefix = &text[start..at];
        if is_next && stays && prefix.trim_start_matches([' ', '\t', '>']).is_empty() {
            breaks.push(start..start + prefix.trim_ascii_end().len());
        }
    }
    breaks
}

fn show(links: &mut [OpenLink], shown: &str) {
    if !links.is_empty() && !shown.chars().all(is_blank) {
        for link in links {
            link.shows_something = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::ids::UserId;
    use crate::domain::text::{Directory, render};

    struct Nobody;

    impl Directory for Nobody {
        fn user(&self, _compared: &str) -> Option<UserId> {
            None
        }

        fn has_channel(&self, _name: &str) -> bool {
            false
        }
    }

    #[track_caller]
    fn check(text: &str, html: &str) {
        let rendered = render(&text.parse().expect("a text"), &Nobody).html;
        assert_eq!(
            rendered.replace(r#" rel="noopener noreferrer nofollow""#, ""),
            html,
            "{text:?}"
        );
    }

    #[test]
    fn destinations_that_lead_nowhere_are_shown_as_they_were_written() {
        for text in [
            "[x](src/__init__.py)",
            r#"[x](a*b*c "*t*")"#,
            "[x](föö&ouml;)",
            r"[x](C:\!\_x\_.txt)",
            "![x](кот_1_.png '~~y~~')",
            "[x][a_b_c]",
            "[x](`a`)",
            "[x](日本*語*)",
        ] {
            let shown = text.replace('&', "&amp;");
            check(text, &format!("<p>{shown}</p>"));
        }
        check("<irc://a.example/__b__>", "<p>&lt;irc://a.example/__b__&gt;</p>");
        check("<ssh:*a*\\&amp;>", "<p>&lt;ssh:*a*\\&amp;amp;&gt;</p>");
        check("[x](a.py) *y* [z](_b_)", "<p>[x](a.py) <em>y</em> [z](_b_)</p>");
        check("> [x\n> ](foo)", "<blockquote>\n<p>[x<br>\n](foo)</p>\n</blockquote>");
        check(
            "> [x](_a_ '*c*\n> _d_')",
            "<blockquote>\n<p>[x](_a_ '*c*<br>\n<em>d</em>')</p>\n</blockquote>",
        );
    }

    #[test]
    fn definitions_below_others_that_are_shown_are_used() {
        let one = r#"[1]: <a href="https://a.example">https://a.example</a>"#;
        let two = r#"<a href="https://b.example">x</a>"#;
        check(
            "[x][2]\n\n[1]: https://a.example\n[2]: https://b.example",
            &format!("<p>{two}</p>\n<p>{one}</p>"),
        );
        check(
            "[1]: https://a.example\n[2]: https://b.example\n[3]: c\n[4]: https://b.example\n\n[x][2] [x][4]",
            &format!("<p>{one}</p>\n<p>[3]: c</p>\n<p>{two} {two}</p>"),
        );
        check(
            "> [x][2]\n>\n> [1]: https://a.example\n> [2]: https://b.example",
            &format!("<blockquote>\n<p>{two}</p>\n<p>{one}</p>\n</blockquote>"),
        );
        check(
            "> - [1]: https://a.example\n>   [2]: https://b.example\n\n[x][2]",
            &format!(
                "<blockquote>\n<ul>\n<li>\n<p>{one}</p>\n</li>\n</ul>\n</blockquote>\n<p>{two}</p>"
            ),
        );
        check(
            "10. [1]: https://a.example\n    [2]: https://b.example\n    [3]: c\n\n[x][2]",
            &format!(
                "<ol start=\"10\">\n<li>\n<p>{one}</p>\n<p>[3]: c</p>\n</li>\n</ol>\n<p>{two}</p>"
            ),
        );
        // It would become code.
        check(
            "[1]: https://a.example\n    [2]: https://b.example\n\n[x][2]",
            &format!("<p>{one}<br>\n[2]: https://b.example</p>\n<p>[x][2]</p>"),
        );
    }

    #[test]
    fn second_definitions_of_a_label_are_shown() {
        let x = r#"<a href="https://x.example">a</a>"#;
        let y = r#"[a]: <a href="https://y.example">https://y.example</a>"#;
        check(
            "[a]: https://x.example\n[a]: https://y.example\n\n[a]",
            &format!("<p>{y}</p>\n<p>{x}</p>"),
        );
        check(
            "[a]: https://x.example\n\n> [A]: y\n\n[a]",
            &format!("<blockquote>\n<p>[A]: y</p>\n</blockquote>\n<p>{x}</p>"),
        );
        check(r"\[a]: b", "<p>[a]: b</p>");
        check("[a]: /x\n\n\\[a]: b", "<p>[a]: /x</p>\n<p>[a]: b</p>");
        check(
            "[a]: /x\n\n[a]: https://y.example\n\n[a]",
            &format!("<p>[a]: /x</p>\n<p>{y}</p>\n<p>[a]</p>"),
        );
        check(
            "[a]: /x\n[a]: https://y.example\n\n[a]",
            &format!("<p>[a]: /x<br>\n{y}</p>\n<p>[a]</p>"),
        );
        check(
            "[a]: https://x.example\n\n[a]: b `[a]: c`",
            &format!("<p>{x}: b <code>[a]: c</code></p>"),
        );
        check("[é]: /x\n\n[É]: *y* z", "<p>[é]: /x</p>\n<p>[É]: <em>y</em> z</p>");
    }
}
