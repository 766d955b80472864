//! The list of emoji and their shortcodes, for completing them on the page.

use serde_json::{Value, json};

use crate::domain::text::shortcodes::{NamedEmoji, named_emoji};

/// The path of the list among the static files.
pub(crate) const PATH: &str = "emoji.json";

/// The list as JSON: `[["🎉", ["tada", "party_popper"]], …]`, in Unicode's order.
#[must_use]
pub(crate) fn list() -> Vec<u8> {
    let entry = |named: &NamedEmoji| json!([named.emoji, named.names]);
    let entries: Value = named_emoji().iter().map(entry).collect();
    entries.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_emoji_has_its_names_best_known_first() {
        let list: Vec<(String, Vec<String>)> = serde_json::from_slice(&list()).expect("a list");
        assert_eq!(list.len(), named_emoji().len());
        let tada = list.iter().find(|(emoji, _)| emoji == "🎉").expect("it is there");
        assert_eq!(tada.1, ["tada", "party_popper"]);
    }
}
