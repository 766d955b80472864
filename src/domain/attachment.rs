//! Attachments: the files of messages, without their bytes.

use std::fmt;

use icu_properties::props::GeneralCategory;
use serde::{Deserialize, Serialize};

use crate::domain::ids::AttachmentId;
use crate::domain::media_type::{Dimensions, MediaType};
use crate::domain::names::general_category;

/// A file of a message: everything that the log keeps of it, which is all but its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The id under which the bytes are stored.
    pub id: AttachmentId,
    /// The name that its sender gave it, cleaned.
    pub name: FileName,
    /// The media type, worked out from the bytes.
    pub media_type: MediaType,
    /// The size, in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The width and height of an image; `None` for anything else.
    #[serde(flatten)]
    pub dimensions: Option<Dimensions>,
}

impl Attachment {
    /// Tells whether both have the same bytes and the same name.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 && self.name == other.name
    }
}

/// A file's name: 1 to [`FileName::MAX_BYTES`] bytes of UTF-8 without directories and without
/// invisible characters.
///
/// It is made from any name that a client sends: only the part after the last `/` or `\` counts,
/// and a name that is too long is shortened before its extension. People see it; on the disk a file
/// is named by its id. A name that is read back from a record is taken as it is.
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
        let visible: String = last.chars().filter(|c| is_visible(*c)).collect();
        // Trimmed a second time: shortening may leave a dot or a space at the end.
        let short = shortened(trimmed(&visible));
        match trimmed(&short) {
            "" => Self("file".into()),
            name => Self(name.into()),
        }
    }
}

fn trimmed(name: &str) -> &str {
    name.trim_start().trim_end_matches(['.', ' '])
}

fn is_visible(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    !matches!(general_category(c), Control | Format | LineSeparator | ParagraphSeparator)
}

fn shortened(name: &str) -> String {
    if name.len() <= FileName::MAX_BYTES {
        return name.to_owned();
    }
    let dot = name.rfind('.').filter(|dot| name.len() - dot <= FileName::MAX_EXTENSION_BYTES);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let end = stem.floor_char_boundary(FileName::MAX_BYTES - extension.len());
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
    fn a_long_name_keeps_its_extension() {
        let name = FileName::from(format!("{}.png", "é".repeat(300)).as_str());
        assert_eq!(name.as_str(), format!("{}.png", "é".repeat(125)));
        let name = FileName::from("x".repeat(300).as_str());
        assert_eq!(name.as_str().len(), FileName::MAX_BYTES);
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
}
