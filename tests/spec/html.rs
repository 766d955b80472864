//! Trees of HTML, as browsers parse it.

use html5ever::driver::{ParseOpts, parse_fragment};
use html5ever::serialize::{SerializeOpts, serialize};
use html5ever::tendril::TendrilSink;
use html5ever::{QualName, local_name, ns};
use markup5ever_rcdom::{Handle, NodeData, RcDom, SerializableHandle};

/// The elements that hold other blocks or lines of text; white space between them is not shown.
const BLOCKS: [&str; 19] = [
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// A node of HTML: an element or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Element { name: String, attributes: Vec<(String, String)>, children: Vec<Node> },
    Text(String),
}

impl Node {
    pub(crate) fn element(name: &str, attributes: &[(&str, &str)], children: Vec<Self>) -> Self {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::Element { name: name.to_owned(), attributes: attributes.collect(), children }
    }

    /// The name of the element; empty for a text.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Element { name, .. } => name,
            Self::Text(_) => "",
        }
    }

    /// The value of an attribute; empty where there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let Self::Element { attributes, .. } = self else { return "" };
        let found = attributes.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn is_block(&self) -> bool {
        BLOCKS.contains(&self.name())
    }

    fn of(handle: &Handle) -> Option<Self> {
        match &handle.data {
            NodeData::Text { contents } => Some(Self::Text(contents.borrow().to_string())),
            NodeData::Element { name, attrs, .. } => {
                let attributes = attrs.borrow();
                let attributes = attributes.iter().map(|attribute| {
                    (attribute.name.local.to_string(), attribute.value.to_string())
                });
                Some(Self::Element {
                    name: name.local.to_string(),
                    attributes: attributes.collect(),
                    children: children(handle),
                })
            }
            _ => None,
        }
    }
}

/// Parses the contents of a `<div>`.
pub(crate) fn nodes(html: &str) -> Vec<Node> {
    children(&root(&fragment(html)))
}

/// Parses the contents of a `<div>` and writes them again, as `innerHTML` would.
pub(crate) fn parsed(html: &str) -> String {
    let mut written = Vec::new();
    let fragment = fragment(html);
    serialize(&mut written, &SerializableHandle::from(root(&fragment)), SerializeOpts::default())
        .expect("memory does not fail");
    String::from_utf8(written).expect("UTF-8")
}

/// Removes the white space at the start and end of blocks and between them.
pub(crate) fn trimmed(nodes: Vec<Node>) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::new();
    let mut nodes = nodes.into_iter().peekable();
    while let Some(node) = nodes.next() {
        match node {
            Node::Text(text) => {
                let after_block = kept.last().is_none_or(Node::is_block);
                let before_block = nodes.peek().is_none_or(Node::is_block);
                let text = if after_block { text.trim_ascii_start() } else { &text };
                let text = if before_block { text.trim_ascii_end() } else { text };
                if !text.is_empty() {
                    kept.push(Node::Text(text.to_owned()));
                }
            }
            Node::Element { name, attributes, children } if BLOCKS.contains(&&*name) => {
                let children = if name == "pre" { children } else { trimmed(children) };
                kept.push(Node::Element { name, attributes, children });
            }
            inline @ Node::Element { .. } => kept.push(inline),
        }
    }
    kept
}

/// Parses a fragment. The document must outlive what is taken of it: dropping it empties its nodes.
fn fragment(html: &str) -> RcDom {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    parse_fragment(RcDom::default(), ParseOpts::default(), context, Vec::new(), false).one(html)
}

/// The element that holds the nodes of a fragment.
fn root(fragment: &RcDom) -> Handle {
    fragment.document.children.borrow()[0].clone()
}

fn children(handle: &Handle) -> Vec<Node> {
    handle.children.borrow().iter().filter_map(Node::of).collect()
}
