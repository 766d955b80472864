//! File names: what is left of a name that a client sends.

use std::fmt;

use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic,
    GeneralCategory,
};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::names::general_category;

type Set = CodePointSetDataBorrowed<'static>;

const COMBINING_CLASS: CodePointMapDataBorrowed<'static, CanonicalCombiningClass> =
    CodePointMapData::<CanonicalCombiningClass>::new();
const DEFAULT_IGNORABLE: Set = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const EMOJI_MODIFIER: Set = CodePointSetData::new::<EmojiModifier>();
const PICTOGRAPHIC: Set = CodePointSetData::new::<ExtendedPictographic>();

/// A file's name: 1 to [`FileName::MAX_BYTES`] bytes of UTF-8 without directories and without
/// anything that hides or disguises a part of it.
///
/// It is made from any name that a client sends: only the part after the last `/` or `\` counts,
/// controls and bidirectional controls go, joiners and variation selectors stay where they shape
/// letters and emoji (`می‌خواهم.pdf`, `👩‍🚀.png`), and a name that is too long is shortened before its
/// extension. People see it; on the disk a file is named by its id. A name that is read back from a
/// record is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// The longest name, in bytes: the limit of most file systems.
    pub const MAX_BYTES: usize = 255;
    /// The longest extension that a shortened name keeps, in bytes.
    const MAX_EXTENSION_BYTES: usize = 16;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for FileName {
    fn from(given: String) -> Self {
        Self::from(given.as_str())
    }
}

impl From<&str> for FileName {
    fn from(given: &str) -> Self {
        let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible = cleaned(last);
        // Trimmed and cleaned a second time: shortening may leave a dot, a space or a joiner at the
        // end.
        let short = cleaned(trimmed(&shortened(trimmed(&visible))));
        Self(if short.is_empty() { "file".into() } else { short })
    }
}

fn trimmed(name: &str) -> &str {
    name.trim_start().trim_end_matches(['.', ' '])
}

/// The name without the characters that show nothing, but for those that shape their neighbours.
fn cleaned(given: &str) -> String {
    let mut name = String::with_capacity(given.len());
    let mut joiner = None;
    let mut chars = given.chars().peekable();
    while let Some(c) = chars.next() {
        let previous = name.chars().next_back();
        if is_joiner(c) {
            if previous.is_some_and(is_virama) {
                name.push(c);
            } else if previous.is_some_and(can_be_joined) {
                joiner.get_or_insert(c);
            }
        } else if is_variation_selector(c) {
            if joiner.is_none() && previous.is_some_and(|base| has_variant(base, c)) {
                name.push(c);
            }
        } else if is_tag(c) {
            let mut tags = String::from(c);
            while let Some(tag) = chars.next_if(|c| is_tag(*c)) {
                tags.push(tag);
            }
            if joiner.is_none() && previous == Some(BLACK_FLAG) && is_region(&tags) {
                name.push_str(&tags);
            }
        } else if !is_hidden(c) {
            name.extend(joiner.take().filter(|_| can_be_joined(c)));
            name.push(c);
        }
    }
    name
}

/// Tells whether a character shows nothing by itself (bidirectional controls among them), or breaks
/// lines.
fn is_hidden(c: char) -> bool {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator};
    let annotation = matches!(c, '\u{FFF9}'..='\u{FFFB}');
    annotation
        || DEFAULT_IGNORABLE.contains(c)
        || matches!(general_category(c), Control | LineSeparator | ParagraphSeparator)
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Tells whether a character is the sign that joins Indic letters. A joiner after it chooses the
/// letter's form, also at the end of a word.
fn is_virama(c: char) -> bool {
    COMBINING_CLASS.get(c) == CanonicalCombiningClass::Virama
}

/// Tells whether a joiner beside this character can change how it looks: letters with their marks,
/// digits, and emoji.
fn can_be_joined(c: char) -> bool {
    use GeneralCategory as G;
    let letter = matches!(
        general_category(c),
        G::LowercaseLetter
            | G::UppercaseLetter
            | G::TitlecaseLetter
            | G::OtherLetter
            | G::ModifierLetter
            | G::NonspacingMark
            | G::SpacingMark
            | G::EnclosingMark
            | G::DecimalNumber
    );
    letter || PICTOGRAPHIC.contains(c) || EMOJI_MODIFIER.contains(c)
}

fn is_variation_selector(c: char) -> bool {
    is_mongolian_selector(c) || matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn is_mongolian_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}')
}

/// Tells whether a variation selector can choose a form of this character: emoji, ideographs and
/// symbols, and of ASCII those that keycaps begin with.
fn has_variant(base: char, selector: char) -> bool {
    if is_mongolian_selector(selector) {
        return matches!(base, '\u{1820}'..='\u{18AA}');
    }
    match base {
        '0'..='9' | '#' | '*' => true,
        base => !(base.is_ascii() || base.is_whitespace() || is_hidden(base)),
    }
}

/// The emoji that the flags of regions begin with.
const BLACK_FLAG: char = '\u{1F3F4}';
/// The tag that ends a sequence of them.
const CANCEL_TAG: char = '\u{E007F}';

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..=CANCEL_TAG)
}

/// Tells whether tags spell a region (UTS #51, ED-14a), as `gbsct` for Scotland. Longer ones would be
/// a text that nobody sees.
fn is_region(tags: &str) -> bool {
    let Some(spelled) = tags.strip_suffix(CANCEL_TAG) else { return false };
    let letter = |c| matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}');
    (3..=6).contains(&spelled.chars().count()) && spelled.chars().all(letter)
}

/// Shortens a name that is too long before its extension, between two characters as people see them.
fn shortened(name: &str) -> String {
    if name.len() <= FileName::MAX_BYTES {
        return name.to_owned();
    }
    let dot = name.rfind('.').filter(|dot| name.len() - dot <= FileName::MAX_EXTENSION_BYTES);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let room = FileName::MAX_BYTES - extension.len();
    let ends = stem.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len());
    let end = ends.take_while(|end| *end <= room).last();
    let end = end.unwrap_or_else(|| stem.floor_char_boundary(room));
    format!("{}{extension}", &stem[..end])
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, name: &str) {
        assert_eq!(FileName::from(given).as_str(), name, "{given:?}");
    }

    #[test]
    fn a_name_has_no_directories() {
        check("cat.png", "cat.png");
        check("../../etc/passwd", "passwd");
        check("C:\\Users\\ada\\cat.png", "cat.png");
        check("..", "file");
        check("a/", "file");
        check("", "file");
        check(".gitignore", ".gitignore");
    }

    #[test]
    fn a_name_has_nothing_that_cannot_be_seen() {
        check("a\0b\r\n\t.txt", "ab.txt");
        check("cat\u{202E}gnp.exe", "catgnp.exe");
        check(" spaced out .txt. ", "spaced out .txt");
        check("报告 2026.pdf", "报告 2026.pdf");
    }

    #[test]
    fn a_joiner_stays_between_letters_and_emoji_alone() {
        for kept in [
            "می\u{200C}خواهم.pdf",
            "کتاب\u{200C}ها.epub",
            "۱۰\u{200C}گانه.txt",
            "بِ\u{200D}ه.txt",
            "क\u{94D}\u{200D}ष.odt",
            "ක\u{DCA}\u{200D}ෂ.txt",
            "Auf\u{200C}lage.doc",
            // The letter n of old Malayalam, at the end of a word.
            "അവന\u{D4D}\u{200D}.pdf",
            "👩\u{200D}🚀.png",
            "👩🏽\u{200D}🚀.png",
            "🏳\u{FE0F}\u{200D}🌈.svg",
            "👨\u{200D}👩\u{200D}👧\u{200D}👦 2026.jpg",
            "❤\u{FE0F}\u{200D}🔥.gif",
        ] {
            check(kept, kept);
        }
        check("\u{200C}می.pdf", "می.pdf");
        check("می\u{200C}.pdf", "می.pdf");
        check("می.\u{200C}pdf\u{200C}", "می.pdf");
        check("می \u{200C}خواهم.pdf", "می خواهم.pdf");
        check("می\u{200C} خواهم.pdf", "می خواهم.pdf");
        check("می\u{200C}\u{200C}\u{200D}خواهم.pdf", "می\u{200C}خواهم.pdf");
        check("می\u{200C}\u{202E}خواهم.pdf", "می\u{200C}خواهم.pdf");
        check("\u{200D}👩\u{200D}.png", "👩.png");
        check("a\u{200D}-\u{200D}b_\u{200C}c.txt", "a-b_c.txt");
        check("«\u{200C}a\u{200D}».txt", "«a».txt");
        check("\u{200D}\u{200C}", "file");
    }

    #[test]
    fn a_variation_selector_stays_where_there_is_a_variant() {
        for kept in [
            "❤\u{FE0F}.png",
            "☎\u{FE0E}.txt",
            "1\u{FE0F}\u{20E3} plan.md",
            "#\u{FE0F}\u{20E3}.md",
            "葛\u{E0100}飾区.csv",
            "ᠰ\u{180B}ᠠᠢᠨ.txt",
            "©\u{FE0F} 2026.txt",
        ] {
            check(kept, kept);
        }
        check("a\u{FE0F}b \u{FE0F}.\u{FE0E}t\u{E0100}xt", "ab .txt");
        check("❤\u{FE0F}\u{FE0F}\u{FE0E}.png", "❤\u{FE0F}.png");
        check("\u{FE0F}x\u{180B}.txt", "x.txt");
        check("👩\u{200D}\u{FE0F}🚀.png", "👩\u{200D}🚀.png");
    }

    #[test]
    fn tags_stay_in_flags_alone() {
        let tags = |text: &str| -> String {
            let tag = |c| char::from_u32(u32::from(c) + 0xE0000).expect("a tag");
            text.chars().map(tag).chain([CANCEL_TAG]).collect()
        };
        for region in ["gbeng", "gbsct", "gbwls", "usca", "es51"] {
            let flag = format!("🏴{}.svg", tags(region));
            check(&flag, &flag);
        }
        check(&format!("👍{}.svg", tags("gbeng")), "👍.svg");
        check(&format!("a{}.txt", tags("usca")), "a.txt");
        check(&format!("🏴{}.svg", tags("a text that nobody sees")), "🏴.svg");
        check(&format!("🏴{}.svg", tags("gbeng").trim_end_matches(CANCEL_TAG)), "🏴.svg");
        check(&format!("🏴{}{}.svg", tags("gbeng"), tags("gbeng")), "🏴.svg");
        check("\u{E0001}a\u{E0041}.txt", "a.txt");
    }

    #[test]
    fn no_control_disguises_an_extension() {
        check("photo\u{202E}gpj.exe", "photogpj.exe");
        check("photo\u{202D}gpj\u{202C}.exe", "photogpj.exe");
        check("\u{2067}photo\u{2069}\u{2068}.exe\u{2066}", "photo.exe");
        check("\u{200F}דוח\u{200E}.pdf\u{61C}", "דוח.pdf");
        check("a.pdf\u{2028}.exe\u{2029}\u{85}", "a.pdf.exe");
        check("a.pdf\u{3164}\u{115F}\u{FFA0}.exe", "a.pdf.exe");
        check("a\u{FEFF}\u{2060}\u{AD}\u{34F}\u{180E}b.txt", "ab.txt");
        check("a\u{FFF9}b\u{FFFA}c\u{FFFB}.txt", "abc.txt");
        // Signs that show something, though Unicode calls them formats.
        check("سنة \u{601}٢٠٢٦.pdf", "سنة \u{601}٢٠٢٦.pdf");
        check("Übersicht ½ „neu“ ™.pdf", "Übersicht ½ „neu“ ™.pdf");
        check("U\u{308}bersicht.pdf", "U\u{308}bersicht.pdf");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = FileName::from(format!("{}.png", "é".repeat(300)).as_str());
        assert_eq!(name.as_str(), format!("{}.png", "é".repeat(125)));
        let name = FileName::from("x".repeat(300).as_str());
        assert_eq!(name.as_str().len(), FileName::MAX_BYTES);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let cut = |one: &str, extension: &str| {
            let name = FileName::from(format!("{}{extension}", one.repeat(300)));
            name.as_str().to_owned()
        };
        let astronaut = "👩🏽\u{200D}🚀"; // 15 bytes
        assert_eq!(cut(astronaut, ".png"), format!("{}.png", astronaut.repeat(16)));
        let flag = "🇩🇪"; // 8 bytes
        assert_eq!(cut(flag, ".gif"), format!("{}.gif", flag.repeat(31)));
        let decomposed = "u\u{308}"; // 3 bytes
        assert_eq!(cut(decomposed, ".pdf"), format!("{}.pdf", decomposed.repeat(83)));
        let joined = "ی\u{200C}"; // 5 bytes, of which the last three must not be the last
        assert_eq!(cut(joined, ".pdf"), format!("{}ی.pdf", joined.repeat(49)));
        let piled = format!("a{}", "\u{301}".repeat(300)); // one character to those who read
        assert_eq!(cut(&piled, ".txt").len(), 255);
    }

    #[test]
    fn a_name_made_of_a_name_is_the_same() {
        let dotted = format!("{}. {}", "x".repeat(253), "y".repeat(40));
        for given in
            [dotted.as_str(), &format!("{}y", ".".repeat(300)), "..x. .", "\u{3000}a\u{3000}"]
        {
            let name = FileName::from(given);
            assert_eq!(FileName::from(name.as_str()), name, "{given:?}");
        }
    }
    #[test]
    fn a_name_made_of_a_name_is_the_same_whatever_is_in_it() {
        let signs = "a. /\u{200C}\u{200D}\u{FE0F}ی👩🏴\u{E0061}\u{E007F}\u{202E}\u{94D}1";
        let signs: Vec<_> = signs.chars().collect();
        let all = || signs.iter();
        let threes = all().flat_map(|a| all().flat_map(move |b| all().map(move |c| [a, b, c])));
        for given in threes {
            let given: String = given.into_iter().collect();
            for given in [given.clone(), format!("{}{given}.png", "x".repeat(243))] {
                let name = FileName::from(given.as_str());
                assert_eq!(FileName::from(name.as_str()), name, "{given:?}");
            }
        }
    }
}
