//! The `houston` command, with the pages in it.

use std::process::ExitCode;

use houston::assets::{Sources, Tree};
use mimalloc::MiMalloc;
use rust_embed::Embed;

/// The allocator. Blocks that one thread allocates are mostly freed by another, which costs the
/// system's allocator a lock: with this one, nearly a quarter more messages are posted in the same
/// time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The templates. They are in this crate, and not in the library, so that changing one builds little
/// anew.
#[derive(Embed)]
#[folder = "templates"]
struct Templates;

/// The static files.
#[derive(Embed)]
#[folder = "static"]
struct StaticFiles;

fn main() -> ExitCode {
    houston::commands::run(Sources { templates: tree::<Templates>(), files: tree::<StaticFiles>() })
}

fn tree<E: Embed>() -> Tree {
    let file = |path: &str| E::get(path).map(|file| file.data.into_owned());
    E::iter().filter_map(|path| Some((path.to_string(), file(&path)?))).collect()
}
