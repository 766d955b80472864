//! Tests of what the repository has at its top, and of `.packaging`.

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).expect(path)
}

/// The names at the top that do not begin with a dot.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "Rocket.toml",
    "benches",
    "src",
    "static",
    "templates",
    "tests",
];

/// What running it leaves there, which is not kept in the repository.
const LEFT: &[&str] = &["target", "data"];

#[test]
fn the_top_of_the_repository_stays_as_it_is() {
    for entry in fs::read_dir(ROOT).expect("the repository") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        let is_known = TOP.contains(&&*name) || LEFT.contains(&&*name) || name.starts_with('.');
        assert!(is_known, "`{name}` has no place at the top: put it below, or into a dot-folder");
    }
    for name in LEFT {
        assert!(read(".gitignore").contains(&format!("/{name}\n")), "{name}");
    }
}

#[test]
fn what_goes_into_the_package_is_there() {
    let manifest = read("Cargo.toml");
    let assets = manifest.split("\nassets = [").nth(1).expect("assets");
    let assets = assets.split("\n]").next().expect("an end").lines().skip(1);
    let sources: Vec<_> = assets.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(sources.len() >= 8, "{sources:?}");
    let script = read(".packaging/deb");
    for source in sources {
        // The package's script makes these.
        let (folder, _) = source.rsplit_once('/').unwrap_or_default();
        let is_made = folder.starts_with("target/") && script.contains(folder);
        let is_built = source == "target/release/houston";
        assert!(is_made || is_built || Path::new(ROOT).join(source).is_file(), "{source}");
    }
}

#[test]
fn the_container_is_built_from_what_is_there_and_runs_as_no_root() {
    let file = read(".packaging/Containerfile");
    let (build, run) = file.split_once("\nFROM debian").expect("two stages");
    let ignored = read(".dockerignore");
    for line in build.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let words: Vec<_> = line.split_whitespace().collect();
        for source in &words[..words.len() - 1] {
            assert!(Path::new(ROOT).join(source).exists(), "{source}");
            assert!(ignored.contains(&format!("!{source}\n")), "{source} is not sent to the build");
        }
    }
    // All that the manifest names must be there, or cargo refuses it.
    for folder in ["benches", "tests", "src", "static", "templates"] {
        assert!(build.contains(&format!("COPY {folder} {folder}\n")), "{folder}");
    }
    for line in ["USER 10001:10001", "VOLUME /var/lib/houston", "CMD [\"houston\", \"health\"]"] {
        assert!(run.contains(line), "{line}");
    }
    let rust = read("Cargo.toml");
    let version = rust.lines().find_map(|it| it.strip_prefix("rust-version = ")).expect("one");
    let image = format!("FROM rust:{}-slim", version.trim_matches('"'));
    assert!(build.contains(&image), "{image}");
}
