use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::*;

fn payload(files: &[(&str, &str, u32)]) -> Payload {
    files
        .iter()
        .map(|(path, text, mode)| {
            (
                (*path).to_owned(),
                ProjectedFile {
                    bytes: text.as_bytes().to_vec(),
                    mode: *mode,
                },
            )
        })
        .collect()
}

fn written(dir: &Path, files: &[(&str, &str, u32)], stamp: &str) {
    let fd = fs::File::open(dir).expect("open");
    write(fd.as_fd(), &payload(files), None, stamp).expect("write");
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("read_dir")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn r19_1_files_are_links_through_data() {
    let dir = tempfile::tempdir().expect("tempdir");
    written(
        dir.path(),
        &[("a", "1", 0o644), ("sub/dir/b", "2", 0o400)],
        "t1",
    );
    assert_eq!(
        fs::read_link(dir.path().join("a")).expect("link"),
        Path::new("..data/a")
    );
    assert_eq!(
        fs::read_link(dir.path().join("..data")).expect("link"),
        Path::new("..t1")
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("sub/dir/b")).expect("read"),
        "2"
    );
    let mode = fs::metadata(dir.path().join("sub/dir/b"))
        .expect("meta")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o400);
}

#[test]
fn r19_1_an_update_swaps_all_and_drops_what_went() {
    let dir = tempfile::tempdir().expect("tempdir");
    written(dir.path(), &[("a", "1", 0o644), ("gone", "x", 0o644)], "t1");
    written(dir.path(), &[("a", "2", 0o644), ("new", "y", 0o644)], "t2");
    assert_eq!(names(dir.path()), ["..data", "..t2", "a", "new"]);
    assert_eq!(fs::read_to_string(dir.path().join("a")).expect("read"), "2");
}

#[test]
fn r19_1_unchanged_content_is_not_written_again() {
    let dir = tempfile::tempdir().expect("tempdir");
    written(dir.path(), &[("a", "1", 0o644)], "t1");
    written(dir.path(), &[("a", "1", 0o644)], "t2");
    assert_eq!(
        fs::read_link(dir.path().join("..data")).expect("link"),
        Path::new("..t1")
    );
    written(dir.path(), &[("a", "1", 0o600)], "t3");
    assert_eq!(
        fs::read_link(dir.path().join("..data")).expect("link"),
        Path::new("..t3")
    );
}

#[test]
fn r19_3_a_group_may_read() {
    let dir = tempfile::tempdir().expect("tempdir");
    let fd = fs::File::open(dir.path()).expect("open");
    write(fd.as_fd(), &payload(&[("a", "1", 0o400)]), Some(1234), "t1").expect("write");
    let meta = fs::metadata(dir.path().join("a")).expect("meta");
    assert_eq!((meta.gid(), meta.mode() & 0o7777), (1234, 0o440));
}

#[test]
fn an_empty_payload_makes_an_empty_volume() {
    let dir = tempfile::tempdir().expect("tempdir");
    written(dir.path(), &[], "t1");
    assert_eq!(names(dir.path()), ["..data", "..t1"]);
}
