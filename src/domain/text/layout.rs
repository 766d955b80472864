//! Messages that are put together of parts: titles, fields, small print, cards with a coloured bar.
//!
//! What is kept of them is a text in Markdown, as of any message, and its HTML. The HTML has a few
//! elements more than a rendered text: a card is a `<section>`, whose `data-hue` chooses the colour of
//! its bar, fields are a `<dl>` with a `<div>` for each, and small print is a `<footer>`.

use std::fmt::Write;

use super::mrkdwn::{escape, is_linkable, link};
use super::{Directory, MAX_HTML_BYTES, Rendered, render};
use crate::domain::message::Text;

/// Parts that stand together, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Set where they are a card, with a bar at its side.
    pub card: Option<Card>,
    /// The parts.
    pub parts: Vec<Part>,
}

/// A card's look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// The hue of its bar, in 24ths of the circle of `OKLCH`; `None` for grey.
    pub hue: Option<u8>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Markdown.
    Text(String),
    /// A title in plain text, which may be a link.
    Title(String, Option<String>),
    /// Names with values, in two columns.
    Fields(Vec<Field>),
    /// Small print: Markdown, one after the other in a line.
    SmallPrint(Vec<String>),
    /// A line across.
    Divider,
    /// A picture elsewhere, as a link: readers load nothing from there.
    Picture(String, String),
}

/// A field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// The name in plain text; may be empty.
    pub name: String,
    /// The value in Markdown.
    pub value: String,
    /// True where it needs the width of both columns.
    pub is_wide: bool,
}

/// The hue of a colour of 24 bits, in 24ths of the circle of `OKLCH`; `None` for what is next to grey.
///
/// ```
/// use houston::domain::text::layout::hue_of;
///
/// assert_eq!(hue_of(0x36_A6_4F), Some(10));
/// assert_eq!(hue_of(0x80_80_80), None);
/// ```
#[must_use]
pub fn hue_of(rgb: u32) -> Option<u8> {
    let linear = |shift: u32| {
        let channel = f64::from((rgb >> shift) & 0xFF) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = [16, 8, 0].map(linear);
    let cone = |[of_red, of_green, of_blue]: [f64; 3]| {
        (of_red * red + of_green * green + of_blue * blue).cbrt()
    };
    let long = cone([0.412_221_47, 0.536_332_54, 0.051_445_99]);
    let medium = cone([0.211_903_50, 0.680_699_55, 0.107_396_96]);
    let short = cone([0.088_302_46, 0.281_718_84, 0.629_978_70]);
    let reddish = 1.977_998_50 * long - 2.428_592_21 * medium + 0.450_593_71 * short;
    let yellowish = 0.025_904_04 * long + 0.782_771_77 * medium - 0.808_675_77 * short;
    if reddish.hypot(yellowish) < 0.03 {
        return None;
    }
    let steps = (yellowish.atan2(reddish).to_degrees().rem_euclid(360.0) / 15.0).round();
    // At most 24 and not negative.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 24")]
    Some(steps as u8 % 24)
}

/// Puts a message together: its text, and the rendering of that. The text is empty where there is
/// nothing to show; it is cut with `…` where it would be too long.
#[must_use]
pub fn compose(sections: Vec<Section>, directory: &dyn Directory) -> (Text, Rendered) {
    let sections = fitted(sections);
    let parts = sections.iter().flat_map(|section| &section.parts);
    let markdown: Vec<_> = parts.map(Part::markdown).collect();
    let text = text_of(&markdown.join(BREAK));
    let is_text = |section: &Section| {
        section.card.is_none() && section.parts.iter().all(|part| matches!(part, Part::Text(_)))
    };
    if sections.iter().all(is_text) {
        let rendered = render(&text, directory);
        return (text, rendered);
    }
    let mut drawn = Rendered::default();
    for section in &sections {
        draw_section(section, directory, &mut drawn);
    }
    let too_long = drawn.html.len() > MAX_HTML_BYTES;
    let rendered = if too_long { render(&text, directory) } else { drawn };
    (text, rendered)
}

/// What stands between parts in Markdown.
const BREAK: &str = "\n\n";

/// The text of Markdown that is short enough.
fn text_of(markdown: &str) -> Text {
    markdown.replace('\0', "").parse().unwrap_or_else(|_| "…".parse().expect("a text"))
}

/// The sections with as many parts as fit into a text; the last may be cut.
fn fitted(sections: Vec<Section>) -> Vec<Section> {
    let mut left = Text::MAX_CHARS + BREAK.len();
    let mut fitting = Vec::new();
    for Section { card, parts } in sections {
        let mut kept = Vec::new();
        for part in parts {
            let markdown = part.markdown();
            let needed = markdown.chars().count() + BREAK.len();
            if markdown.trim().is_empty() {
                continue;
            }
            if needed <= left {
                left -= needed;
                kept.push(part);
                continue;
            }
            if left > BREAK.len() {
                kept.push(Part::Text(cut(&markdown, left - BREAK.len())));
            }
            left = 0;
        }
        if !kept.is_empty() {
            fitting.push(Section { card, parts: kept });
        }
    }
    fitting
}

/// The beginning of a text, of so many characters with the `…` at its end.
fn cut(markdown: &str, chars: usize) -> String {
    let mut beginning: String = markdown.chars().take(chars.saturating_sub(1)).collect();
    beginning.truncate(beginning.trim_end().len());
    beginning.push('…');
    beginning
}

impl Part {
    /// The part as Markdown alone.
    fn markdown(&self) -> String {
        match self {
            Self::Text(markdown) => markdown.trim().to_owned(),
            Self::Title(title, Some(url)) if is_linkable(url) => {
                format!("**{}**", link(title.trim(), url))
            }
            Self::Title(title, _) if title.trim().is_empty() => String::new(),
            Self::Title(title, _) => format!("**{}**", escape(&title.trim().replace('\n', " "))),
            Self::Fields(fields) => {
                let lines = fields.iter().map(|field| match field.name.trim() {
                    "" => field.value.trim().to_owned(),
                    name => format!("**{}**: {}", escape(name), field.value.trim()),
                });
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::SmallPrint(items) => items.join(" · "),
            Self::Divider => "---".into(),
            Self::Picture(name, url) if is_linkable(url) => link(name, url),
            Self::Picture(name, _) => escape(name),
        }
    }
}

fn draw_section(section: &Section, directory: &dyn Directory, drawn: &mut Rendered) {
    match section.card {
        Some(Card { hue: Some(hue) }) => {
            // Memory does not fail.
            let _ = write!(drawn.html, "<section data-hue=\"{hue}\">");
        }
        Some(Card { hue: None }) => drawn.html.push_str("<section>"),
        None => {}
    }
    for part in &section.parts {
        match part {
            Part::Fields(fields) => {
                drawn.html.push_str("<dl>");
                for field in fields {
                    let wide = if field.is_wide { " data-wide=\"\"" } else { "" };
                    let _ = write!(drawn.html, "<div{wide}>");
                    if !field.name.trim().is_empty() {
                        draw_within("dt", &escape(field.name.trim()), directory, drawn);
                    }
                    draw_within("dd", &field.value, directory, drawn);
                    drawn.html.push_str("</div>");
                }
                drawn.html.push_str("</dl>");
            }
            Part::SmallPrint(_) => draw_within("footer", &part.markdown(), directory, drawn),
            _ => draw(&part.markdown(), directory, drawn),
        }
    }
    if section.card.is_some() {
        drawn.html.push_str("</section>");
    }
}

fn draw_within(element: &str, markdown: &str, directory: &dyn Directory, drawn: &mut Rendered) {
    let _ = write!(drawn.html, "<{element}>");
    draw(markdown, directory, drawn);
    let _ = write!(drawn.html, "</{element}>");
}

/// Adds the rendering of Markdown, which is safe by itself.
fn draw(markdown: &str, directory: &dyn Directory, drawn: &mut Rendered) {
    let Rendered { html, mentions } = render(&text_of(markdown), directory);
    drawn.html.push_str(&html);
    for mention in mentions {
        if !drawn.mentions.contains(&mention) {
            drawn.mentions.push(mention);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;

    struct Nobody;

    impl Directory for Nobody {
        fn user(&self, compared: &str) -> Option<UserId> {
            (compared == "ada").then(|| UserId::from("u1".to_owned()))
        }

        fn has_channel(&self, _: &str) -> bool {
            false
        }
    }

    fn composed(sections: Vec<Section>) -> (String, Rendered) {
        let (text, rendered) = compose(sections, &Nobody);
        (text.as_str().to_owned(), rendered)
    }

    fn card(hue: Option<u8>, parts: Vec<Part>) -> Section {
        Section { card: Some(Card { hue }), parts }
    }

    fn bare(markdown: &str) -> Section {
        Section { card: None, parts: vec![Part::Text(markdown.into())] }
    }

    #[test]
    fn texts_alone_are_rendered_as_any_text_is() {
        let (text, rendered) = composed(vec![bare("**a** @Ada"), bare(" "), bare("b")]);
        assert_eq!(text, "**a** @Ada\n\nb");
        assert_eq!(rendered, render(&text.parse().expect("a text"), &Nobody));
        assert_eq!(rendered.mentions, [UserId::from("u1".to_owned())]);
    }

    #[test]
    fn a_card_is_markdown_and_html() {
        let field = |name: &str, value: &str, is_wide| Field {
            name: name.into(),
            value: value.into(),
            is_wide,
        };
        let (text, rendered) = composed(vec![
            bare("before"),
            card(
                Some(10),
                vec![
                    Part::Title("Build [7]".into(), Some("https://ci.example/7".into())),
                    Part::Text("It is *green*.".into()),
                    Part::Fields(vec![field("By", "@Ada", false), field("", "alone", true)]),
                    Part::Picture("Chart".into(), "https://ci.example/7.png".into()),
                    Part::Divider,
                    Part::SmallPrint(vec!["CI".into(), "today".into()]),
                ],
            ),
        ]);
        let expected = "before\n\n**[Build \\[7\\]](https://ci.example/7)**\n\nIt is *green*.\n\n\
                        **By**: @Ada\nalone\n\n[Chart](https://ci.example/7.png)\n\n---\n\nCI · today";
        assert_eq!(text, expected);
        assert_eq!(rendered.mentions, [UserId::from("u1".to_owned())]);
        let html = rendered.html;
        assert!(
            html.starts_with("<p>before</p><section data-hue=\"10\"><p><strong><a href"),
            "{html}"
        );
        assert!(
            html.contains(">Build [7]</a></strong></p><p>It is <em>green</em>.</p><dl><div>"),
            "{html}"
        );
        assert!(html.contains("<dt><p>By</p></dt><dd><p><a href=\"/channels/%40Ada\""), "{html}");
        assert!(html.contains("<div data-wide=\"\"><dd><p>alone</p></dd></div></dl>"), "{html}");
        assert!(html.ends_with("<hr><footer><p>CI · today</p></footer></section>"), "{html}");
    }

    #[test]
    fn nothing_of_it_is_anybody_s_html() {
        let evil = "<script>alert(1)</script>\"><img src=x onerror=y>";
        let (_, rendered) = composed(vec![card(
            None,
            vec![
                Part::Title(evil.into(), Some(format!("https://x.example/{evil}"))),
                Part::Title(evil.into(), Some("javascript:alert(1)".into())),
                Part::Fields(vec![Field { name: evil.into(), value: evil.into(), is_wide: false }]),
                Part::SmallPrint(vec![evil.into()]),
                Part::Picture(evil.into(), "data:text/html,x".into()),
            ],
        )]);
        assert!(
            !rendered.html.contains("<script") && !rendered.html.contains("<img"),
            "{rendered:?}"
        );
        assert!(!rendered.html.contains("href=\"javascript"), "{rendered:?}");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let (text, _) = composed(vec![bare(&"é".repeat(4_001))]);
        assert_eq!((text.chars().count(), text.ends_with("é…")), (4_000, true));
        let (text, _) = composed(vec![bare(&"x".repeat(4_000))]);
        assert!(!text.contains('…'));
        let (text, rendered) = composed(vec![
            bare(&"x".repeat(3_000)),
            card(None, vec![Part::Text("y".repeat(2_000)), Part::Divider]),
            bare("z"),
        ]);
        assert_eq!((text.chars().count(), text.ends_with("y…")), (4_000, true));
        assert!(rendered.html.ends_with("y…</p></section>"), "the look is kept");
        let (text, _) = composed(vec![bare("a\0b")]);
        assert_eq!(text, "ab");
    }

    #[test]
    fn a_hue_is_that_of_the_colour() {
        for (rgb, hue) in [
            (0xFF_00_00, Some(2)),
            (0xFF_FF_00, Some(7)),
            (0x00_FF_00, Some(9)),
            (0x00_00_FF, Some(18)),
            (0xFF_00_FF, Some(22)),
            (0xDA_A0_38, Some(5)),
            (0x00_00_00, None),
            (0xFF_FF_FF, None),
            (0x43_46_4B, None),
        ] {
            assert_eq!(hue_of(rgb), hue, "{rgb:06X}");
        }
    }
}
