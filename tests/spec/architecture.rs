//! Tests of the architecture: the parts of `src` that each part may use, and the size of files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts that each part may use besides itself. A part that is not listed may use nothing of
/// ours.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("wire", &["domain"]),
    ("engine", &["domain", "wire"]),
    ("backends", &["domain", "engine"]),
    ("api", &["domain", "engine", "wire"]),
    ("pages", &["api", "domain", "engine", "wire"]),
    ("faces", &["api", "domain", "engine", "wire"]),
    ("assets", &[]),
    ("commands", &["api", "assets", "backends", "config", "domain", "engine", "wire"]),
    ("metrics", &["api", "engine"]),
    ("config", &[]),
    ("sockets", &[]),
    ("logs", &["api", "config"]),
    (
        "lib",
        &[
            "api", "assets", "backends", "commands", "config", "domain", "engine", "faces",
            "metrics", "pages", "wire",
        ],
    ),
    ("main", &[]),
];

/// The crates that a part must not use.
const MUST_NOT_KNOW: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "rocket",
            "async_nats",
            "rusqlite",
            "tokio",
            "futures",
            "chrono::Local",
            "Utc::now",
            "utoipa",
        ],
    ),
    ("wire", &["rocket", "async_nats", "rusqlite", "tokio"]),
    ("engine", &["rocket", "async_nats", "rusqlite"]),
    ("api", &["async_nats", "rusqlite"]),
    ("pages", &["async_nats", "rusqlite"]),
    ("backends", &["rocket::"]),
];

/// The parts within which dependencies have no cycles, either.
const LAYERED: &[&str] = &["domain", "api"];

#[test]
fn dependencies_point_one_way() {
    for (part, path, source) in sources() {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == part).map_or(&[][..], |(_, it)| it);
        for used in uses(&source).filter(|used| *used != part) {
            let known = MAY_USE.iter().any(|(name, _)| *name == used);
            assert!(!known || allowed.contains(&used), "{} uses {used}", path.display());
        }
    }
}

#[test]
fn each_part_knows_only_its_own_crates() {
    for (part, path, source) in sources() {
        let forbidden = MUST_NOT_KNOW.iter().filter(|(name, _)| *name == part);
        for word in forbidden.flat_map(|(_, words)| *words) {
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                assert!(!line.contains(word), "{} knows {word}: {line}", path.display());
            }
        }
    }
}

#[test]
fn no_two_files_of_a_part_know_each_other_both_ways() {
    let mut known = BTreeSet::new();
    for (part, path, source) in
        sources().into_iter().filter(|(part, ..)| LAYERED.contains(&&**part))
    {
        let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let of_part = format!("crate::{part}::");
        // A file of the part's folder itself calls its neighbours so.
        let directly = path.parent().is_some_and(|folder| folder.ends_with(&part));
        let prefixes = [Some(&*of_part), Some("super::").filter(|_| directly)];
        for used in prefixes.into_iter().flatten().flat_map(|prefix| words_after(prefix, &source)) {
            known.insert((part.clone(), file.clone(), used.to_owned()));
        }
    }
    assert!(known.len() > 20, "the uses are found");
    for (part, one, other) in &known {
        let back = (part.clone(), other.clone(), one.clone());
        assert!(one == other || !known.contains(&back), "{part}: {one} and {other}");
    }
}

#[test]
fn files_stay_small() {
    for (_, path, source) in sources() {
        let lines = source.lines().count();
        assert!(lines <= 500, "{} has {lines} lines: could it be two?", path.display());
    }
}

/// Lists each `crate::part` that a source mentions.
fn uses(source: &str) -> impl Iterator<Item = &str> {
    words_after("crate::", source)
}

fn words_after<'s>(prefix: &str, source: &'s str) -> impl Iterator<Item = &'s str> {
    source.split(prefix).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// Lists every source file with the part that it belongs to: its folder, or its own name.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(&root).expect("below src").with_extension("");
                let part = below.iter().next().expect("a name").to_string_lossy().into_owned();
                let source = fs::read_to_string(&path).expect("a source");
                found.push((part, path, source));
            }
        }
    }
    assert!(found.len() > 20, "the sources are found");
    found
}
