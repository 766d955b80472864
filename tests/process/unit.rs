//! A test of the unit of systemd by systemd's own tool.

use std::fs;
use std::process::Command;

/// Checks the unit, where there is such a tool.
#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/.packaging/houston.service");
    let unit = fs::read_to_string(unit).expect("the unit");
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
