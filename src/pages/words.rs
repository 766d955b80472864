//! Small words about people, files and reactions.
//!
//! Scripts say the same, byte for byte (`people.js`, `files.js` and `reactions.js` in
//! `static/js/conversation`, and `static/js/lib/emoji.js`); the table `tests/rendering/words.json`
//! holds both to it.

use unicode_segmentation::UnicodeSegmentation;

/// The number of looks that an avatar can have: so many hues, each with a tone.
const HUES: u32 = 24;

/// Up to so many emoji alone are shown large.
const MAX_LARGE_EMOJI: usize = 3;

/// Beyond so many, people are counted instead of named.
const MAX_NAMED: usize = 8;

/// The one or two characters (grapheme clusters) that stand for a name: the first letters or digits of
/// its first and last word, or the first two of its only one. Words without any are passed over; of a
/// name without any it is the first character.
pub(super) fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').filter(|word| letters(word).next().is_some()).collect();
    match words[..] {
        [] => name.graphemes(true).take(1).collect(),
        [only] => letters(only).take(2).collect(),
        [first, .., last] => letters(first).take(1).chain(letters(last).take(1)).collect(),
    }
}

/// The characters of a word that are letters or digits.
fn letters(word: &str) -> impl Iterator<Item = &str> {
    word.graphemes(true).filter(|it| it.starts_with(char::is_alphanumeric))
}

/// The hue of somebody's avatar, 0 to 23, by their id: FNV-1a of its bytes.
pub(super) fn hue(id: &str) -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    id.bytes().fold(0x811c_9dc5, mix) % HUES
}

/// A size in words: `0 bytes`, `1 byte`, `4.2 KiB`, `25 MiB`.
pub(super) fn size_words(bytes: u64) -> String {
    let (unit, name) = match bytes {
        1 => return "1 byte".to_owned(),
        0 | 2..1_024 => return format!("{bytes} bytes"),
        1_024..1_048_576 => (1 << 10, "KiB"),
        1_048_576..1_073_741_824 => (1 << 20, "MiB"),
        _ => (1_u128 << 30, "GiB"),
    };
    // Rounded half up, to a tenth where that says something.
    let bytes = u128::from(bytes);
    let tenths = (bytes * 20 + unit) / (unit * 2);
    match tenths % 10 {
        tenth if bytes < unit * 10 && tenth > 0 => format!("{}.{tenth} {name}", tenths / 10),
        _ if bytes < unit * 10 => format!("{} {name}", tenths / 10),
        _ => format!("{} {name}", (bytes * 2 + unit) / (unit * 2)),
    }
}

/// The kind of a file in a word: its extension where that says something, else its media type.
pub(super) fn kind_words(name: &str, media_type: &str) -> String {
    let is_extension = |it: &&str| {
        (1..=5).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if let Some(extension) = name.rsplit_once('.').map(|(_, it)| it).filter(is_extension) {
        return extension.to_ascii_uppercase();
    }
    if media_type == "application/octet-stream" {
        return "File".to_owned();
    }
    let subtype = media_type.split_once('/').map_or(media_type, |(_, subtype)| subtype);
    let subtype = subtype.strip_prefix("x-").unwrap_or(subtype);
    subtype.split('+').next().unwrap_or_default().to_uppercase()
}

/// The people who gave a reaction, as a sentence that the reaction completes.
pub(super) fn who_words(names: &[&str]) -> String {
    let (first, more) = names.split_at(names.len().min(MAX_NAMED));
    let mut all: Vec<_> = first.iter().map(|name| (*name).to_owned()).collect();
    match more.len() {
        0 => {}
        1 => all.push("1 other".to_owned()),
        more => all.push(format!("{more} others")),
    }
    let last = all.pop().unwrap_or_default();
    if all.is_empty() {
        return format!("{last} reacted with");
    }
    format!("{} and {last} reacted with", all.join(", "))
}

/// Tells whether a message's HTML is one paragraph of a few emoji alone.
pub(super) fn is_emoji_alone(html: &str) -> bool {
    let inner = html.strip_prefix("<p>").and_then(|it| it.strip_suffix("</p>"));
    let Some(inner) = inner else { return false };
    let text = inner.replace("<br>", "");
    let mut seen = text.graphemes(true).filter(|it| !it.trim().is_empty());
    let mut count = 0;
    // Fully qualified ones: `❤` alone is a sign of text.
    let are_emoji = seen.all(|it| {
        count += 1;
        count <= MAX_LARGE_EMOJI && emojis::get(it).is_some_and(|emoji| emoji.as_str() == it)
    });
    are_emoji && count > 0
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Words {
        initials: Vec<(String, String)>,
        hues: Vec<(String, u32)>,
        sizes: Vec<(u64, String)>,
        kinds: Vec<(String, String, String)>,
        who: Vec<(Vec<String>, String)>,
        emoji: Vec<(String, bool)>,
    }

    #[test]
    fn words_are_those_of_the_table() {
        let table = include_str!("../../tests/rendering/words.json");
        let words: Words = serde_json::from_str(table).expect("a table");
        for (name, expected) in words.initials {
            assert_eq!(initials(&name), expected, "{name:?}");
        }
        for (id, expected) in words.hues {
            assert_eq!(hue(&id), expected, "{id:?}");
        }
        for (bytes, expected) in words.sizes {
            assert_eq!(size_words(bytes), expected, "{bytes}");
        }
        for (name, media_type, expected) in words.kinds {
            assert_eq!(kind_words(&name, &media_type), expected, "{name:?} {media_type:?}");
        }
        for (names, expected) in words.who {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            assert_eq!(who_words(&names), expected);
        }
        for (html, expected) in words.emoji {
            assert_eq!(is_emoji_alone(&html), expected, "{html:?}");
        }
    }
}
