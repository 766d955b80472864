//! Whom a text calls, by the rules as the API tells them: slow, and without a Markdown parser. It
//! knows the texts of the grammar alone, in which back-ticks and quotations are well-formed.

use houston::domain::names::DisplayName;
use unicode_segmentation::UnicodeSegmentation;

/// The users who are called, by number, each once. `links` are the texts of links to other sites.
pub(super) fn called(text: &str, users: &[DisplayName], links: &[String]) -> Vec<String> {
    let mut called: Vec<String> = Vec::new();
    let (mut is_code, mut is_quoted) = (false, false);
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        is_quoted = line.starts_with('>') || (is_quoted && !line.is_empty());
        if is_code || is_quoted {
            continue;
        }
        let line = without_code_and_links(line, links);
        let mut after_mention = usize::MAX;
        for (at, sign) in line.match_indices(['@', '＠']) {
            let before = line[..at].graphemes(true).next_back().unwrap_or_default();
            let is_free = at == after_mention || !is_in_word(before);
            if !is_free || (at < after_mention && after_mention != usize::MAX) {
                continue;
            }
            let rest = &line[at + sign.len()..];
            let ends: Vec<_> = rest.grapheme_indices(true).map(|(at, it)| at + it.len()).collect();
            let longest = ends.into_iter().rev().find_map(|end| {
                let (name, after) = rest.split_at(end);
                let last = name.graphemes(true).next_back().unwrap_or_default();
                let next = after.graphemes(true).next().unwrap_or_default();
                let is_whole = !(is_in_word(last) && is_in_word(next));
                let name = Some(name).filter(|it| is_whole && it.trim() == *it)?;
                let name: DisplayName = name.parse().ok()?;
                let number = users.iter().position(|user| user.same_as(&name));
                let is_here = name.compared() == "here";
                (is_here || number.is_some()).then_some((end, number))
            });
            let Some((end, number)) = longest else { continue };
            after_mention = at + sign.len() + end;
            let number = number.map(|number| number.to_string());
            called.extend(number.filter(|number| !called.contains(number)));
        }
    }
    called
}

fn without_code_and_links(line: &str, links: &[String]) -> String {
    let outside_code: Vec<_> = line.split('`').step_by(2).collect();
    let mut line = outside_code.join(" ");
    let mut links: Vec<_> = links.iter().collect();
    links.sort_by_key(|link| std::cmp::Reverse(link.len()));
    for link in links {
        line = line.replace(&format!("[{link}](https://label.example/)"), " ");
        if link.contains("://") {
            line = line.replace(link, " ");
        }
    }
    line
}

/// Tells whether a grapheme is a letter or digit of a script that is written with spaces.
fn is_in_word(grapheme: &str) -> bool {
    let is_spaceless = |c| {
        matches!(c,
            '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
            | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}'
            | '\u{FF66}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}')
    };
    let first = grapheme.chars().next();
    let is_emoji = grapheme.contains(['\u{FE0F}', '\u{20E3}']);
    first.is_some_and(|c| c.is_alphanumeric() && !is_spaceless(c)) && !is_emoji
}
