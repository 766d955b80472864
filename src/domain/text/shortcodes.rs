//! Shortcodes of emoji: `:tada:` and `:party_popper:` for 🎉.
//!
//! An emoji has GitHub's names and Unicode's own (CLDR), all in one alphabet: `a-z`, `0-9`, `_`, `-`
//! and `+`. Where two emoji claim a name, the one to whom GitHub gives it has it.

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizerBorrowed;

/// An emoji with its shortcodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedEmoji {
    /// The emoji, fully qualified: `❤️` with its variation selector.
    pub emoji: &'static str,
    /// Its shortcodes without colons, each this emoji's alone: GitHub's, best known first, then
    /// Unicode's. At least one.
    pub names: Vec<String>,
}

/// Every emoji that has a shortcode, in Unicode's order. Skin tones have none.
static ALL: LazyLock<Vec<NamedEmoji>> = LazyLock::new(|| {
    let mut taken = HashMap::new();
    for emoji in emojis::iter() {
        for name in emoji.shortcodes() {
            taken.entry(name.to_owned()).or_insert(emoji.as_str());
        }
    }
    for emoji in emojis::iter() {
        taken.entry(unicode_shortcode(emoji.name())).or_insert(emoji.as_str());
    }
    let named = emojis::iter().map(|emoji| {
        let mut names: Vec<_> = emoji.shortcodes().map(ToOwned::to_owned).collect();
        let unicodes = unicode_shortcode(emoji.name());
        if !names.contains(&unicodes) {
            names.push(unicodes);
        }
        names.retain(|name| taken.get(name) == Some(&emoji.as_str()));
        NamedEmoji { emoji: emoji.as_str(), names }
    });
    named.filter(|named| !named.names.is_empty()).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    ALL.iter()
        .flat_map(|named| named.names.iter().map(|name| (name.as_str(), named.emoji)))
        .collect()
});

/// Length of the longest shortcode, in bytes. What is longer is none, and need not be looked up.
pub const MAX_BYTES: usize = 80;

/// Lists every emoji that has shortcodes, in Unicode's order: faces first, flags last.
#[must_use]
pub fn named_emoji() -> &'static [NamedEmoji] {
    &ALL
}

/// The emoji of a shortcode without its colons; `None` where there is none.
///
/// Case does not count, and `-` counts as `_` where it is not part of a name itself: `TADA`, `+1`,
/// `woman-shrugging` and `smiling_face_with_heart-eyes` are some. Costs a look into a table.
///
/// ```
/// use houston::domain::text::shortcodes::emoji_named;
///
/// assert_eq!(emoji_named("tada"), Some("🎉"));
/// assert_eq!(emoji_named("10"), None);
/// ```
#[must_use]
pub fn emoji_named(name: &str) -> Option<&'static str> {
    if name.len() > MAX_BYTES || !name.bytes().all(is_of_alphabet) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let found = BY_NAME.get(name.as_str()).or_else(|| BY_NAME.get(name.replace('-', "_").as_str()));
    found.copied()
}

/// Tells whether a byte may be part of a shortcode.
#[must_use]
pub fn is_of_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// Writes Unicode's name of an emoji as GitHub writes its own: ASCII, in lower case, accents and
/// apostrophes left out, and one `_` for whatever else stands between words.
fn unicode_shortcode(name: &str) -> String {
    let mut shortcode = String::with_capacity(name.len());
    let spelled = name.replace('#', "hash").replace('*', "asterisk");
    for c in DecomposingNormalizerBorrowed::new_nfd().normalize(&spelled).chars() {
        match c {
            c if c.is_ascii_alphanumeric() => shortcode.push(c.to_ascii_lowercase()),
            '’' | '\u{300}'..='\u{36F}' => {}
            _ if shortcode.ends_with('_') || shortcode.is_empty() => {}
            _ => shortcode.push('_'),
        }
    }
    shortcode.truncate(shortcode.trim_end_matches('_').len());
    shortcode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortcode_is_githubs_or_unicodes_in_any_case() {
        for (name, emoji) in [
            ("tada", Some("🎉")),
            ("TaDa", Some("🎉")),
            ("party_popper", Some("🎉")),
            ("+1", Some("👍")),
            ("thumbsup", Some("👍")),
            ("thumbs_up", Some("👍")),
            ("-1", Some("👎")),
            ("heart", Some("❤️")),
            ("red_heart", Some("❤️")),
            ("e-mail", Some("📧")),
            ("non-potable_water", Some("🚱")),
            ("t-rex", Some("🦖")),
            ("woman-shrugging", Some("🤷‍♀️")),
            ("smiling_face_with_heart-eyes", Some("😍")),
            ("woman_technologist", Some("👩‍💻")),
            ("flag_germany", Some("🇩🇪")),
            ("de", Some("🇩🇪")),
            ("flag_cote_divoire", Some("🇨🇮")),
            ("flag_aland_islands", Some("🇦🇽")),
            ("flag_st_barthelemy", Some("🇧🇱")),
            ("england", Some("🏴󠁧󠁢󠁥󠁮󠁧󠁿")),
            ("womans_hat", Some("👒")),
            ("japanese_acceptable_button", Some("🉑")),
            ("keycap_hash", Some("#️⃣")),
            ("keycap_asterisk", Some("*️⃣")),
            ("keycap_1", Some("1️⃣")),
            ("100", Some("💯")),
            ("1234", Some("🔢")),
            ("", None),
            ("10", None),
            ("30", None),
            ("tad", None),
            ("tada ", None),
            ("_tada", None),
            ("keycap", None),
            ("tadá", None),
            ("party popper", None),
        ] {
            assert_eq!(emoji_named(name), emoji, "{name}");
        }
        assert_eq!(emoji_named(&"a".repeat(10_000)), None);
    }

    #[test]
    fn a_name_that_two_emoji_claim_is_githubs() {
        // Unicode calls 🐈 a cat and 🐱 a cat face, and so on.
        for (name, emoji) in [("cat", "🐱"), ("dog", "🐶"), ("pig", "🐷"), ("snail", "🐌")]
        {
            assert_eq!(emoji_named(name), Some(emoji), "{name}");
        }
    }

    #[test]
    fn every_emoji_has_names_of_its_own_in_one_alphabet() {
        assert_eq!(named_emoji().len(), emojis::iter().count());
        for named in named_emoji() {
            for name in &named.names {
                assert_eq!(emoji_named(name), Some(named.emoji), "{name}");
                assert_eq!(emoji_named(&name.to_uppercase()), Some(named.emoji), "{name}");
                assert!(name.len() <= MAX_BYTES, "{name}");
                assert!(name.bytes().all(is_of_alphabet), "{name}");
            }
        }
    }
}
