//! The drawing of what Markdown made of a text: its events with raw HTML as text, images as links,
//! soft breaks as breaks, and signs in their places.

use std::collections::VecDeque;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, LinkType, Tag, TagEnd};
use pulldown_cmark_escape::escape_html;

use super::address::is_linkable;
use super::protected::{Piece, Protected};
use super::signs::{PlacedSign, Sign};
use crate::domain::names::is_blank;
use crate::domain::url;

/// Longest name of a language of code, in bytes.
const MAX_LANGUAGE: usize = 32;

/// An iterator over the events of Markdown as they are drawn.
pub(super) struct Drawing<'p, 't, I> {
    events: I,
    text: &'p Protected<'t>,
    /// Events that were made of one of Markdown's and are still to be returned.
    queued: VecDeque<Event<'p>>,
    /// For each open link whether it is drawn: not one that leads nowhere, or is within another.
    links: Vec<bool>,
    in_code: bool,
    /// The break after a line of raw HTML, drawn once there is another line.
    line_end: Option<Event<'p>>,
    /// The alignments of the columns of the table that is open.
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
    /// True once something was drawn that can be seen.
    pub(super) shows_something: bool,
}

impl<'p, 't, I: Iterator<Item = Event<'p>>> Drawing<'p, 't, I> {
    /// Draws these events, which Markdown made of the source of `text`.
    pub(super) fn of(events: I, text: &'p Protected<'t>) -> Self {
        Self {
            events,
            text,
            queued: VecDeque::new(),
            links: Vec::new(),
            in_code: false,
            line_end: None,
            alignments: Vec::new(),
            column: 0,
            in_head: false,
            shows_something: false,
        }
    }

    fn push_text(&mut self, text: &str) {
        self.shows_something |= !text.chars().all(is_blank);
        self.queued.push_back(Event::Text(text.to_owned().into()));
    }

    /// Markup of our own. Safe, although it is raw HTML: what is in it was escaped, and all is
    /// cleaned in the end.
    fn push_markup(&mut self, markup: String) {
        self.queued.push_back(Event::InlineHtml(markup.into()));
    }

    /// Draws a part of the source, in which there may be signs.
    fn push_source(&mut self, part: &str) {
        if self.in_code {
            let code = self.text.restored(part);
            return self.push_text(&code);
        }
        let text = self.text;
        for piece in text.pieces(part) {
            match piece {
                Piece::Text(text) => self.push_text(text),
                Piece::Sign(sign) => self.push_sign(sign),
            }
        }
    }

    /// Draws raw HTML as text, line by line.
    fn push_lines(&mut self, raw: &str) {
        for line in raw.split_inclusive('\n') {
            self.queued.extend(self.line_end.take());
            let text = line.trim_end_matches('\n');
            self.push_source(text);
            self.line_end = (text.len() < line.len()).then_some(Event::HardBreak);
        }
    }

    fn push_sign(&mut self, placed: &PlacedSign) {
        let text = self.text;
        let written = text.written(placed);
        let name = || {
            let sign = written.chars().next().map_or(0, char::len_utf8);
            &written[sign..]
        };
        let within_link = !self.links.is_empty();
        let start = match &placed.sign {
            Sign::Emoji(emoji) => return self.push_text(emoji),
            _ if within_link => return self.push_text(written),
            Sign::Literal => return self.push_text(written),
            Sign::Here if placed.is_quoted => return self.push_text(written),
            Sign::Here => r#"<span data-here="">"#.to_owned(),
            Sign::Address => link_to(written),
            Sign::Channel => format!(r#"<a href="/channels/{}">"#, url::segment(name())),
            Sign::User(id) => {
                let address = url::segment(&format!("@{}", name())).to_string();
                if placed.is_quoted {
                    format!(r#"<a href="/channels/{address}">"#)
                } else {
                    format!(
                        r#"<a href="/channels/{address}" data-user="{}">"#,
                        escaped(id.as_str())
                    )
                }
            }
        };
        let end = if placed.sign == Sign::Here { "</span>" } else { "</a>" };
        self.push_markup(start);
        self.push_text(written);
        self.push_markup(end.to_owned());
    }

    fn open_link(&mut self, destination: &str) {
        let address = self.text.restored(destination);
        let is_drawn = self.links.is_empty() && is_linkable(&address);
        if is_drawn {
            self.push_markup(link_to(&address));
        }
        self.links.push(is_drawn);
    }

    fn close_link(&mut self) {
        if self.links.pop() == Some(true) {
            self.push_markup("</a>".to_owned());
        }
    }

    fn open_code(&mut self, kind: &CodeBlockKind<'_>) {
        let info = match kind {
            CodeBlockKind::Fenced(info) => self.text.restored(info),
            CodeBlockKind::Indented => "".into(),
        };
        let language = info.split([' ', ',', '\t']).next().unwrap_or_default();
        let is_shown = (1..=MAX_LANGUAGE).contains(&language.len())
            && language.chars().all(|c| c.is_ascii_alphanumeric() || "_+#.-".contains(c));
        self.push_markup(if is_shown {
            format!(r#"<pre data-language="{language}"><code class="language-{language}">"#)
        } else {
            "<pre><code>".to_owned()
        });
        self.in_code = true;
    }

    fn open_cell(&mut self) {
        let element = if self.in_head { "th" } else { "td" };
        let align = match self.alignments.get(self.column) {
            Some(Alignment::Left) => r#" align="left""#,
            Some(Alignment::Center) => r#" align="center""#,
            Some(Alignment::Right) => r#" align="right""#,
            Some(Alignment::None) | None => "",
        };
        self.column += 1;
        self.push_markup(format!("<{element}{align}>"));
    }

    /// The markup of a table's parts: Markdown's writer would set styles, which pages refuse.
    fn push_table(&mut self, event: &Event<'p>) {
        let markup = match event {
            Event::Start(Tag::Table(alignments)) => {
                self.alignments.clone_from(alignments);
                "<table>"
            }
            Event::Start(Tag::TableHead) => {
                (self.in_head, self.column) = (true, 0);
                "<thead><tr>"
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                "</tr></thead><tbody>\n"
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                "<tr>"
            }
            Event::End(TagEnd::TableRow) => "</tr>\n",
            Event::Start(Tag::TableCell) => return self.open_cell(),
            Event::End(TagEnd::TableCell) if self.in_head => "</th>",
            Event::End(TagEnd::TableCell) => "</td>",
            _ => "</tbody></table>\n",
        };
        self.push_markup(markup.to_owned());
    }

    /// Draws an event: queues others in its place, or returns the one that stays.
    fn draw(&mut self, event: Event<'p>) -> Option<Event<'p>> {
        match event {
            Event::Text(text) => self.push_source(&text),
            Event::Html(raw) | Event::InlineHtml(raw) => self.push_lines(&raw),
            Event::Code(code) => {
                let code = self.text.restored(&code).into_owned();
                self.shows_something |= !code.chars().all(is_blank);
                return Some(Event::Code(code.into()));
            }
            Event::SoftBreak => return Some(Event::HardBreak),
            Event::Rule => {
                self.shows_something = true;
                return Some(Event::Rule);
            }
            Event::TaskListMarker(is_done) => {
                self.shows_something = true;
                let checked = if is_done { r#" checked="""# } else { "" };
                self.push_markup(format!(r#"<input disabled="" type="checkbox"{checked}> "#));
            }
            Event::Start(Tag::HtmlBlock) => return Some(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => {
                self.line_end = None;
                return Some(Event::End(TagEnd::Paragraph));
            }
            Event::Start(Tag::Link { link_type: LinkType::Email, dest_url, .. }) => {
                self.open_link(&format!("mailto:{dest_url}"));
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                self.open_link(&dest_url);
            }
            Event::End(TagEnd::Link | TagEnd::Image) => self.close_link(),
            Event::Start(Tag::CodeBlock(kind)) => self.open_code(&kind),
            Event::End(TagEnd::CodeBlock) => {
                self.in_code = false;
                self.push_markup("</code></pre>\n".to_owned());
            }
            Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell)
            | Event::End(
                TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow | TagEnd::TableCell,
            ) => self.push_table(&event),
            event => return Some(event),
        }
        None
    }
}

impl<'p, I: Iterator<Item = Event<'p>>> Iterator for Drawing<'p, '_, I> {
    type Item = Event<'p>;

    fn next(&mut self) -> Option<Event<'p>> {
        loop {
            if let Some(event) = self.queued.pop_front() {
                return Some(event);
            }
            let event = self.events.next()?;
            if let Some(event) = self.draw(event) {
                return Some(event);
            }
        }
    }
}

fn link_to(address: &str) -> String {
    format!(r#"<a href="{}">"#, escaped(address))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // Memory does not fail.
    let _ = escape_html(&mut escaped, text);
    escaped
}
