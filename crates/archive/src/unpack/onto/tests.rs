use std::os::unix::fs::symlink;

use super::*;
use crate::testing::{Tar, listing};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("tempdir"))
    }

    fn unpack(&self, path: &str, archive: Tar) -> Result<Vec<String>, UnpackError> {
        unpack_onto(&self.0.path().join(path), &archive.finish()[..])
    }

    fn listing(&self) -> Vec<String> {
        listing(self.0.path())
    }
}

fn directory() -> Tar {
    Tar::new()
        .dir("src/", 0o755)
        .file("src/file", b"data")
        .dir("src/deep/", 0o755)
        .symlink("src/deep/link", "/etc/passwd")
}

#[test]
fn what_is_in_a_directory_lies_in_the_path() {
    let tree = Tree::new();
    for _ in 0..2 {
        tree.unpack("way/there", directory()).expect("unpack");
    }
    let nameless = Tar::new().dir("./", 0o755).file("./file", b"data");
    tree.unpack("way/there", nameless).expect("unpack");
    let expected = [
        "way/",
        "way/there/",
        "way/there/deep/",
        "way/there/deep/link->/etc/passwd",
        "way/there/file=data",
    ];
    assert_eq!(tree.listing(), expected);
}

#[test]
fn a_file_becomes_the_path_or_lies_in_it() {
    let tree = Tree::new();
    let file = || Tar::new().file("file", b"data");
    for path in ["way/new", "way", "way/new"] {
        tree.unpack(path, file()).expect("unpack");
    }
    assert_eq!(tree.listing(), ["way/", "way/file=data", "way/new=data"]);
}

#[test]
fn a_link_on_the_way_to_the_path_is_followed() {
    let tree = Tree::new();
    fs::create_dir(tree.0.path().join("real")).expect("mkdir");
    symlink("real", tree.0.path().join("link")).expect("symlink");
    tree.unpack("link", directory()).expect("unpack");
    assert!(tree.0.path().join("real/file").exists());
}

#[test]
fn nothing_leads_out_of_the_path() {
    let hostile = [
        Tar::new().symlink("x", "..").file("x/out", b"evil"),
        Tar::new().symlink("x", "/").file("x/out", b"evil"),
        Tar::new().file("a", b"").file("out", b"evil"),
        Tar::new().dir("d/", 0o755).file("out", b"evil"),
        Tar::new().dir("d/", 0o755).file("d/../out", b"evil"),
        Tar::new()
            .dir("d/", 0o755)
            .symlink("d/x", "..")
            .file("d/x/out", b"evil"),
        Tar::new()
            .dir("d/", 0o755)
            .symlink("d/x", "../..")
            .file("d/x/out", b"evil"),
    ];
    for archive in hostile {
        let tree = Tree::new();
        // Some are refused, of others the link is taken for one inside.
        let _ = tree.unpack("path", archive);
        let escaped = tree.0.path().join("out").exists();
        assert!(!escaped, "{:?}", tree.listing());
    }
    assert!(!Path::new("/out").exists());
}

#[test]
fn half_an_archive_is_none() {
    let tree = Tree::new();
    let whole = directory().finish();
    let half = unpack_onto(tree.0.path(), &whole[..1500]).expect_err("half");
    assert!(matches!(half, UnpackError::Archive(_)), "{half}");
    let none = unpack_onto(tree.0.path(), &[][..]).expect_err("nothing");
    assert!(matches!(none, UnpackError::Archive(_)), "{none}");
}
