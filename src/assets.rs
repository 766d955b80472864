//! Static files, served under addresses that change with their content, so that browsers keep them
//! for good: `/static/<version>/css/houston.css`.
//!
//! They are read once, at the start. The version is a hash of all of them, so stylesheets can refer
//! to other files by relative addresses as they are written. On the way:
//!
//! - a stylesheet's `@import url("./other.css");`, each on a line of its own at its top, is replaced by
//!   that sheet, so that browsers ask once;
//! - a picture that a stylesheet refers to, `url("../img/other.svg")`, is written into it;
//! - an entry, a script right below `js/`, becomes one with the modules that it imports;
//! - comments that have lines of their own, types (`JSDoc`) and indentation are left out: they are
//!   for whoever reads the source;
//! - what is text is compressed, when it is first asked for in that encoding, as pages are.

mod bundle;
mod encoding;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rocket::http::{ContentType, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use rocket_dyn_templates::tera::{self, Value};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use self::bundle::bundle;
pub use self::encoding::compress_pages;
use self::encoding::{AcceptedEncoding, Encoding, encode_in_background};

/// The path below which static files are mounted.
pub const BASE: &str = "/static";

/// All static files, by their paths within the directory.
pub struct Assets {
    version: String,
    files: BTreeMap<String, Asset>,
}

struct Asset {
    kind: ContentType,
    bytes: Bytes,
    gzip: OnceCell<Bytes>,
    brotli: OnceCell<Bytes>,
}

impl Assets {
    /// Reads the files in this directory and all below, and takes these others, which are made
    /// elsewhere, by their paths.
    ///
    /// # Errors
    ///
    /// When one cannot be read, or imports what is not there.
    pub fn read<'p>(
        directory: &Path,
        generated: impl IntoIterator<Item = (&'p str, Vec<u8>)>,
    ) -> io::Result<Self> {
        let mut sources = BTreeMap::new();
        read_tree(directory, directory, &mut sources)?;
        sources.extend(generated.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)));
        let mut digest = Sha256::new();
        for (path, bytes) in &sources {
            digest.update(path.len().to_be_bytes());
            digest.update(path);
            digest.update(bytes.len().to_be_bytes());
            digest.update(bytes);
        }
        let version = HEXLOWER.encode(&digest.finalize()[..6]);
        let mut files = BTreeMap::new();
        for path in sources.keys() {
            files.insert(path.clone(), Asset::of(path, &sources)?);
        }
        Ok(Self { version, files })
    }

    /// The versioned address of a file; `None` if there is no file of this path.
    #[must_use]
    pub fn url(&self, path: &str) -> Option<String> {
        self.files.contains_key(path).then(|| format!("{BASE}/{}/{path}", self.version))
    }
}

fn read_tree(root: &Path, at: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
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

impl Asset {
    fn of(path: &str, sources: &BTreeMap<String, Vec<u8>>) -> io::Result<Self> {
        let extension = path.rsplit('.').next().unwrap_or_default();
        let kind = match extension {
            "webmanifest" => ContentType::new("application", "manifest+json"),
            _ => ContentType::from_extension(extension).unwrap_or(ContentType::Binary),
        };
        let bytes = match extension {
            "css" => {
                let sheet = with_pictures(path, &with_imports(path, sources)?, sources)?;
                without_indentation(&without_comments(&sheet, "/*", "*/")).into()
            }
            "js" if path.matches('/').count() == 1 => {
                bundle(path, &|module: &str| Ok(bare_script(&text(module, sources)?)))?.into()
            }
            "js" => script(&text(path, sources)?).into(),
            _ => sources[path].clone().into(),
        };
        Ok(Self { kind, bytes, gzip: OnceCell::new(), brotli: OnceCell::new() })
    }

    /// The file in this encoding, compressed once however many ask.
    async fn encoded(&self, encoding: Encoding) -> Bytes {
        let encoded = match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        };
        encoded
            .get_or_init(|| encode_in_background(self.bytes.clone(), encoding, true))
            .await
            .clone()
    }

    /// Tells whether compression gains anything: of pictures only SVG is not compressed already.
    fn is_compressible(&self) -> bool {
        self.kind.top() == "text"
            || self.kind.is_javascript()
            || self.kind.is_svg()
            || self.kind.sub().as_str().ends_with("json")
    }
}

fn text(path: &str, sources: &BTreeMap<String, Vec<u8>>) -> io::Result<String> {
    let bytes = sources.get(path).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("`{path}` is imported and not there"))
    })?;
    String::from_utf8(bytes.clone()).map_err(io::Error::other)
}

/// Replaces each `@import` of a stylesheet by the imported sheet.
fn with_imports(path: &str, sources: &BTreeMap<String, Vec<u8>>) -> io::Result<String> {
    let (sheet, mut whole) = (text(path, sources)?, String::new());
    for line in sheet.lines() {
        let imported = line.strip_prefix("@import url(\"./").and_then(|it| it.strip_suffix("\");"));
        if let Some(name) = imported {
            let beside = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            whole.push_str(&with_imports(&format!("{beside}/{name}"), sources)?);
        } else {
            whole.push_str(line);
            whole.push('\n');
        }
    }
    Ok(whole)
}

/// What cannot stand in an address between quotation marks.
const NOT_IN_QUOTES: &AsciiSet = &CONTROLS.add(b'"').add(b'#').add(b'%').add(b'<').add(b'>');

/// Writes each picture that a stylesheet refers to, an SVG beside it or above, into the sheet.
fn with_pictures(
    path: &str,
    sheet: &str,
    sources: &BTreeMap<String, Vec<u8>>,
) -> io::Result<String> {
    let mut whole = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, from)) = rest.split_once("url(\"../") {
        let Some((picture, after)) = from.split_once("\")") else { break };
        let above = path.rsplit('/').nth(2).map_or_else(String::new, |folder| format!("{folder}/"));
        let source = text(&format!("{above}{picture}"), sources)?;
        let encoded = utf8_percent_encode(source.trim(), NOT_IN_QUOTES);
        let _ = write!(whole, "{before}url(\"data:image/svg+xml,{encoded}\")");
        rest = after;
    }
    Ok(whole + rest)
}

/// Removes comments that begin and end on lines of their own: `// …`, and what is between `open`
/// and `close`.
fn without_comments(source: &str, open: &str, close: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut within = false;
    for line in source.lines() {
        let code = line.trim_start();
        if within {
            within = !code.trim_end().ends_with(close);
        } else if code.starts_with(open)
            && (code.trim_end().ends_with(close) || !code.contains(close))
        {
            within = !code.contains(close);
        } else if !code.is_empty() && !code.starts_with("// ") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Removes the space at the beginning of lines, in a source where it means nothing.
fn without_indentation(source: &str) -> String {
    source.lines().flat_map(|line| [line.trim_start(), "\n"]).collect()
}

/// Removes comments, types and indentation from a script.
fn script(source: &str) -> String {
    without_needless_indentation(&bare_script(source))
}

/// Removes comments and types from a script.
fn bare_script(source: &str) -> String {
    without_types(&without_comments(source, "/**", "*/"))
}

/// Removes the indentation of a script, but for lines within a text that goes on over lines, of which
/// it is a part. A back-tick that stands alone, in a regular expression, would tell the two apart
/// wrongly: it is written `\x60`, or the whole script keeps its indentation.
fn without_needless_indentation(script: &str) -> String {
    if script.matches('`').count() % 2 == 1 {
        return script.to_owned();
    }
    let mut within_text = false;
    let mut kept = String::with_capacity(script.len());
    for line in script.lines() {
        kept.extend([if within_text { line } else { line.trim_start() }, "\n"]);
        within_text ^= line.matches('`').count() % 2 == 1;
    }
    kept
}

/// Removes the types within a script's lines: `/** @type {Known} */ (it)`.
fn without_types(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut rest = script;
    while let Some((before, from)) = rest.split_once("/** @") {
        let Some((_, after)) = from.split_once("*/") else { break };
        kept.push_str(before);
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    kept + rest
}

/// The route to all static files.
#[must_use]
pub fn routes() -> Vec<Route> {
    routes![file]
}

/// The answer with a static file, compressed or not.
struct AssetResponse {
    kind: ContentType,
    bytes: Bytes,
    encoding: Option<Encoding>,
    cache: &'static str,
}

/// Serves a static file. The address of another version leads to the present file, which browsers
/// do not keep then: a page that was open while the server was replaced may still ask.
#[get("/<version>/<path..>")]
async fn file(
    version: &str,
    path: PathBuf,
    encoding: AcceptedEncoding,
    assets: &State<Assets>,
) -> Result<AssetResponse, Status> {
    let asset = path.to_str().and_then(|path| assets.files.get(path)).ok_or(Status::NotFound)?;
    let encoding = encoding.0.filter(|_| asset.is_compressible());
    let bytes = match encoding {
        Some(encoding) => asset.encoded(encoding).await,
        None => asset.bytes.clone(),
    };
    let present = version == assets.version;
    let cache = if present { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(AssetResponse { kind: asset.kind.clone(), bytes, encoding, cache })
}

impl<'r> Responder<'r, 'static> for AssetResponse {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response
            .header(self.kind)
            .raw_header("Cache-Control", self.cache)
            .raw_header("Vary", "Accept-Encoding")
            .sized_body(self.bytes.len(), Cursor::new(self.bytes));
        if let Some(encoding) = self.encoding {
            response.raw_header("Content-Encoding", encoding.name());
        }
        response.ok()
    }
}

/// A fairing with the templates, which know `asset(path="css/houston.css")`: the file's address.
#[must_use]
pub fn templates(assets: &Assets) -> impl rocket::fairing::Fairing + use<> {
    let urls: BTreeMap<_, _> =
        assets.files.keys().filter_map(|path| Some((path.clone(), assets.url(path)?))).collect();
    Template::custom(move |engines| {
        let urls = urls.clone();
        let asset = move |arguments: &std::collections::HashMap<String, Value>| {
            let path = arguments.get("path").and_then(Value::as_str).unwrap_or_default();
            let url = urls.get(path).cloned();
            url.map(Value::from).ok_or_else(|| tera::Error::msg(format!("no file `{path}`")))
        };
        engines.tera.register_function("asset", asset);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imported_sheets_take_the_place_of_the_import() {
        let sheets = [
            ("css/all.css", "@import url(\"./a.css\");\n@import url(\"./b.css\");\n.c {}\n"),
            ("css/a.css", "/* A. */\n.a {}\n"),
            ("css/b.css", ".b {\n  color: red; /* why */\n}\n"),
        ];
        let sources =
            sheets.map(|(path, sheet)| (path.to_owned(), sheet.as_bytes().to_vec())).into();
        let sheet = Asset::of("css/all.css", &sources).expect("all are there");
        assert_eq!(sheet.bytes, ".a {}\n.b {\ncolor: red; /* why */\n}\n.c {}\n");
        let lacking = [("a.css".to_owned(), b"@import url(\"./b.css\");".to_vec())].into();
        assert!(Asset::of("a.css", &lacking).is_err());
    }

    #[test]
    fn pictures_are_written_into_the_sheet() {
        let sources: BTreeMap<_, _> = [
            ("css/a.css", ".a { mask: url(\"../img/a.svg\") center; }\n"),
            ("img/a.svg", "<svg fill=\"#000\"/>\n"),
        ]
        .map(|(path, source)| (path.to_owned(), source.as_bytes().to_vec()))
        .into();
        let sheet = Asset::of("css/a.css", &sources).expect("both are there");
        let picture = "data:image/svg+xml,%3Csvg fill=%22%23000%22/%3E";
        assert_eq!(sheet.bytes, format!(".a {{ mask: url(\"{picture}\") center; }}\n"));
        let lacking = [("css/a.css".to_owned(), b"url(\"../img/b.svg\")".to_vec())].into();
        assert!(Asset::of("css/a.css", &lacking).is_err());
    }

    #[test]
    fn comments_on_lines_of_their_own_are_left_out() {
        let source = "// What.\n\n/**\n * @param {string} a\n */\nconst a = \"// no\" // why\n/** @type {x} */\nlet b = /** @type {y} */ (a)\n/** @type {z} */ const c = 1\n";
        let kept = "const a = \"// no\" // why\nlet b = /** @type {y} */ (a)\n/** @type {z} */ const c = 1\n";
        assert_eq!(without_comments(source, "/**", "*/"), kept);
        assert_eq!(script("f(() => {\n  g()\n})\n"), "f(() => {\ng()\n})\n");
        assert_eq!(script("{\n  a = `\n  b`\n  c = `d`\n}\n"), "{\na = `\n  b`\nc = `d`\n}\n");
        assert_eq!(script("  a = /[`]/\n  b\n"), "  a = /[`]/\n  b\n", "which ends a text?");
        assert_eq!(without_types(kept), "const a = \"// no\" // why\nlet b = (a)\nconst c = 1\n");
    }

    #[tokio::test]
    async fn an_asset_is_compressed_once_however_many_ask() {
        let sources = [("a.js".to_owned(), b"const a = 1\n".to_vec())].into();
        let asset = Asset::of("a.js", &sources).expect("it is there");
        let (one, other) =
            tokio::join!(asset.encoded(Encoding::Brotli), asset.encoded(Encoding::Brotli));
        assert_eq!(one.as_ptr(), other.as_ptr());
    }
}
