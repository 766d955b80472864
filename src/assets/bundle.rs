//! One script of many modules: browsers ask once, and what depends on what is settled here.
//!
//! Each module becomes a function that gives what the module exports, after those that it imports.
//! Modules are written for this: an import is one line, `import { a, b as c } from "./other.js"`; an
//! export stands before a declaration, `export function f() {`; what is exported is not assigned
//! anew; none imports another that imports it in turn. Anything else is refused at the start.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

/// What stands between `export` and the name of what is exported.
const DECLARATIONS: [&str; 5] = ["async function ", "function ", "class ", "const ", "let "];

/// The script with this module and all that it imports.
///
/// # Errors
///
/// When a module is not there, is not written as it must be, or imports itself by way of others.
pub(super) fn bundle(
    entry: &str,
    source: &impl Fn(&str) -> io::Result<String>,
) -> io::Result<String> {
    let mut bundle = Bundle { source, script: String::new(), known: BTreeMap::new() };
    bundle.add(entry)?;
    Ok(bundle.script)
}

struct Bundle<'s, S> {
    source: &'s S,
    script: String,
    /// The name of what each module exports; `None` while those that it imports are added.
    known: BTreeMap<String, Option<String>>,
}

impl<S: Fn(&str) -> io::Result<String>> Bundle<'_, S> {
    /// Adds a module, after those that it imports, and gives the name of what it exports.
    fn add(&mut self, path: &str) -> io::Result<String> {
        match self.known.get(path) {
            Some(Some(name)) => return Ok(name.clone()),
            Some(None) => return Err(refused(path, "is imported by a module that it imports")),
            None => self.known.insert(path.to_owned(), None),
        };
        let source = (self.source)(path)?;
        let (mut body, mut exported) = (String::new(), Vec::new());
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("import ") {
                let (names, from) = import(rest).ok_or_else(|| refused(path, line))?;
                let name = self.add(&resolved(path, from).ok_or_else(|| refused(path, line))?)?;
                let _ = writeln!(body, "const {{{}}} = {name}", names.replace(" as ", ": "));
            } else if let Some(rest) = line.strip_prefix("export ") {
                exported.push(declared(rest).ok_or_else(|| refused(path, line))?.to_owned());
                body.extend([rest, "\n"]);
            } else {
                body.extend([line, "\n"]);
            }
        }
        let name = format!("${}", self.known.values().flatten().count());
        let exported = exported.join(", ");
        let _ =
            writeln!(self.script, "const {name} = (() => {{\n{body}return {{ {exported} }}\n}})()");
        self.known.insert(path.to_owned(), Some(name.clone()));
        Ok(name)
    }
}

fn refused(path: &str, why: &str) -> io::Error {
    io::Error::other(format!("the module `{path}` cannot be bundled: {why}"))
}

/// What `{ a, b as c } from "./other.js"` imports, and from where.
fn import(rest: &str) -> Option<(&str, &str)> {
    let (names, from) = rest.strip_prefix('{')?.split_once("} from \"")?;
    Some((names, from.strip_suffix('"')?))
}

/// The name in `function name(…`, `const name = …` and the like.
fn declared(rest: &str) -> Option<&str> {
    let declaration = DECLARATIONS.into_iter().find_map(|kind| rest.strip_prefix(kind))?;
    let end = declaration.find(|it: char| !it.is_alphanumeric() && it != '_' && it != '$')?;
    (end > 0).then_some(&declaration[..end])
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
                "import { a } from \"./lib/a.js\"\nimport { b as c } from \"./b.js\"\na(c)\n",
            ),
            ("js/b.js", "import { a } from \"./lib/a.js\"\nexport const b = a()\n"),
            ("js/lib/a.js", "export async function a() {}\nexport class A {}\n"),
        ]);
        let expected = "const $0 = (() => {\nasync function a() {}\nclass A {}\nreturn { a, A }\n})()\n\
             const $1 = (() => {\nconst { a } = $0\nconst b = a()\nreturn { b }\n})()\n\
             const $2 = (() => {\nconst { a } = $0\nconst { b: c } = $1\na(c)\nreturn {  }\n})()\n";
        assert_eq!(script.expect("a script"), expected);
    }

    #[test]
    fn what_cannot_be_bundled_is_refused() {
        for source in [
            "import { a } from \"./missing.js\"",
            "import { a } from \"../../outside.js\"",
            "import a from \"./app.js\"",
            "import { a } from \"./app.js\"",
            "import \"./app.js\"",
            "export { a }",
            "export default 1",
            "export const { a } = b",
        ] {
            let error = bundled(&[("js/app.js", source)]).expect_err(source);
            assert!(error.to_string().starts_with("the module `js/"), "{source}: {error}");
        }
    }
}
