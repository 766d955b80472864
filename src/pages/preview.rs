//! What partials show of previews: with its twin, `static/js/conversation/previews.js`.

use serde::{Deserialize, Serialize};

/// A preview in a message's JSON.
#[derive(Deserialize)]
pub(super) struct Preview {
    url: String,
    site: String,
    title: String,
    description: String,
    picture: Option<Picture>,
}

/// The picture of a preview in a message's JSON.
#[derive(Deserialize)]
struct Picture {
    url: String,
    width: u32,
    height: u32,
}

/// A preview as its partial shows it.
#[derive(Default, Serialize)]
pub(super) struct PreviewView {
    /// The id of the `<template>` that draws it: with a picture or without.
    template: &'static str,
    key: String,
    url: String,
    site: String,
    title: String,
    description: String,
    src: String,
    width: u32,
    height: u32,
}

/// The id of the `<template>` of previews with a picture.
const PICTURED: &str = "preview-picture";

impl PreviewView {
    /// The view of a preview.
    fn of(preview: &Preview) -> Self {
        let Preview { url, site, title, description, picture } = preview;
        let view = Self {
            template: "preview",
            key: url.clone(),
            url: url.clone(),
            site: site.clone(),
            title: title.clone(),
            description: description.clone(),
            ..Self::default()
        };
        let Some(Picture { url: src, width, height }) = picture else { return view };
        let (width, height) = (*width, *height);
        Self { template: PICTURED, key: src.clone(), src: src.clone(), width, height, ..view }
    }

    /// The view without values of a preview with a picture.
    pub(super) fn blank_with_picture() -> Self {
        Self { template: PICTURED, ..Self::default() }
    }
}

/// The part of a message's view that shows previews.
#[derive(Default, Serialize)]
pub(super) struct PreviewsView {
    previews: Vec<PreviewView>,
    has_previews: bool,
    /// What the button does that their author has.
    previews_action: &'static str,
    previews_words: String,
}

impl PreviewsView {
    /// The view of a message's previews, which its author may have hidden.
    pub(super) fn of(previews: &[Preview], is_hidden: bool, is_own: bool) -> Self {
        let verb = if is_hidden { "Show" } else { "Hide" };
        let plural = if previews.len() > 1 { "s" } else { "" };
        Self {
            previews: previews.iter().map(PreviewView::of).collect(),
            has_previews: !previews.is_empty() || is_hidden && is_own,
            previews_action: if is_hidden { "show-previews" } else { "hide-previews" },
            previews_words: format!("{verb} preview{plural}"),
        }
    }
}
