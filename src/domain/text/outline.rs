//! The outline of a text: where Markdown sees code, links and quotations.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

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

/// The parts of a text that decide where its signs are.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Code, links, and the definitions of links: there are no signs in them.
    opaque: Vec<Range<usize>>,
    /// The texts of links, in which there are emoji at most.
    pub(super) labels: Vec<Range<usize>>,
    /// Quotations: nobody is called in them.
    quotes: Vec<Range<usize>>,
    /// Bytes that no sign goes across, the borders of table cells.
    barriers: Vec<usize>,
    /// The brackets of what Markdown would take for a link although it leads nowhere or shows
    /// nothing, and of definitions that no link uses: all this is shown as it was written.
    pub(super) literals: Vec<usize>,
    /// True where Markdown makes too much of the text: then nothing of this is complete.
    pub(super) is_too_much: bool,
}

/// A link or image whose end was not read yet.
struct OpenLink {
    range: Range<usize>,
    /// The label of its definition, if it has one.
    label: Option<String>,
    leads_somewhere: bool,
    shows_something: bool,
    is_autolink: bool,
    /// The numbers of opaque ranges and literals before it.
    before: (usize, usize),
}

impl Outline {
    /// Reads the outline of a text.
    pub(super) fn of(text: &str) -> Self {
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
            match event {
                Event::Start(Tag::CodeBlock(_)) => outline.opaque.push(range),
                Event::Start(Tag::BlockQuote(_)) => outline.quotes.push(range),
                Event::Start(Tag::TableCell) => outline.barriers.extend([range.start, range.end]),
                Event::Start(
                    Tag::Link { link_type, dest_url, id, .. }
                    | Tag::Image { link_type, dest_url, id, .. },
                ) => {
                    let is_autolink = matches!(link_type, LinkType::Autolink | LinkType::Email);
                    let is_inline = is_autolink || link_type == LinkType::Inline;
                    links.push(OpenLink {
                        range,
                        label: (!is_inline).then(|| id.to_string()),
                        leads_somewhere: match link_type {
                            LinkType::Email => true,
                            LinkType::Autolink => is_linkable(&dest_url) && is_one(&dest_url),
                            _ => is_linkable(&dest_url),
                        },
                        shows_something: false,
                        is_autolink,
                        before: (outline.opaque.len(), outline.literals.len()),
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
                    if !links.is_empty() {
                        outline.add_label(range);
                    }
                }
                _ => {}
            }
        }
        let definitions = events.reference_definitions();
        let used: HashSet<_> =
            used.iter().filter_map(|label| Some(definitions.get(label)?.span.start)).collect();
        for (_, definition) in definitions.iter() {
            let span = definition.span.clone();
            if used.contains(&span.start) {
                outline.opaque.push(span);
            } else if let Some(bracket) = text[span.clone()].find('[') {
                outline.literals.push(span.start + bracket);
            }
        }
        outline.sorted()
    }

    fn sorted(mut self) -> Self {
        self.opaque.sort_by_key(|range| range.start);
        self.barriers.sort_unstable();
        self
    }

    /// Decides what becomes of a link whose end was read; returns the label that it uses.
    fn close(&mut self, text: &str, link: OpenLink) -> Option<String> {
        let OpenLink { range, before: (opaque, literals), .. } = link;
        if link.leads_somewhere && link.shows_something {
            self.opaque.truncate(opaque);
            self.literals.truncate(literals);
            self.opaque.push(range);
            return link.label;
        }
        let signs = text[range.clone()].match_indices(if link.is_autolink { '<' } else { '[' });
        let signs: Vec<_> = signs
            .map(|(at, _)| range.start + at)
            .filter(|at| !self.opaque[opaque..].iter().any(|inner| inner.contains(at)))
            .filter(|at| !self.literals[literals..].contains(at))
            .collect();
        self.literals.extend(signs);
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

fn show(links: &mut [OpenLink], shown: &str) {
    if !links.is_empty() && !shown.chars().all(is_blank) {
        for link in links {
            link.shows_something = true;
        }
    }
}
