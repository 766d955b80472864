//! Tests of the units of systemd by systemd's own tool.

use std::fs;
use std::process::Command;

/// Checks a unit that runs this program, where there is such a tool.
fn check(unit: &str, program: &str) {
    let name = unit.rsplit('/').next().expect("a name");
    let unit = fs::read_to_string(format!("{}/{unit}", env!("CARGO_MANIFEST_DIR")));
    let unit = unit.expect("the unit");
    assert!(unit.contains(&format!("ExecStart={program}\n")));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join(name);
    // The program need not be installed for that, nor its manual page.
    let here = unit.replace(program, "/bin/true").replace("Documentation=man:houston(1)\n", "");
    fs::write(&path, here).expect("writable");
    let verify = |arguments: &[&str]| {
        Command::new("systemd-analyze").args(arguments).arg(&path).output().ok()
    };
    let Some(verified) = verify(&["verify"]) else { return };
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours = said.lines().filter(|line| line.contains(name)).collect::<Vec<_>>();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
    let exposure = verify(&["security", "--offline=yes", "--threshold=20", "--no-pager"]);
    let exposure = exposure.expect("it is there");
    assert!(exposure.status.success(), "{}", String::from_utf8_lossy(&exposure.stdout));
}

#[test]
fn the_unit_is_one_that_systemd_understands() {
    check(".packaging/houston.service", "/usr/bin/houston serve");
}

#[test]
fn the_unit_of_a_nats_server_is_one_that_systemd_understands() {
    let program = "/usr/local/bin/nats-server --config /etc/nats/nats.conf";
    check(".packaging/cluster/nats.service", program);
}
