use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use tar::EntryType;
use tempfile::TempDir;

use super::*;
use crate::unpack::{Budget, Limits, unpack};
use archive::testing::{Tar, listing};

/// Unpacks layers into `0`, `1` ... of a directory.
fn layers(archives: &[Vec<u8>]) -> (TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (i, bytes) in archives.iter().enumerate() {
        let path = directory.path().join(i.to_string());
        std::fs::create_dir(&path).unwrap();
        let root = File::open(&path).unwrap();
        unpack(
            &bytes[..],
            root.as_fd(),
            &mut Budget::new(Limits::default(), 1 << 40),
        )
        .unwrap();
        paths.push(path);
    }
    (directory, paths)
}

fn merged(archives: &[Vec<u8>]) -> (TempDir, PathBuf) {
    let (directory, paths) = layers(archives);
    let dest = directory.path().join("merged");
    materialize(&paths, &dest).unwrap();
    (directory, dest)
}

#[test]
fn upper_layers_go_before_lower_ones() {
    let lower = Tar::new()
        .dir("d/", 0o700)
        .file("d/same", b"lower")
        .file("d/gone", b"")
        .dir("tree/", 0o755)
        .file("tree/deep/f", b"")
        .dir("opaque/", 0o755)
        .file("opaque/hidden", b"")
        .file("file", b"")
        .symlink("link", "d")
        .finish();
    let upper = Tar::new()
        .dir("d/", 0o711)
        .file("d/same", b"upper")
        .file("d/.wh.gone", b"")
        .file(".wh.tree", b"")
        .file("opaque/.wh..wh..opq", b"")
        .file("opaque/shown", b"")
        .dir("file/", 0o755)
        .file("file/now", b"")
        .dir("link/", 0o755)
        .file("link/f", b"")
        .finish();
    let (_directory, dest) = merged(&[lower, upper]);
    assert_eq!(
        listing(&dest),
        [
            "d/",
            "d/same=upper",
            "file/",
            "file/now=",
            "link/",
            "link/f=",
            "opaque/",
            "opaque/shown="
        ]
    );
    let mode = |path: &str| {
        std::fs::metadata(dest.join(path))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("d") & 0o7777, 0o711);
    let mut value = [0u8; 8];
    let opaque = rustix::fs::lgetxattr(dest.join("opaque"), OPAQUE_XATTR, &mut value[..]);
    assert_eq!(opaque, Err(Errno::NODATA));
}

#[test]
fn attributes_links_and_holes_are_kept() {
    let capability: &[u8] = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut sparse = vec![0; 4 << 20];
    sparse[1 << 20] = 7;
    let layer = Tar::new()
        .pax(&[
            ("SCHILY.xattr.security.capability", capability),
            ("mtime", b"5.25"),
        ])
        .with(EntryType::Regular, "f", b"data", |header| {
            header.set_mode(0o4755);
            header.set_uid(1234);
        })
        .hard_link("g", "f")
        .symlink("l", "/etc/passwd")
        .with(EntryType::Fifo, "p", b"", |header| header.set_mode(0o600))
        .file("sparse", &sparse)
        .pax(&[("mtime", b"6.5")])
        .dir("d/", 0o1777)
        .file("d/x", b"")
        .finish();
    let (_directory, dest) = merged(&[layer]);
    let stat = |path: &str| std::fs::symlink_metadata(dest.join(path)).unwrap();
    let f = stat("f");
    assert_eq!((f.mode() & 0o7777, f.uid(), f.nlink()), (0o4755, 1234, 2));
    assert_eq!((f.mtime(), f.mtime_nsec()), (5, 250_000_000));
    assert_eq!(f.ino(), stat("g").ino());
    let mut value = [0; 64];
    let length = rustix::fs::lgetxattr(dest.join("f"), "security.capability", &mut value[..]);
    assert_eq!(&value[..length.unwrap()], capability);
    assert_eq!(
        std::fs::read_link(dest.join("l")).unwrap(),
        PathBuf::from("/etc/passwd")
    );
    assert_eq!(stat("p").mode(), 0o010600);
    assert_eq!(std::fs::read(dest.join("sparse")).unwrap(), sparse);
    assert!(
        stat("sparse").blocks() <= 32,
        "{} blocks",
        stat("sparse").blocks()
    );
    assert_eq!((stat("d").mode() & 0o7777, stat("d").mtime()), (0o1777, 6));
}

#[test]
fn a_hard_link_over_a_file_of_a_lower_layer_does_not_change_it() {
    let lower = Tar::new().file("a", b"1").hard_link("b", "a").finish();
    let upper = Tar::new().file("a", b"2").hard_link("c", "a").finish();
    let (_directory, dest) = merged(&[lower, upper]);
    assert_eq!(listing(&dest), ["a=2", "b=1", "c=2"]);
}

#[test]
fn a_clone_keeps_the_marks_of_overlayfs() {
    let layer = Tar::new()
        .file(".wh.gone", b"")
        .file("d/.wh..wh..opq", b"")
        .finish();
    let (directory, paths) = layers(&[layer]);
    let dest = directory.path().join("clone");
    std::fs::create_dir(&dest).unwrap();
    clone(&paths[0], &dest).unwrap();
    assert_eq!(listing(&dest), ["d/", "gone:whiteout"]);
    assert!(is_opaque(File::open(dest.join("d")).unwrap().as_fd()).unwrap());
}

#[test]
fn implied_directories_take_the_attributes_they_have_below() {
    let bottom = Tar::new()
        .with(EntryType::Directory, "home/", b"", |header| {
            header.set_mode(0o2750);
            header.set_uid(1000);
        })
        .dir("cut/", 0o700)
        .dir("cut/inner/", 0o700)
        .dir("gone/", 0o700)
        .dir("link/", 0o700)
        .dir("own/", 0o700)
        .finish();
    let middle = Tar::new()
        .file("cut/.wh..wh..opq", b"")
        .file(".wh.gone", b"")
        .symlink("link", "home")
        .finish();
    let top = Tar::new()
        .file("home/f", b"")
        .file("cut/inner/f", b"")
        .file("gone/f", b"")
        .file("link/f", b"")
        .file("own/.wh..wh..opq", b"")
        .finish();
    let (_directory, paths) = layers(&[bottom, middle, top]);
    let implied: Vec<Vec<u8>> = ["home", "cut", "cut/inner", "gone", "link", "own"]
        .map(|p| p.as_bytes().to_vec())
        .into();
    complete(&paths[2], &implied, &[&paths[0], &paths[1]]).unwrap();
    let mode = |path: &str| {
        std::fs::symlink_metadata(paths[2].join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777
    };
    assert_eq!(mode("home"), 0o2750);
    assert_eq!(
        std::fs::metadata(paths[2].join("home")).unwrap().uid(),
        1000
    );
    for path in ["cut/inner", "gone", "link", "own"] {
        assert_eq!(mode(path), 0o755, "{path}");
    }
}

#[test]
fn errors_name_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let error = materialize(&[&missing], &directory.path().join("dest")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("open layer {}", missing.display())
    );
}
