//! Tests of the examples of the CommonMark and GFM specifications (see `tests/text`): texts are
//! rendered as these say, but for the differences that are listed with their reasons.
//!
//! The examples are first rewritten by a few exact rules, the functions that [`REWRITES`] names, so
//! that what Houston does otherwise everywhere hides nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use houston::domain::ids::UserId;
use houston::domain::message::Text;
use houston::domain::text::{Directory, render};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::{ParseError, Url};

use crate::html::{Node, nodes, trimmed};

/// An example of a specification.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Example {
    /// The specification, as `commonmark-0.31.2`.
    source: String,
    /// Its number there.
    number: u32,
    /// The heading that it stands under.
    section: String,
    /// The text.
    markdown: String,
    /// The HTML that the specification makes of it.
    html: String,
}

/// A reason why texts are rendered otherwise, with the numbers of the examples, by specification.
#[derive(Debug, Deserialize)]
struct Difference {
    reason: String,
    examples: BTreeMap<String, Vec<u32>>,
}

/// A directory of nobody.
struct Nobody;

impl Directory for Nobody {
    fn user(&self, _compared: &str) -> Option<UserId> {
        None
    }

    fn has_channel(&self, _name: &str) -> bool {
        false
    }
}

type Rewrite = (&'static str, fn(&mut Example));
type TreeRewrite = (&'static str, fn(Vec<Node>) -> Vec<Node>);

/// The rules that rewrite an example, with their names.
const REWRITES: [Rewrite; 3] = [
    ("what is trimmed or shows nothing stands below a heading", put_below_heading),
    ("destinations are absolute", make_destinations_absolute),
    ("raw HTML is text", escape_raw_html),
];

/// The rules that rewrite the tree of the HTML that is expected, with their names.
const TREE_REWRITES: [TreeRewrite; 3] = [
    ("raw HTML is a paragraph", wrap_in_paragraphs),
    ("images are links", |nodes| link_images(nodes, false)),
    ("soft breaks are breaks", break_lines),
];

/// An example with what was made of it.
struct Outcome {
    example: Example,
    /// The names of the rules that changed it; empty where it agrees as it is.
    rewritten_by: Vec<&'static str>,
    expected: Vec<Node>,
    rendered: Vec<Node>,
}

impl Outcome {
    fn of(example: Example) -> Self {
        let as_it_is = Self::rewritten(example, &[], &[]);
        if as_it_is.agrees() {
            return as_it_is;
        }
        Self::rewritten(as_it_is.example, &REWRITES, &TREE_REWRITES)
    }

    fn rewritten(mut example: Example, rules: &[Rewrite], tree_rules: &[TreeRewrite]) -> Self {
        let mut rewritten_by = Vec::new();
        for (name, rewrite) in rules {
            let before = example.clone();
            rewrite(&mut example);
            if before != example {
                rewritten_by.push(*name);
            }
        }
        let mut expected = trimmed(nodes(&example.html));
        for (name, rewrite) in tree_rules {
            let before = expected.clone();
            expected = trimmed(rewrite(expected));
            if before != expected {
                rewritten_by.push(*name);
            }
        }
        let text: Text = example.markdown.parse().expect("a text");
        let rendered = trimmed(nodes(&render(&text, &Nobody).html));
        Self { example, rewritten_by, expected: compared(expected), rendered: compared(rendered) }
    }

    fn agrees(&self) -> bool {
        self.expected == self.rendered
    }
}

fn examples() -> Vec<Example> {
    serde_json::from_str(include_str!("../text/examples.json")).expect("a list of examples")
}

fn differences() -> Vec<Difference> {
    serde_json::from_str(include_str!("../text/differences.json")).expect("a list of differences")
}

#[test]
fn the_examples_of_the_specifications_hold() {
    let mut listed = BTreeSet::new();
    for difference in differences() {
        assert!(!difference.reason.is_empty());
        for (source, numbers) in difference.examples {
            for number in numbers {
                let is_new = listed.insert((source.clone(), number));
                assert!(is_new, "{source} {number} is listed once");
            }
        }
    }
    let mut surprises = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in examples().into_iter().map(Outcome::of) {
        let Example { source, number, section, markdown, .. } = &outcome.example;
        let is_listed = listed.remove(&(source.clone(), *number));
        if outcome.agrees() == is_listed {
            let is = if is_listed { "agrees, but is listed" } else { "differs" };
            surprises.push(format!(
                "{source} {number} ({section}) {is}:\n{markdown}\nexpected {:?}\nrendered {:?}\n",
                outcome.expected, outcome.rendered
            ));
        }
        let rules = outcome.rewritten_by.join(", ");
        let kind = match (is_listed, rules.is_empty()) {
            (true, _) => "listed".to_owned(),
            (false, true) => "as it is".to_owned(),
            (false, false) => format!("rewritten: {rules}"),
        };
        *counts.entry(kind).or_default() += 1;
    }
    eprintln!("{counts:#?}");
    assert!(listed.is_empty(), "there is no example {listed:?}");
    assert!(surprises.is_empty(), "{}\n{} in all", surprises.join("\n"), surprises.len());
}

/// Puts an example below a heading that begins with white space, which texts lose, or shows nothing,
/// where texts are shown as they were written.
fn put_below_heading(example: &mut Example) {
    let shows_nothing = !example.html.contains("<hr") && !example.html.contains("<img") && {
        let mut in_tag = false;
        example.html.chars().all(|c| {
            in_tag = c == '<' || in_tag && c != '>';
            in_tag || c == '>' || c.is_whitespace()
        })
    };
    if shows_nothing || example.markdown.starts_with(char::is_whitespace) {
        example.markdown.insert_str(0, "# Heading\n\n");
        example.html.insert_str(0, "<h1>Heading</h1>\n");
    }
}

/// Makes the relative destinations of links and images absolute, in the text and in what is
/// expected: they would lead nowhere.
fn make_destinations_absolute(example: &mut Example) {
    for attribute in ["href", "src"] {
        let start = format!("{attribute}=\"");
        let html = example.html.clone();
        let values = html.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
        for value in values.collect::<BTreeSet<_>>() {
            if Url::parse(value) != Err(ParseError::RelativeUrlWithoutBase) {
                continue;
            }
            let base =
                if value.starts_with('/') { "https://a.example" } else { "https://a.example/" };
            let from = format!("{start}{value}\"");
            let most = html.matches(&from).count();
            let rewritten = with_base(&example.markdown, value, base, most);
            if rewritten != example.markdown {
                example.markdown = rewritten;
                example.html = example.html.replace(&from, &format!("{start}{base}{value}\""));
            }
        }
    }
}

/// The text with `base` before this destination, at the first places where it stands, `most` at
/// most.
fn with_base(markdown: &str, destination: &str, base: &str, most: usize) -> String {
    let destination = decoded(destination);
    let opens = |(at, _): &(usize, &str)| markdown[..*at].ends_with(']');
    let starts = markdown.match_indices(['(', ':']).filter(opens).map(|(at, _)| {
        let rest = markdown[at + 1..].trim_start();
        let start = markdown.len() - rest.len();
        let in_brackets = rest.starts_with('<');
        (start + usize::from(in_brackets), in_brackets)
    });
    let is_there = |(start, in_brackets): &(usize, bool)| {
        let line = markdown[*start..].lines().next().unwrap_or_default();
        let ends_before = |c: char| if *in_brackets { c == '>' } else { " \t)".contains(c) };
        let ends = line.match_indices(ends_before).map(|(end, _)| end);
        let ends = ends.chain((!in_brackets).then_some(line.len()));
        ends.into_iter().any(|end| decoded(&line[..end]) == destination)
    };
    let mut rewritten = String::new();
    let mut rest = 0;
    for (start, _) in starts.filter(is_there).take(most) {
        rewritten.push_str(&markdown[rest..start]);
        rewritten.push_str(base);
        rest = start;
    }
    rewritten + &markdown[rest..]
}

/// A destination without escapes, entities and percent-encoding.
fn decoded(destination: &str) -> String {
    let mut unescaped = String::new();
    let mut chars = destination.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' || !chars.peek().is_some_and(char::is_ascii_punctuation) {
            unescaped.push(c);
        }
    }
    let text = match &nodes(&unescaped.replace('<', "&lt;"))[..] {
        [Node::Text(text)] => text.clone(),
        _ => String::new(),
    };
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// Escapes raw HTML in what is expected: it stands in the text as well.
fn escape_raw_html(example: &mut Example) {
    let mut escaped = String::new();
    let mut rest = &*example.html;
    while let Some(start) = rest.find('<') {
        escaped.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = markup_length(rest);
        let (markup, after) = rest.split_at(length);
        if example.markdown.contains(markup) {
            escaped.push_str(&markup.replace('&', "&amp;").replace('<', "&lt;"));
        } else {
            escaped.push_str(markup);
        }
        rest = after;
    }
    escaped.push_str(rest);
    example.html = escaped;
}

/// The length of the tag, comment or else at the start of `rest`; 1 where it has no end.
fn markup_length(rest: &str) -> usize {
    for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if rest.starts_with(start) {
            return rest.find(end).map_or(1, |at| at + end.len());
        }
    }
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return at + 1,
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    1
}

/// Puts text that stands among blocks into paragraphs, as blocks of raw HTML become.
fn wrap_in_paragraphs(nodes: Vec<Node>) -> Vec<Node> {
    let mut wrapped = Vec::new();
    let mut inline = Vec::new();
    for node in nodes {
        if !node.is_block() {
            inline.push(node);
            continue;
        }
        if !inline.is_empty() {
            wrapped.push(Node::element("p", &[], mem::take(&mut inline)));
        }
        wrapped.push(match node {
            Node::Element { name, attributes, children } if name == "blockquote" => {
                Node::Element { name, attributes, children: wrap_in_paragraphs(children) }
            }
            node => node,
        });
    }
    if !inline.is_empty() {
        wrapped.push(Node::element("p", &[], inline));
    }
    wrapped
}

/// Makes images links with their texts, or these texts where they stand in links.
fn link_images(nodes: Vec<Node>, in_link: bool) -> Vec<Node> {
    let mut linked: Vec<Node> = Vec::new();
    for node in nodes {
        let node = match node {
            Node::Text(_) => node,
            Node::Element { ref name, .. } if name == "img" => {
                let text = Node::Text(node.attribute("alt").to_owned());
                let link =
                    |text| Node::element("a", &[("href", node.attribute("src"))], vec![text]);
                if in_link { text } else { link(text) }
            }
            Node::Element { name, attributes, children } => {
                let children = link_images(children, in_link || name == "a");
                Node::Element { name, attributes, children }
            }
        };
        match (linked.last_mut(), node) {
            (Some(Node::Text(last)), Node::Text(text)) => last.push_str(&text),
            (_, node) => linked.push(node),
        }
    }
    linked
}

/// Puts a `<br>` before each line break that has none, outside code.
fn break_lines(nodes: Vec<Node>) -> Vec<Node> {
    let mut broken: Vec<Node> = Vec::new();
    for node in nodes {
        match node {
            Node::Element { name, attributes, children } if name != "pre" && name != "code" => {
                let children = break_lines(children);
                broken.push(Node::Element { name, attributes, children });
            }
            Node::Text(text) => {
                for (number, line) in text.split('\n').enumerate() {
                    let is_broken =
                        number == 1 && broken.last().is_some_and(|last| last.name() == "br");
                    if number > 0 && !is_broken {
                        broken.push(Node::element("br", &[], Vec::new()));
                    }
                    let line = if number > 0 { format!("\n{line}") } else { line.to_owned() };
                    if !line.is_empty() {
                        broken.push(Node::Text(line));
                    }
                }
            }
            code @ Node::Element { .. } => broken.push(code),
        }
    }
    broken
}

/// Leaves out titles, which texts do not keep, and attributes of Houston's own; decodes addresses.
/// Leaves out the line end of a block of code, which the end of a text has not.
fn compared(nodes: Vec<Node>) -> Vec<Node> {
    nodes.into_iter().map(compared_node).collect()
}

fn compared_node(node: Node) -> Node {
    let Node::Element { name, mut attributes, children } = node else { return node };
    attributes.retain(|(name, _)| !["title", "rel", "data-language"].contains(&&**name));
    for (name, value) in &mut attributes {
        if name == "href" {
            *value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        }
    }
    attributes.sort();
    let mut children = compared(children);
    if name == "pre"
        && let [Node::Element { children, .. }] = &mut children[..]
        && let [Node::Text(code)] = &mut children[..]
        && code.ends_with('\n')
    {
        code.pop();
    }
    Node::Element { name, attributes, children }
}
