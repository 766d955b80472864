//! Tests of what the repository has at its top, and of `.packaging`.

use std::fs;
use std::path::Path;
use std::process::Command;

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

/// Checks the unit with systemd's own tool, where there is one.
#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit = read(".packaging/houston.service");
    assert!(unit.contains("ExecStart=/usr/bin/houston serve\n"));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("houston.service");
    // The program need not be installed for that, nor its manual page.
    let here = unit.replace("/usr/bin/houston serve", "/bin/true");
    let here = here.replace("Documentation=man:houston(1)\n", "");
    fs::write(&path, here).expect("writable");
    let verify = |arguments: &[&str]| {
        Command::new("systemd-analyze").args(arguments).arg(&path).output().ok()
    };
    let Some(verified) = verify(&["verify"]) else { return };
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours = said.lines().filter(|line| line.contains("houston.service")).collect::<Vec<_>>();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
    let exposure = verify(&["security", "--offline=yes", "--threshold=20", "--no-pager"]);
    let exposure = exposure.expect("it is there");
    assert!(exposure.status.success(), "{}", String::from_utf8_lossy(&exposure.stdout));
}
