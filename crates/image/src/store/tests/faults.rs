//! Damage, limits, full disks, killed and concurrent processes.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_hostile_or_damaged_root_file_system_leaves_nothing() {
    let fixture = Fixture::new();
    fixture.import("good", &rootfs("x"));
    let before = fixture.files();
    let mut damaged = gzip(&rootfs("x"));
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let mut truncated = rootfs("x");
    truncated.truncate(1500);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            Tar::new().file("../x", b"").finish(),
            "leads out of the layer",
        ),
        (
            Tar::new().symlink("l", "/etc").file("l/x", b"").finish(),
            "is a symbolic link",
        ),
        (truncated, "the archive is cut short after \"etc/motd\""),
        (
            Tar::new().file("f", b"").cut(),
            "the archive has no end marker: it is cut short",
        ),
        (Tar::new().finish(), "the archive is empty"),
        (Vec::new(), "the archive has no end marker"),
        (b"#!/bin/sh\necho hi\n".repeat(100), "not a tar archive"),
        (damaged, "read the archive"),
        (
            vec![0xfd, b'7', b'z', b'X', b'Z', 0, 0],
            "read by `xz` only",
        ),
        (b"PK\x03\x04........".to_vec(), "read by `unzip` only"),
    ];
    for (bytes, expected) in cases {
        let error = fixture
            .store
            .import(&bytes[..], options("bad"))
            .unwrap_err();
        let text = chain(&error);
        assert!(text.contains(expected), "{expected}: {text}");
        assert_eq!(fixture.files(), before, "{expected}");
    }
}

#[test]
fn archives_are_bounded_by_what_is_allowed_and_free() {
    let fixture = Fixture::new();
    // 100 MB of zeros take a few kilobytes compressed, and as a hole no room on the disk: still too
    // much.
    let bomb = gzip(&Tar::new().file("zeros", &vec![0; 100 << 20]).finish());
    assert!(bomb.len() < 1 << 20);
    let store = fixture.store.clone().with_limits(Limits {
        bytes: 10 << 20,
        ..Limits::default()
    });
    let error = store.import(&bomb[..], options("bomb")).unwrap_err();
    assert!(chain(&error).contains("takes more than the 10485760 bytes that are free"));
    assert!(error.hint().unwrap().contains("free some space"));
    // Behind the end of the archive as well.
    let mut behind = Tar::new().file("f", b"").finish();
    behind.resize(20 << 20, 0);
    let error = store
        .import(&gzip(&behind)[..], options("bomb"))
        .unwrap_err();
    assert!(
        chain(&error).contains("takes more than the"),
        "{}",
        chain(&error)
    );
    assert_eq!(fixture.layer_count(), 0);
    fixture.check_clean();
}

#[test]
fn documents_are_verified_when_they_are_used() {
    let fixture = Fixture::new();
    let image = fixture.import("app", &rootfs("x"));
    for digest in [&image.manifest, &image.id] {
        let path = fixture.store.blob_path(digest);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad.push(b' ');
        std::fs::write(&path, bad).unwrap();
        let error = fixture.store.resolve(&reference("app")).unwrap_err();
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
        std::fs::write(&path, good).unwrap();
    }
    std::fs::remove_dir_all(image.layers[0].parent().unwrap()).unwrap();
    let error = fixture.store.resolve(&reference("app")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is missing from the image store"),
        "{error}"
    );
    // It is listed, and can be repaired or removed.
    assert_eq!(fixture.store.list().unwrap().len(), 1);
    fixture.import("app", &rootfs("x"));
    fixture.resolve("app").unwrap();
    std::fs::remove_file(fixture.store.blob_path(&image.manifest)).unwrap();
    assert_eq!(
        fixture.store.list().unwrap()[0].reference,
        Some(reference("app"))
    );
    fixture.store.remove(&reference("app")).unwrap();
    assert!(fixture.store.list().unwrap().is_empty());
}

#[test]
fn an_index_of_a_newer_version_is_left_alone() {
    let fixture = Fixture::new();
    let path = fixture.root().join("index.json");
    std::fs::write(&path, r#"{"version": 2, "images": []}"#).unwrap();
    let error = fixture.store.list().unwrap_err();
    assert!(error.to_string().contains("has version 2"), "{error}");
    std::fs::write(&path, "garbage").unwrap();
    assert!(matches!(fixture.store.list(), Err(Error::Document { .. })));
    assert!(
        fixture
            .store
            .import(&rootfs("x")[..], options("x"))
            .is_err()
    );
    assert_eq!(fixture.layer_count(), 0);
    fixture.check_clean();
}

#[test]
fn layers_with_the_same_short_id_are_told_apart() {
    let fixture = Fixture::new();
    let image = fixture.import("app", &rootfs("x"));
    let directory = image.layers[0].parent().unwrap().to_owned();
    let record = std::fs::read_to_string(directory.join("layer.json")).unwrap();
    drop(image);
    // Another layer has the short name of this one, and an image.
    let image = fixture.import("other", &rootfs("other"));
    let other = image.layers[0].parent().unwrap().to_owned();
    drop(image);
    fixture.store.remove(&reference("app")).unwrap();
    std::fs::rename(&other, &directory).unwrap();
    let image = fixture.import("app", &rootfs("x"));
    assert_ne!(image.layers[0].parent().unwrap(), directory);
    assert_eq!(listing(&image.layers[0]), ["etc/", "etc/motd=x"]);
    let again = std::fs::read_to_string(image.layers[0].parent().unwrap().join("layer.json"));
    assert_eq!(again.unwrap(), record);
    fixture.resolve("app").unwrap();
}

#[test]
fn many_imports_at_once_are_all_there() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let root = fixture.root();
            scope.spawn(move || {
                // Each as in a process of its own: locks belong to open files.
                let store = Store::open(&root).unwrap();
                for round in 0..5 {
                    let name = format!("app{thread}:{round}");
                    let content = format!("shared {round}");
                    store.import(&rootfs(&content)[..], options(&name)).unwrap();
                    let moving = store.import(&rootfs(&name)[..], options("moving")).unwrap();
                    assert!(moving.layers[0].join("etc/motd").exists());
                    store
                        .resolve(&reference("moving"))
                        .unwrap()
                        .expect("moving");
                    store.prune().unwrap();
                }
            });
        }
    });
    let all = fixture.store.list().unwrap();
    assert_eq!(all.len(), 21);
    for summary in all {
        let image = fixture
            .store
            .resolve(&summary.reference.unwrap())
            .unwrap()
            .unwrap();
        assert!(image.layers[0].join("etc/motd").exists());
    }
    fixture.store.prune().unwrap();
    assert_eq!(fixture.layer_count(), 6);
    fixture.check_clean();
}

/// Not a test of its own: the process that `what_a_killed_import_leaves_is_removed` kills.
#[test]
#[ignore = "what_a_killed_import_leaves_is_removed runs it as its child"]
fn child_that_imports() {
    let root = PathBuf::from(std::env::var_os("PILLION_TEST_STORE").unwrap());
    let store = Store::open(&root).unwrap();
    store
        .import(std::io::stdin().lock(), options("never"))
        .unwrap();
}

#[test]
fn what_a_killed_import_leaves_is_removed() {
    let fixture = Fixture::new();
    fixture.import("good", &rootfs("x"));
    let before = fixture.files();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::tests::faults::child_that_imports",
            "--ignored",
        ])
        .env("PILLION_TEST_STORE", fixture.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let bytes = Tar::new()
        .file("first", b"x")
        .file("second", &[1; 1 << 20])
        .finish();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&bytes[..1 << 20]).unwrap();
    input.flush().unwrap();
    let started = || {
        listing(&fixture.root().join("tmp"))
            .iter()
            .any(|f| f.contains("first"))
    };
    while !started() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the child ended by itself"
        );
        std::thread::yield_now();
    }
    // While it lives, nobody takes its files away.
    Store::open(&fixture.root()).unwrap();
    assert!(started());
    child.kill().unwrap();
    child.wait().unwrap();
    Store::open(&fixture.root()).unwrap();
    assert_eq!(fixture.files(), before);
}

#[test]
fn a_full_disk_is_one_clear_sentence() {
    let fixture = Fixture::new();
    let mount = fixture.directory.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let mounted = TmpFs::mount(&mount, "size=2m");
    let store = Store::open(&mount.join("images")).unwrap();
    store.import(&rootfs("x")[..], options("fits")).unwrap();
    let before = listing(&mount);
    let noise: Vec<u8> = (0..(3u32 << 20))
        .map(|i| (i.wrapping_mul(2654435761) >> 13) as u8)
        .collect();
    let bytes = Tar::new().file("noise", &noise).finish();
    let error = store.import(&bytes[..], options("large")).unwrap_err();
    assert!(
        error.hint().unwrap().contains("free some space"),
        "{}",
        chain(&error)
    );
    assert_eq!(listing(&mount), before);
    // Not foreseen, but found by the kernel: as many files as there is room for.
    let mut tar = Tar::new();
    for i in 0..1200 {
        tar = tar.file(&format!("f{i}"), b"x");
    }
    let gzipped = gzip(&tar.finish());
    let error = store.import(&gzipped[..], options("large")).unwrap_err();
    assert!(
        chain(&error).contains("No space left on device"),
        "{}",
        chain(&error)
    );
    assert_eq!(listing(&mount), before);
    store.resolve(&reference("fits")).unwrap().unwrap();

    mounted.remount_read_only();
    let error = store.import(&rootfs("y")[..], options("y")).unwrap_err();
    assert!(
        error.hint().unwrap().contains("read-only file system"),
        "{}",
        chain(&error)
    );
    let store = Store::open(&mount.join("images")).unwrap();
    store.resolve(&reference("fits")).unwrap().unwrap();
    let error = Store::open(&mount.join("new")).unwrap_err();
    assert!(
        error.to_string().starts_with("create the image store "),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--root"), "{error}");
}

/// A small file system, unmounted at the end.
struct TmpFs(PathBuf);

impl TmpFs {
    fn mount(path: &Path, options: &str) -> TmpFs {
        let data = std::ffi::CString::new(options).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("none", path, "tmpfs", flags, data.as_c_str()).unwrap();
        TmpFs(path.to_owned())
    }

    fn remount_read_only(&self) {
        let flags = rustix::mount::MountFlags::RDONLY;
        rustix::mount::mount_remount(&self.0, flags, "").unwrap();
    }
}

impl Drop for TmpFs {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}
