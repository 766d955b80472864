//! The sources of pages, before anything is made of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Files by their paths within a directory, with `/` between names.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// The sources of pages: templates and static files.
#[derive(Clone, Default)]
pub struct Sources {
    /// The templates: `layout.html.tera`.
    pub templates: Tree,
    /// The static files: `css/houston.css`.
    pub files: Tree,
}

impl Sources {
    /// Reads `templates` and `static` in this directory.
    ///
    /// # Errors
    ///
    /// When a file or directory cannot be read.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let [templates, files] = ["templates", "static"].map(|name| {
            let root = directory.join(name);
            let mut found = Tree::new();
            read_tree(&root, &root, &mut found).map(|()| found)
        });
        Ok(Self { templates: templates?, files: files? })
    }
}

fn read_tree(root: &Path, at: &Path, found: &mut Tree) -> io::Result<()> {
    for entry in fs::read_dir(at)? {
        let path = entry?.path();
        if path.is_dir() {
            read_tree(root, &path, found)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            found.insert(name.replace('\\', "/"), fs::read(&path)?);
        }
    }
    Ok(())
}
