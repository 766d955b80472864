//! The PRECIS rules for names in any script (RFC 8264), with two profiles: UsernameCaseMapped
//! (RFC 8265) and Nickname (RFC 8266).
//!
//! Which characters are allowed is derived from the properties in ICU4X's data, and so follows the
//! Unicode version of that data; the tables printed in the RFCs end at Unicode 6.3. Both profiles
//! are applied until nothing changes, so an enforced name enforced again is accepted unchanged.

mod class;

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use icu_properties::props::{BidiClass, EastAsianWidth, GeneralCategory, Uppercase};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};

pub(crate) use self::class::general_category;
pub(super) use self::class::is_letter_digit;
use self::class::{StringClass, check};
use super::NameError;

type Map<T> = CodePointMapDataBorrowed<'static, T>;

const BIDI_CLASS: Map<BidiClass> = CodePointMapData::<BidiClass>::new();
const WIDTH: Map<EastAsianWidth> = CodePointMapData::<EastAsianWidth>::new();
const UPPERCASE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Uppercase>();
const CASE: CaseMapperBorrowed<'static> = CaseMapper::new();
const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();

/// Largest number of times that a profile's rules are applied until the name is stable: once and
/// three more times (RFC 8264, section 7).
const MAX_ROUNDS: usize = 4;

/// Enforces the UsernameCaseMapped profile (RFC 8265, section 3.3.3).
pub(super) fn username(typed: &str) -> Result<String, NameError> {
    let name = until_stable(typed, |name| {
        let name = map_width(name);
        check(&name, StringClass::Identifier)?;
        Ok(map_case(&name))
    })?;
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if satisfies_bidi_rule(&name) { Ok(name) } else { Err(NameError::Mixed) }
}

/// The form of [`username`] for any text, whether or not the rules allow it.
pub(super) fn fold_username(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    settled(text, |text| map_case(&map_width(text)))
}

fn map_case(name: &str) -> String {
    NFC.normalize(&lowercase(name)).into_owned()
}

/// Enforces the Nickname profile (RFC 8266, section 2.3).
pub(super) fn nickname(typed: &str) -> Result<String, NameError> {
    let name = until_stable(typed, |name| {
        check(name, StringClass::Freeform)?;
        Ok(NFKC.normalize(&map_spaces(name)).into_owned())
    })?;
    if name.is_empty() { Err(NameError::Empty) } else { Ok(name) }
}

/// The form in which the Nickname profile compares a name (RFC 8266, section 2.4).
pub(super) fn comparable_nickname(name: &str) -> Result<String, NameError> {
    until_stable(name, |name| {
        check(name, StringClass::Freeform)?;
        Ok(fold_nickname_once(name))
    })
}

/// The form of [`comparable_nickname`] for any text, whether or not the rules allow it.
pub(super) fn fold_nickname(name: &str) -> String {
    settled(name, fold_nickname_once)
}

/// The form of [`fold_nickname`] with spaces as they are.
pub(super) fn fold_nickname_part(part: &str) -> String {
    if part.is_ascii() {
        return part.to_ascii_lowercase();
    }
    settled(part, |part| NFKC.normalize(&lowercase(part)).into_owned())
}

fn fold_nickname_once(name: &str) -> String {
    NFKC.normalize(&lowercase(&map_spaces(name))).into_owned()
}

/// Applies mappings until nothing changes, or for as long as rules would be.
fn settled(text: &str, mappings: impl Fn(&str) -> String) -> String {
    let mut form = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let next = mappings(&form);
        if next == form {
            break;
        }
        form = next;
    }
    form
}

/// Applies rules until nothing changes.
fn until_stable(
    typed: &str,
    rules: impl Fn(&str) -> Result<String, NameError>,
) -> Result<String, NameError> {
    let mut form = typed.to_owned();
    for _ in 0..MAX_ROUNDS {
        let next = rules(&form)?;
        if next == form {
            return Ok(form);
        }
        form = next;
    }
    Err(NameError::Mixed)
}

/// The width mapping rule (RFC 8265, section 3.3.1): full-width and half-width forms become the
/// usual ones.
fn map_width(text: &str) -> String {
    let mut mapped = String::with_capacity(text.len());
    for c in text.chars() {
        match WIDTH.get(c) {
            EastAsianWidth::Fullwidth | EastAsianWidth::Halfwidth => {
                mapped.push_str(&NFKC.normalize(c.encode_utf8(&mut [0; 4])));
            }
            _ => mapped.push(c),
        }
    }
    mapped
}

/// The additional mapping rule of nicknames (RFC 8266, section 2.1): spaces of any kind become
/// ASCII's, single ones between words and none at the ends.
fn map_spaces(text: &str) -> String {
    let words = text.split(is_space).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Tells whether a character is a space of any kind (`Zs`).
pub(super) fn is_space(c: char) -> bool {
    general_category(c) == GeneralCategory::SpaceSeparator
}

/// The case mapping rule: capital letters become small ones, whatever stands beside them (a sigma
/// at the end of a word as any other).
///
/// Title-case letters before the first capital, 27 of ancient Greek, stay as they are: names in
/// existing stores are filed under forms that were made so.
fn lowercase(text: &str) -> Cow<'_, str> {
    let is_capital = |c: char| c.is_ascii_uppercase() || !c.is_ascii() && UPPERCASE.contains(c);
    let Some(first) = text.find(is_capital) else {
        return Cow::Borrowed(text);
    };
    let (small, rest) = text.split_at(first);
    let mut mapped = String::with_capacity(text.len());
    mapped.push_str(small);
    for c in rest.chars() {
        match c {
            // The one letter that becomes two of them (SpecialCasing.txt).
            '\u{130}' => mapped.push_str("i\u{307}"),
            c => mapped.push(CASE.simple_lowercase(c)),
        }
    }
    Cow::Owned(mapped)
}

/// The directionality rule (RFC 8265, section 3.3.1): a name with right-to-left letters must meet
/// the conditions of RFC 5893, section 2, for right-to-left labels. Those for left-to-right ones
/// never hold where there are such letters.
fn satisfies_bidi_rule(name: &str) -> bool {
    use BidiClass as B;
    let classes = || name.chars().map(|c| BIDI_CLASS.get(c));
    if !classes().any(|class| matches!(class, B::RightToLeft | B::ArabicLetter | B::ArabicNumber)) {
        return true;
    }
    let begins = matches!(classes().next(), Some(B::RightToLeft | B::ArabicLetter));
    let ends = matches!(
        classes().rev().find(|class| *class != B::NonspacingMark),
        Some(B::RightToLeft | B::ArabicLetter | B::EuropeanNumber | B::ArabicNumber)
    );
    let may_be_between = |class| {
        matches!(
            class,
            B::RightToLeft
                | B::ArabicLetter
                | B::ArabicNumber
                | B::EuropeanNumber
                | B::EuropeanSeparator
                | B::CommonSeparator
                | B::EuropeanTerminator
                | B::OtherNeutral
                | B::BoundaryNeutral
                | B::NonspacingMark
        )
    };
    let has = |wanted| classes().any(|class| class == wanted);
    begins
        && ends
        && classes().all(may_be_between)
        && !(has(B::EuropeanNumber) && has(B::ArabicNumber))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_char() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    #[test]
    fn usernames_of_rfc_8265() {
        let enforced = [
            ("juliet@example.com", "juliet@example.com"),
            ("fussball", "fussball"),
            ("fußball", "fußball"),
            ("π", "π"),
            ("Σ", "σ"),
            ("σ", "σ"),
            ("ς", "ς"),
            ("ＪＵＬＩＥＴ", "juliet"),
            ("ｶﾞ", "ガ"),
            ("E\u{301}", "é"),
        ];
        for (typed, expected) in enforced {
            assert_eq!(username(typed).as_deref(), Ok(expected), "{typed:?}");
        }
        assert_eq!(username("foo bar"), Err(NameError::Forbidden(' ')));
        assert_eq!(username("henry\u{2163}"), Err(NameError::Forbidden('\u{2163}')));
        assert_eq!(username("♚"), Err(NameError::Forbidden('♚')));
        assert_eq!(username(""), Err(NameError::Empty));
    }

    #[test]
    fn nicknames_of_rfc_8266() {
        let compared = |typed: &str| comparable_nickname(&nickname(typed)?);
        for (typed, expected) in [
            ("Foo", "foo"),
            ("foo", "foo"),
            ("Foo Bar", "foo bar"),
            ("foo bar", "foo bar"),
            ("Σ", "σ"),
            ("σ", "σ"),
            ("ς", "ς"),
            ("♚", "♚"),
            ("Richard \u{2163}", "richard iv"),
            ("  Swan  of\u{3000}Avon ", "swan of avon"),
            ("ΟΔΟΣ", "οδοσ"),
        ] {
            assert_eq!(compared(typed).as_deref(), Ok(expected), "{typed:?}");
            assert_eq!(fold_nickname(typed), expected, "{typed:?}");
        }
        assert_eq!(nickname("  "), Err(NameError::Empty));
        assert_eq!(nickname("a\u{7}"), Err(NameError::Forbidden('\u{7}')));
    }

    #[test]
    fn right_to_left_names_are_so_from_end_to_end() {
        for name in ["abc", "אבג", "שָׁלוֹם", "سلام", "سلام1", "א-ב", "سلام٣", "1a", "𞤢𞤣"]
        {
            assert!(username(name).is_ok(), "{name:?}");
        }
        for name in ["aא", "אa", "1א", "א-", "٣", "ا1٣", "\u{301}א"] {
            assert_eq!(username(name), Err(NameError::Mixed), "{name:?}");
        }
    }

    #[test]
    fn widths_are_those_of_the_forms_block() {
        let mapped = |c: char| map_width(c.encode_utf8(&mut [0; 4])) != String::from(c);
        for c in every_char().filter(|&c| mapped(c)) {
            assert!(matches!(c, '\u{3000}' | '\u{FF01}'..='\u{FFEE}'), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn every_capital_becomes_its_small_letter() {
        for c in every_char().filter(|&c| UPPERCASE.contains(c)) {
            let small: String = c.to_lowercase().collect();
            // What the standard library does not know yet stays as it is there.
            if small != String::from(c) {
                assert_eq!(lowercase(c.encode_utf8(&mut [0; 4])), small, "U+{:04X}", u32::from(c));
            }
        }
        assert_eq!(lowercase("ΟΔΟΣ İ"), "οδοσ i\u{307}");
    }

    #[test]
    fn title_case_is_mapped_as_in_the_keys_of_existing_stores() {
        assert_eq!(lowercase("ᾈ"), "ᾈ");
        assert_eq!(lowercase("Aᾈ"), "aᾀ");
    }
}
