//! One script of many modules: browsers ask once, and what depends on what is settled here.
//!
//! All modules share one scope, each below those that it imports, so the script is what they say and
//! nothing about who gives what to whom. Every name at a module's top is therefore the only one of all
//! modules: an error in a browser that names a function names its module, too.
//!
//! Modules are written for this: an import is one line, `import { a, b } from "./other.js"`; a line at
//! the top declares one name, and an export stands before it, `export function f() {`; none imports
//! another that imports it in turn. Anything else is refused at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::without_needless_indentation;

/// What stands before the name that a line declares.
const DECLARATIONS: [&str; 5] = ["async function ", "function ", "class ", "const ", "let "];

/// The script with this module and all that it imports.
///
/// The source of a module comes without comments and types, and with its indentation: what has none
/// is at the module's top.
///
/// # Errors
///
/// When a module is not there, is not written as it must be, declares what another one declares, or
/// imports itself by way of others.
pub(super) fn bundle(
    entry: &str,
    source: &impl Fn(&str) -> io::Result<String>,
) -> io::Result<String> {
    let (exports, declared_in) = (BTreeMap::new(), BTreeMap::new());
    let mut bundle = Bundle { source, script: String::new(), exports, declared_in };
    bundle.add(entry)?;
    Ok(bundle.script)
}

struct Bundle<'s, S> {
    source: &'s S,
    script: String,
    /// The names that each module exports; `None` while those that it imports are added.
    exports: BTreeMap<String, Option<BTreeSet<String>>>,
    /// The module that declares each name.
    declared_in: BTreeMap<String, String>,
}

impl<S: Fn(&str) -> io::Result<String>> Bundle<'_, S> {
    /// Adds a module, after those that it imports.
    fn add(&mut self, path: &str) -> io::Result<()> {
        match self.exports.get(path) {
            Some(Some(_)) => return Ok(()),
            Some(None) => return Err(refused(path, "is imported by a module that it imports")),
            None => self.exports.insert(path.to_owned(), None),
        };
        let source = (self.source)(path)?;
        let (mut body, mut exports) = (String::new(), BTreeSet::new());
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("import ") {
                self.import(path, rest)?;
                continue;
            }
            let exported = line.strip_prefix("export ");
            let code = exported.unwrap_or(line);
            let declaration = DECLARATIONS.into_iter().find_map(|kind| code.strip_prefix(kind));
            if exported.is_some() || declaration.is_some() {
                let name = declaration.and_then(name).ok_or_else(|| refused(path, line))?;
                self.declare(path, name)?;
                exports.extend(exported.map(|_| name.to_owned()));
            }
            body.extend([code, "\n"]);
        }
        self.script.push_str(&without_needless_indentation(&body));
        self.exports.insert(path.to_owned(), Some(exports));
        Ok(())
    }

    /// Adds the module that a line of this one imports from, `{ a, b } from "./other.js"`.
    fn import(&mut self, path: &str, rest: &str) -> io::Result<()> {
        let import = rest.strip_prefix("{ ").and_then(|rest| rest.split_once(" } from \""));
        let import = import.and_then(|(names, from)| Some((names, from.strip_suffix('"')?)));
        let resolved = import.and_then(|(names, from)| Some((names, resolved(path, from)?)));
        let (names, from) = resolved.ok_or_else(|| refused(path, rest))?;
        self.add(&from)?;
        let exports = self.exports.get(&from).and_then(Option::as_ref);
        for name in names.split(", ") {
            if !exports.is_some_and(|exports| exports.contains(name)) {
                return Err(refused(path, &format!("`{from}` has no export `{name}`")));
            }
        }
        Ok(())
    }

    fn declare(&mut self, path: &str, name: &str) -> io::Result<()> {
        match self.declared_in.insert(name.to_owned(), path.to_owned()) {
            Some(other) => Err(refused(path, &format!("`{other}` declares `{name}`, too"))),
            None => Ok(()),
        }
    }
}

fn refused(path: &str, why: &str) -> io::Error {
    io::Error::other(format!("the module `{path}` cannot be bundled: {why}"))
}

/// The name that a declaration begins with; `None` where it is taken apart, as `{ a, b }` is.
fn name(declaration: &str) -> Option<&str> {
    let end = declaration.find(|it: char| !it.is_alphanumeric() && it != '_' && it != '$');
    let name = &declaration[..end.unwrap_or(declaration.len())];
    (!name.is_empty()).then_some(name)
}

/// The path that a module means by `./other.js` or `../folder/other.js`.
fn resolved(module: &str, relative: &str) -> Option<String> {
    let mut path: Vec<&str> = module.split('/').collect();
    path.pop();
    for segment in relative.split('/') {
        match segment {
            "." => {}
            ".." => _ = path.pop()?,
            name => path.push(name),
        }
    }
    Some(path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundled(modules: &[(&str, &str)]) -> io::Result<String> {
        bundle("js/app.js", &|path: &str| {
            let found = modules.iter().find(|(name, _)| *name == path);
            found.map(|(_, source)| (*source).to_owned()).ok_or_else(|| refused(path, "is missing"))
        })
    }

    #[test]
    fn a_module_comes_once_after_those_that_it_imports() {
        let script = bundled(&[
            (
                "js/app.js",
                "import { a } from \"./lib/a.js\"\nimport { b, c } from \"./b.js\"\nb(a, c)\n",
            ),
            (
                "js/b.js",
                "import { A } from \"./lib/a.js\"\nexport const b = () => {\n  const own = 1\n}\nexport let c\n",
            ),
            ("js/lib/a.js", "export async function a() {}\nexport class A {}\nconst own = ``\n"),
        ]);
        let expected = "async function a() {}\nclass A {}\nconst own = ``\n\
             const b = () => {\nconst own = 1\n}\nlet c\nb(a, c)\n";
        assert_eq!(script.expect("a script"), expected);
    }

    #[test]
    fn what_cannot_be_bundled_is_refused() {
        for source in [
            "import { a } from \"./missing.js\"",
            "import { a } from \"../../outside.js\"",
            "import a from \"./app.js\"",
            "import { a } from \"./app.js\"",
            "import { a as c } from \"./b.js\"",
            "import { own } from \"./b.js\"",
            "import {a} from \"./b.js\"",
            "import \"./b.js\"",
            "export { a }",
            "export default 1",
            "export const { a } = b",
            "const { a } = b",
            "let [a] = b",
        ] {
            let other = ("js/b.js", "export const a = 1\nconst own = 1\n");
            let error = bundled(&[("js/app.js", source), other]).expect_err(source);
            assert!(error.to_string().starts_with("the module `js/"), "{source}: {error}");
        }
    }

    #[test]
    fn two_modules_cannot_declare_one_name() {
        let b = ("js/b.js", "export const a = 1\nasync function own() {}\n");
        for declared in
            ["const a = 2", "let own", "function own() {}", "export class a {", "export let a"]
        {
            let source = format!("import {{ a }} from \"./b.js\"\n{declared}\n");
            let error = bundled(&[("js/app.js", &source), b]).expect_err(declared).to_string();
            assert!(
                error.contains("`js/app.js`") && error.contains("`js/b.js` declares `"),
                "{error}"
            );
        }
        let within = "import { a } from \"./b.js\"\nconst c = () => {\n  const own = 1\n}\n";
        assert!(bundled(&[("js/app.js", within), b]).is_ok(), "within, a name is one's own");
    }
}
