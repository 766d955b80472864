//! The last step of a rendering: the allow list of HTML.

use std::borrow::Cow;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use percent_encoding::percent_decode_str;

use super::address::SCHEMES;

/// The elements that a rendered message may hold.
pub const ELEMENTS: [&str; 27] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// The attributes that they may have, and no others.
const ATTRIBUTES: [(&str, &[&str]); 8] = [
    ("a", &["href", "data-user"]),
    ("code", &["class"]),
    ("input", &["checked", "disabled", "type"]),
    ("ol", &["start"]),
    ("pre", &["data-language"]),
    ("span", &["data-here"]),
    ("td", &["align"]),
    ("th", &["align"]),
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner
        .tags(ELEMENTS.into())
        .tag_attributes(
            ATTRIBUTES.map(|(tag, names)| (tag, names.iter().copied().collect())).into(),
        )
        .set_tag_attribute_values(
            [("input", [("disabled", ""), ("type", "checkbox")].into())].into(),
        )
        .url_schemes(SCHEMES.into())
        .url_relative(UrlRelative::Custom(Box::new(channel_address)))
        .link_rel(Some("noopener noreferrer nofollow"));
    cleaner
});

/// Removes everything that is not on the allow list, so that safety does not rest on the renderer.
pub(super) fn clean(html: &str) -> String {
    CLEANER.clean(html).to_string()
}

/// Keeps an address on this server if it is a channel's, as mentions link to it; drops all others.
fn channel_address(address: &str) -> Option<Cow<'_, str>> {
    is_channel(address).then_some(Cow::Borrowed(address))
}

/// Tells whether an address on this server is that of a channel.
pub(super) fn is_channel(address: &str) -> bool {
    let Some(name) = address.strip_prefix("/channels/") else { return false };
    let Ok(name) = percent_decode_str(name).decode_utf8() else { return false };
    !matches!(&*name, "" | "." | "..") && !name.contains(['/', '\\'])
}
