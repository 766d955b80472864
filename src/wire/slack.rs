//! What programs post to a hook: Slack's and Mattermost's format for incoming webhooks.
//!
//! Members that are not known are ignored, and so is what is of another type within attachments and
//! blocks: whoever posts cannot do anything about it.

use chrono::DateTime;
use serde_json::{Map, Value};

use super::alertmanager;
use crate::domain::text::layout::{Card, Field, Part, Section, hue_of};
use crate::domain::text::mrkdwn::{decoded, escape, is_linkable, link, to_markdown};

/// A message as a program posts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookPost {
    /// The name under which to show it.
    pub username: Option<String>,
    /// The emoji to show it with: `:rocket:`, or itself.
    pub icon: Option<String>,
    /// What it says.
    pub sections: Vec<Section>,
    /// True where its links shall have no previews (`unfurl_links`).
    pub without_previews: bool,
}

/// The reason why a body is no message, by Slack's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is no JSON object, or has a member of another type.
    #[error("invalid_payload")]
    Invalid,
    /// It has more than [`MAX_ITEMS`] attachments.
    #[error("too_many_attachments")]
    TooManyAttachments,
    /// It has more than [`MAX_ITEMS`] blocks.
    #[error("invalid_blocks")]
    TooManyBlocks,
}

/// Largest number of attachments, and of blocks.
pub const MAX_ITEMS: usize = 100;

impl HookPost {
    /// A message of a text alone, in Slack's format.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { sections: vec![bare(vec![Part::Text(to_markdown(text))])], ..Self::default() }
    }

    /// Parses a payload in JSON.
    ///
    /// # Errors
    ///
    /// When it is no object, or a member that counts is of another type.
    pub fn parse(json: &str) -> Result<Self, PayloadError> {
        let Ok(Value::Object(payload)) = serde_json::from_str(json) else {
            return Err(PayloadError::Invalid);
        };
        if let Some(sections) = alertmanager::sections(&payload) {
            return Ok(Self { sections, ..Self::default() });
        }
        let text = match payload.get("text") {
            Some(Value::Array(_) | Value::Object(_)) => return Err(PayloadError::Invalid),
            _ => text_in(&payload, "text"),
        };
        let attachments = items_in(&payload, "attachments", PayloadError::TooManyAttachments)?;
        let blocks = items_in(&payload, "blocks", PayloadError::TooManyBlocks)?;
        let blocks: Vec<_> = blocks.into_iter().filter_map(block).flatten().collect();
        let mut sections = Vec::new();
        // With blocks the text is what notifications show, and no part of the message.
        match text {
            Some(text) if blocks.is_empty() => {
                sections.push(bare(vec![Part::Text(to_markdown(&text))]));
            }
            _ => sections.push(bare(blocks)),
        }
        sections.extend(attachments.into_iter().flat_map(attachment));
        sections.retain(|section| !section.parts.is_empty());
        let icon = text_in(&payload, "icon_emoji");
        let without_previews = text_in(&payload, "unfurl_links").is_some_and(|it| it == "false");
        Ok(Self { username: text_in(&payload, "username"), icon, sections, without_previews })
    }
}

fn bare(parts: Vec<Part>) -> Section {
    Section { card: None, parts }
}

/// The text of a member; `None` where it is missing or blank.
pub(super) fn text_in(object: &Map<String, Value>, member: &str) -> Option<String> {
    let text = match object.get(member)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// The objects in a member that is a list.
fn items_in<'v>(
    object: &'v Map<String, Value>,
    member: &str,
    too_many: PayloadError,
) -> Result<Vec<&'v Map<String, Value>>, PayloadError> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() > MAX_ITEMS => Err(too_many),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_object().ok_or(PayloadError::Invalid)).collect()
        }
        Some(_) => Err(PayloadError::Invalid),
    }
}

/// The objects in a member, as far as it is a list of some.
fn objects_in<'v>(
    object: &'v Map<String, Value>,
    member: &str,
) -> impl Iterator<Item = &'v Map<String, Value>> {
    let items = object.get(member).and_then(Value::as_array);
    items.into_iter().flatten().take(MAX_ITEMS).filter_map(Value::as_object)
}

/// An attachment: what stands before it, and its card.
fn attachment(attachment: &Map<String, Value>) -> [Section; 2] {
    let of = |member: &str| text_in(attachment, member);
    let markdown = |member: &str| of(member).map(|text| Part::Text(to_markdown(&text)));
    let before: Vec<_> = markdown("pretext").into_iter().collect();
    let mut parts = Vec::new();
    if let Some(author) = of("author_name") {
        parts.push(Part::SmallPrint(vec![linked(&author, of("author_link"))]));
    }
    let title = of("title").map(|title| decoded(&title).into_owned());
    parts.extend(title.map(|title| Part::Title(title, of("title_link"))));
    parts.extend(markdown("text"));
    let fields: Vec<_> = objects_in(attachment, "fields").filter_map(field).collect();
    if !fields.is_empty() {
        parts.push(Part::Fields(fields));
    }
    parts.extend(objects_in(attachment, "blocks").filter_map(block).flatten());
    for (member, name) in [("image_url", "Image"), ("thumb_url", "Thumbnail")] {
        parts.extend(of(member).map(|url| Part::Picture(name.into(), url)));
    }
    let footer = of("footer").map(|footer| to_markdown(&footer));
    let small: Vec<_> = footer.into_iter().chain(of("ts").and_then(|ts| time_words(&ts))).collect();
    // A time alone is no message.
    if !small.is_empty() && (of("footer").is_some() || !parts.is_empty()) {
        parts.push(Part::SmallPrint(small));
    }
    if parts.is_empty() && before.is_empty() {
        parts.extend(markdown("fallback"));
    }
    let card = Card { hue: of("color").and_then(|color| hue(&color)) };
    [bare(before), Section { card: Some(card), parts }]
}

fn linked(label: &str, url: Option<String>) -> String {
    let label = decoded(label);
    match url.filter(|url| is_linkable(url)) {
        Some(url) => link(&label, &url),
        None => escape(&label),
    }
}

fn field(field: &Map<String, Value>) -> Option<Field> {
    let name = text_in(field, "title").map(|name| decoded(&name).into_owned()).unwrap_or_default();
    let value = text_in(field, "value").map(|value| to_markdown(&value)).unwrap_or_default();
    let is_short = matches!(field.get("short"), Some(Value::Bool(true)))
        || text_in(field, "short").is_some_and(|short| short == "true");
    (!name.is_empty() || !value.is_empty()).then_some(Field { name, value, is_wide: !is_short })
}

/// The parts of a block; `None` where it is of an unknown type, or empty.
fn block(block: &Map<String, Value>) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    match block.get("type")?.as_str()? {
        "header" => {
            let title = text_in(block.get("text")?.as_object()?, "text")?;
            parts.push(Part::Title(decoded(&title).into_owned(), None));
        }
        "section" => {
            parts.extend(block.get("text").and_then(text_object).map(Part::Text));
            let fields = block.get("fields").and_then(Value::as_array).into_iter().flatten();
            let fields = fields.take(MAX_ITEMS).filter_map(text_object);
            let fields = fields.map(|value| Field { value, ..Field::default() });
            let fields: Vec<_> = fields.collect();
            if !fields.is_empty() {
                parts.push(Part::Fields(fields));
            }
            parts.extend(block.get("accessory").and_then(picture));
        }
        "context" => {
            let elements = block.get("elements").and_then(Value::as_array)?.iter().take(MAX_ITEMS);
            let small = elements.filter_map(|element| match picture(element) {
                Some(Part::Picture(name, url)) => Some(linked(&name, Some(url))),
                _ => text_object(element),
            });
            let small: Vec<_> = small.collect();
            if !small.is_empty() {
                parts.push(Part::SmallPrint(small));
            }
        }
        "divider" => parts.push(Part::Divider),
        "image" => parts.extend(picture(&Value::Object(block.clone()))),
        "markdown" => parts.push(Part::Text(text_in(block, "text")?)),
        _ => {}
    }
    (!parts.is_empty()).then_some(parts)
}

/// The Markdown of a text object: `{"type": "mrkdwn" | "plain_text", "text"}`.
fn text_object(object: &Value) -> Option<String> {
    let object = object.as_object()?;
    let text = text_in(object, "text")?;
    let is_plain = object.get("type").and_then(Value::as_str) == Some("plain_text");
    Some(if is_plain { escape(&decoded(&text)) } else { to_markdown(&text) })
}

/// The link of an image, as a block or a part of one.
fn picture(image: &Value) -> Option<Part> {
    let image = image.as_object()?;
    if image.get("type")?.as_str()? != "image" {
        return None;
    }
    let url = text_in(image, "image_url")?;
    let title = image.get("title").and_then(Value::as_object);
    let name =
        title.and_then(|title| text_in(title, "text")).or_else(|| text_in(image, "alt_text"));
    let name = name.map_or_else(|| "Image".into(), |name| decoded(&name).into_owned());
    Some(Part::Picture(name, url))
}

/// The hue of a colour: one of Slack's names, or `#rrggbb`.
fn hue(color: &str) -> Option<u8> {
    let rgb = match color.trim() {
        "good" => 0x2E_B8_86,
        "warning" => 0xDA_A0_38,
        "danger" => 0xA3_02_00,
        color => {
            let digits = color.strip_prefix('#').unwrap_or(color);
            let number = u32::from_str_radix(digits, 16).ok()?;
            match digits.len() {
                6 => number,
                3 => {
                    let digit = |shift: u32| (number >> shift & 0xF) * 0x11;
                    digit(8) << 16 | digit(4) << 8 | digit(0)
                }
                _ => return None,
            }
        }
    };
    hue_of(rgb)
}

/// A time in seconds since 1970, in words.
fn time_words(seconds: &str) -> Option<String> {
    let seconds: i64 = seconds.split('.').next()?.parse().ok()?;
    let time = DateTime::from_timestamp(seconds, 0)?;
    (1..10_000)
        .contains(&time.format("%Y").to_string().parse::<i32>().ok()?)
        .then(|| time.format("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::text::Directory;
    use crate::domain::text::layout::compose;

    struct Nobody;

    impl Directory for Nobody {
        fn user(&self, _: &str) -> Option<crate::domain::ids::UserId> {
            None
        }

        fn has_channel(&self, _: &str) -> bool {
            false
        }
    }

    #[track_caller]
    fn says(payload: Value, text: &str) -> String {
        let post = HookPost::parse(&payload.to_string()).expect("a payload");
        let (said, rendered) = compose(post.sections, &Nobody);
        assert_eq!(said.as_str(), text, "{payload}");
        rendered.html
    }

    #[test]
    fn texts_and_attachments_are_read() {
        says(json!({"text": "*hi* <https://a.example|A>"}), "**hi** [A](https://a.example)");
        says(json!({"text": "hi", "unknown": [1], "mrkdwn": true, "channel": "#x"}), "hi");
        says(json!({"text": 7}), "7");
        says(json!({"text": "a", "attachments": []}), "a");
        says(json!({"text": null, "attachments": [{"text": "b"}]}), "b");
        says(json!({"attachments": [{"fallback": "f"}]}), "f");
        says(json!({"attachments": [{"fallback": "f", "title": "t"}]}), "**t**");
        says(json!({"attachments": [{"fallback": "f", "pretext": "p"}]}), "p");
        says(json!({"attachments": [{"title": "a &amp; &lt;b&gt;"}]}), "**a & \\<b>**");
        says(json!({"attachments": [{"ts": 5, "color": "good"}]}), "");
        says(json!({"attachments": [{"text": 5, "fields": "none", "color": []}]}), "5");
        says(
            json!({"attachments": [{"title": "t", "footer": "f", "ts": "1700000000.5"}]}),
            "**t**\n\nf · 2023-11-14 22:13 UTC",
        );
        let html = says(
            json!({"text": "T", "attachments": [{
                "fallback": "f", "pretext": "P", "title": "t", "title_link": "https://a.example",
                "text": "x ~y~", "color": "#36a64f", "image_url": "https://a.example/i.png",
                "fields": [
                    {"title": "One", "value": 1, "short": true},
                    {"title": "Two", "value": "*2*"},
                    {"value": null},
                ],
            }]}),
            "T\n\nP\n\n**[t](https://a.example)**\n\nx ~~y~~\n\n**One**: 1\n**Two**: **2**\n\n\
             [Image](https://a.example/i.png)",
        );
        assert!(html.starts_with("<p>T</p><p>P</p><section data-hue=\"10\">"), "{html}");
        assert!(html.contains("<div><dt><p>One</p>") && html.contains("<div data-wide=\"\">"));
        assert!(!html.contains("<img"), "{html}");
    }

    #[test]
    fn blocks_are_read() {
        let html = says(
            json!({"text": "for notifications", "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Deploy *7*"}},
                {"type": "section", "text": {"type": "mrkdwn", "text": "of *main*"},
                 "accessory": {"type": "image", "image_url": "https://a.example/x.png", "alt_text": "X"}},
                {"type": "section", "fields": [
                    {"type": "mrkdwn", "text": "*By*\nAda"},
                    {"type": "plain_text", "text": "2 *min*"},
                ]},
                {"type": "divider"},
                {"type": "image", "image_url": "https://a.example/y.png", "title": {"text": "Y"}},
                {"type": "context", "elements": [
                    {"type": "mrkdwn", "text": "<https://a.example|log>"},
                    {"type": "image", "image_url": "https://a.example/z.png", "alt_text": "Z"},
                ]},
                {"type": "actions", "elements": []},
                {"type": "section"},
                {},
            ]}),
            "**Deploy \\*7\\***\n\nof **main**\n\n[X](https://a.example/x.png)\n\n**By**\nAda\n2 \\*min\\*\n\n\
             ---\n\n[Y](https://a.example/y.png)\n\n[log](https://a.example) · [Z](https://a.example/z.png)",
        );
        assert!(html.contains("<dl><div><dd>") && html.contains("<footer>"), "{html}");
        says(json!({"text": "t", "blocks": [{"type": "later"}]}), "t");
        let within = json!({"attachments": [{"color": "danger", "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "b"}},
        ]}]});
        assert!(says(within, "b").starts_with("<section data-hue=\"2\">"));
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        let invalid = PayloadError::Invalid;
        for (payload, error) in [
            ("", invalid),
            ("null", invalid),
            ("[]", invalid),
            ("\"text\"", invalid),
            ("{\"text\": \"a\"", invalid),
            ("{\"text\": [\"a\"]}", invalid),
            ("{\"text\": {}}", invalid),
            ("{\"text\": \"a\", \"attachments\": {}}", invalid),
            ("{\"text\": \"a\", \"attachments\": [1]}", invalid),
            ("{\"text\": \"a\", \"blocks\": \"b\"}", invalid),
            (
                &format!("{{\"attachments\": [{}]}}", ["{}"; 101].join(",")),
                PayloadError::TooManyAttachments,
            ),
            (&format!("{{\"blocks\": [{}]}}", ["{}"; 101].join(",")), PayloadError::TooManyBlocks),
        ] {
            assert_eq!(HookPost::parse(payload), Err(error), "{payload}");
        }
    }

    #[test]
    fn colours_are_slack_s_names_or_numbers() {
        for (color, expected) in [
            ("good", Some(11)),
            ("warning", Some(5)),
            ("danger", Some(2)),
            ("#36a64f", Some(10)),
            ("36A64F", Some(10)),
            ("#f00", Some(2)),
            ("#808080", None),
            ("#12345", None),
            ("#zzzzzz", None),
            ("red", None),
        ] {
            assert_eq!(hue(color), expected, "{color}");
        }
    }
}
