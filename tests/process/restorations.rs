//! Tests of `houston restore`: what it refuses, and that it then changes nothing.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::json;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use crate::command::{houston_on, text};
use crate::server::Server;

/// A real backup: its manifest, its database, and its one file with its id.
struct Parts {
    manifest: serde_json::Value,
    database: Vec<u8>,
    id: String,
    file: Vec<u8>,
}

impl Parts {
    async fn of_a_backup() -> (Self, TempDir) {
        let server = Server::start().await;
        let ada = server.client().signed_in_as("Ada").await;
        assert_eq!(ada.puts_file("general", "m1", "f1").await.status, 201);
        let backup = tempfile::tempdir().expect("a temporary directory");
        let file = backup.path().join("b.tar");
        let ran = houston_on(server.data(), &["backup", file.to_str().expect("a path")]);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        tar::Archive::new(fs::File::open(&file).expect("a file"))
            .unpack(backup.path())
            .expect("a tar as any other");
        let read = |name: &str| fs::read(backup.path().join(name)).expect("it is in it");
        let files = fs::read_dir(backup.path().join("files")).expect("a directory");
        let id = files.flatten().next().expect("a file").file_name().into_string().expect("text");
        let parts = Self {
            manifest: serde_json::from_slice(&read("houston-backup.json")).expect("JSON"),
            database: read("houston.db"),
            file: read(&format!("files/{id}")),
            id,
        };
        (parts, backup)
    }

    /// A tar of the parts, with what is added, and the manifest changed.
    fn tar(&self, change: &[(&str, serde_json::Value)], add: impl FnOnce(&mut Tar)) -> Vec<u8> {
        let mut manifest = self.manifest.clone();
        for (key, value) in change {
            manifest[key] = value.clone();
        }
        let mut tar = Tar(Builder::new(Vec::new()));
        tar.add("houston-backup.json", &serde_json::to_vec(&manifest).expect("JSON"));
        tar.add("houston.db", &self.database);
        add(&mut tar);
        tar.0.into_inner().expect("in memory")
    }

    fn file_name(&self) -> String {
        format!("files/{}", self.id)
    }
}

struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.add_as(EntryType::Regular, name, bytes);
    }

    /// Adds a file under a name that `tar` itself would not write.
    fn add_as(&mut self, kind: EntryType, name: &str, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
        header.set_cksum();
        self.0.append(&header, bytes).expect("in memory");
    }
}

#[track_caller]
fn refused(tar: &[u8], told: &str) {
    let data = tempfile::tempdir().expect("a temporary directory");
    let there = data.path().join("data");
    let file = data.path().join("b.tar");
    fs::write(&file, tar).expect("writable");
    let ran = houston_on(&there, &["restore", file.to_str().expect("a path")]);
    let said = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{told}: {said}");
    assert!(said.contains(told), "{told}: {said}");
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{told}: {said:?}");
    assert_eq!(fs::read_dir(&there).expect("a directory").count(), 0, "{told}: nothing stays");
    assert_eq!(fs::read_dir(data.path()).expect("a directory").count(), 2, "{told}: nor elsewhere");
}

#[rocket::async_test]
async fn tars_that_mean_harm_or_are_broken_are_refused_whole() {
    let (parts, _backup) = Parts::of_a_backup().await;
    let (name, size) = (parts.file_name(), parts.file.len());
    let whole = parts.tar(&[], |tar| tar.add(&name, &parts.file));
    let two = [("files", json!(2)), ("file_bytes", json!(size + 4))];
    // Paths that lead elsewhere, or nowhere.
    for path in [
        "../evil",
        "/tmp/houston-evil",
        "files/../../evil",
        "files/",
        "files/..",
        "files//etc",
        "files/a/b",
        "houston.db-wal",
        "houston.lock",
        "operator-token",
        "files\\evil",
        "files/é",
        "./files/abc",
        "files/.hidden",
        "files/\u{1B}]0;owned\u{7}\u{1B}[2J",
        "",
    ] {
        refused(
            &parts.tar(&two, |tar| {
                tar.add(&name, &parts.file);
                tar.add(path, b"evil");
            }),
            "which belongs in none",
        );
    }
    // Anything but plain files.
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Char,
        EntryType::Fifo,
        EntryType::Block,
        EntryType::GNUSparse,
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::Continuous,
    ] {
        refused(
            &parts.tar(&two, |tar| {
                tar.add(&name, &parts.file);
                tar.add_as(kind, "files/abc", b"evil");
            }),
            "is no plain file",
        );
    }
    // More or less than was promised.
    let more = "more files than was promised";
    refused(&parts.tar(&two, |tar| (0..2).for_each(|_| tar.add(&name, &parts.file))), more);
    refused(&parts.tar(&[("files", json!(0))], |tar| tar.add(&name, &parts.file)), more);
    refused(&parts.tar(&[("file_bytes", json!(1))], |tar| tar.add(&name, &parts.file)), more);
    refused(&parts.tar(&two, |tar| tar.add(&name, &parts.file)), "fewer files than was promised");
    refused(&parts.tar(&[], |_| {}), "fewer files than was promised");
    refused(&parts.tar(&[("database_bytes", json!(1))], |_| {}), "is not the database that was");
    refused(&parts.tar(&[("file_bytes", json!(u64::MAX))], |_| {}), "too little room");
    refused(&parts.tar(&[("database_bytes", json!(1_u64 << 60))], |_| {}), "too little room");
    // What does not belong together.
    let none = [("files", json!(0)), ("file_bytes", json!(0))];
    refused(&parts.tar(&none, |_| {}), "of a message is not in it");
    let mut damaged = parts.file.clone();
    damaged[size / 2] ^= 1;
    refused(&parts.tar(&[], |tar| tar.add(&name, &damaged)), "is damaged");
    // Manifests that are none.
    refused(&parts.tar(&[("format", json!(2))], |_| {}), "it is of format 2");
    refused(&parts.tar(&[("messages", json!("many"))], |_| {}), "is not what it should be");
    let other = |name: &str, bytes: &[u8]| {
        let mut tar = Tar(Builder::new(Vec::new()));
        tar.add(name, bytes);
        tar.0.into_inner().expect("in memory")
    };
    refused(&other("houston.db", &parts.database), "it begins with `houston.db`");
    refused(&other("houston-backup.json", b"[]"), "is not what it should be");
    refused(&other("houston-backup.json", b""), "is not what it should be");
    // Databases that are none.
    for (database, told) in [
        (vec![7; 8_192], "it is damaged, or none of Houston's"),
        (Vec::new(), "`houston.db`, which that belongs to, is empty"),
        (parts.database[..parts.database.len() / 2].to_vec(), "damaged"),
    ] {
        let mut tar = Tar(Builder::new(Vec::new()));
        let mut manifest = parts.manifest.clone();
        manifest["database_bytes"] = json!(database.len());
        tar.add("houston-backup.json", &serde_json::to_vec(&manifest).expect("JSON"));
        tar.add("houston.db", &database);
        tar.add(&name, &parts.file);
        refused(&tar.0.into_inner().expect("in memory"), told);
    }
    // Cut off, and no tar at all.
    for end in [whole.len() / 4, whole.len() / 2, parts.database.len() + 2_000] {
        refused(&whole[..end], "");
    }
    refused(b"", "it is empty");
    refused(b"PK\x03\x04 this is a zip", "");
    refused(&vec![b'x'; 4_096], "it is no tar");
    assert!(!Path::new("/tmp/houston-evil").exists());
}

#[rocket::async_test]
async fn it_is_refused_where_something_is_and_replaces_it_when_told_to() {
    let (_, backup) = Parts::of_a_backup().await;
    let file = backup.path().join("b.tar");
    let file = file.to_str().expect("a path");
    let mut server = Server::start().await;
    let eve = server.client().signed_in_as("Eve").await;
    assert_eq!(eve.puts_file("general", "e1", "theirs").await.status, 201);
    for arguments in [&["restore", file][..], &["restore", "--replace", file]] {
        let ran = houston_on(server.data(), arguments);
        assert_eq!(ran.status.code(), Some(1));
        assert!(text(&ran.stderr).contains("in use by another Houston"), "{}", text(&ran.stderr));
    }
    assert_eq!(eve.puts("general", "e2", "still here").await.expect("an answer").status, 201);
    let cut_off = backup.path().join("cut.tar");
    let whole = fs::read(file).expect("a backup");
    fs::File::create(&cut_off).and_then(|mut it| it.write_all(&whole[..9_000])).expect("writable");
    server.kill();
    let data = server.into_data();

    let ran = houston_on(data.path(), &["restore", file]);
    assert_eq!(ran.status.code(), Some(1));
    let said = text(&ran.stderr);
    assert!(said.contains("is not empty") && said.contains("--replace"), "{said}");
    let ran = houston_on(data.path(), &["restore", "--replace", cut_off.to_str().expect("a path")]);
    assert_eq!(ran.status.code(), Some(1));
    let server = Server::start_on(data).await;
    let eve = server.client().with_token(eve.token.as_deref().expect("a token"));
    assert_eq!(eve.messages("general").await.len(), 2, "nothing was replaced so far");

    let mut server = server;
    server.kill();
    let data = server.into_data();
    let ran = houston_on(data.path(), &["restore", "--replace", file]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let server = Server::start_on(data).await;
    let eve = server.client().with_token(eve.token.as_deref().expect("a token"));
    assert_eq!(eve.get("/api/session").await.expect("an answer").status, 401, "Eve is of no past");
    assert_eq!(fs::read_dir(server.data().join("files")).expect("a directory").count(), 1);
}

#[rocket::async_test]
async fn what_a_killed_backup_left_behind_is_removed() {
    let server = Server::start().await;
    let left = server.data().join(".backup-abc");
    fs::create_dir(&left).expect("a directory");
    fs::write(left.join("houston.db"), "old").expect("writable");
    let to = tempfile::tempdir().expect("a temporary directory");
    let file = to.path().join("b.tar");
    let backup = ["backup", file.to_str().expect("a path")];
    assert!(houston_on(server.data(), &backup).status.success());
    assert!(left.exists(), "it may be another backup's that has just begun");
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    fs::File::open(&left).and_then(|it| it.set_modified(old)).expect("ours");
    assert!(houston_on(server.data(), &backup).status.success());
    assert!(!left.exists());
}

#[rocket::async_test]
async fn no_server_starts_on_a_restoration_that_was_cut_off_and_repeating_it_mends_that() {
    let (_, backup) = Parts::of_a_backup().await;
    let file = backup.path().join("b.tar");
    let file = file.to_str().expect("a path");
    let data = tempfile::tempdir().expect("a temporary directory");
    // As the power leaves it before the database is in its place, in a chat without files.
    fs::write(data.path().join("houston.db"), "being restored\n\n").expect("writable");
    let restored = data.path().join(".restore-abc");
    fs::create_dir(&restored).expect("a directory");
    fs::write(restored.join("houston.db"), "whole").expect("writable");
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    fs::File::open(&restored).and_then(|it| it.set_modified(old)).expect("ours");

    let started = houston_on(data.path(), &["serve"]);
    assert_eq!(started.status.code(), Some(1));
    let said = text(&started.stderr);
    assert!(said.contains("a restoration did not come to its end: repeat it"), "{said}");
    assert!(restored.join("houston.db").exists(), "nothing is removed");

    let ran = houston_on(data.path(), &["restore", "--replace", file]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let server = Server::start_on(data).await;
    let eve = server.client().signed_in_as("Eve").await;
    assert_eq!(eve.messages("general").await.len(), 1);
}
