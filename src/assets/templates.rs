//! The templates of pages, from their [sources](super::Sources).

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::error::Error;

use rocket::fairing::Fairing;
use rocket::figment::Figment;
use rocket_dyn_templates::tera::{self, Value};
use rocket_dyn_templates::{Engines, Template};

use super::{Assets, Tree};

/// The end of the file names of templates. What is before it is the template's name: `layout.html`.
const SUFFIX: &str = ".tera";

/// A fairing with these templates, which know `asset(path="css/houston.css")`: the file's address.
///
/// A template's name ends in `.html`, which makes it HTML: its values are escaped, and it is served as
/// such.
#[must_use]
pub fn templates(sources: Tree, assets: &Assets) -> impl Fairing + use<> {
    let urls: BTreeMap<_, _> =
        assets.files.keys().filter_map(|path| Some((path.clone(), assets.url(path)?))).collect();
    Template::try_custom(move |engines| {
        let urls = urls.clone();
        let asset = move |arguments: &HashMap<String, Value>| {
            let path = arguments.get("path").and_then(Value::as_str).unwrap_or_default();
            let url = urls.get(path).cloned();
            url.map(Value::from).ok_or_else(|| tera::Error::msg(format!("no file `{path}`")))
        };
        engines.tera.register_function("asset", asset);
        add(engines, &sources)
    })
}

fn add(engines: &mut Engines, sources: &Tree) -> Result<(), Box<dyn Error>> {
    let mut templates = Vec::with_capacity(sources.len());
    for (path, source) in sources {
        if let Some(name) = path.strip_suffix(SUFFIX) {
            templates.push((name, str::from_utf8(source)?));
        }
    }
    engines.tera.add_raw_templates(templates).map_err(|error| {
        // Rocket logs no causes, and the first error only names the template.
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            said = format!("{said}: {error}");
            cause = error.source();
        }
        said.into()
    })
}

/// Settings in which Rocket looks for no templates: ours are in memory.
///
/// It insists on a path that exists, reads all templates below it and, in debug builds, watches it. So
/// it is given the program itself, a file, below which there is nothing.
#[must_use]
pub fn without_template_directory(settings: Figment) -> Figment {
    let program = env::current_exe().unwrap_or_else(|_| "/dev/null".into());
    settings.merge(("template_dir", program))
}
