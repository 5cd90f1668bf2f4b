use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::EntryType;
use tempfile::TempDir;

use super::*;
use archive::testing::{Tar, header, listing};

mod hostile;
mod random;

/// A directory for a layer, in a directory of its own with a file beside it.
struct Sandbox {
    directory: TempDir,
}

impl Sandbox {
    fn new() -> Sandbox {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("layer")).unwrap();
        std::fs::create_dir(directory.path().join("outside")).unwrap();
        std::fs::write(directory.path().join("outside/canary"), "alive").unwrap();
        Sandbox { directory }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("layer")
    }

    fn outside(&self) -> PathBuf {
        self.directory.path().join("outside")
    }

    fn unpack_with(&self, bytes: &[u8], limits: Limits) -> Result<Unpacked, Error> {
        let root = std::fs::File::open(self.root()).unwrap();
        let mut budget = Budget::new(limits, 1 << 40);
        unpack(bytes, root.as_fd(), &mut budget)
    }

    fn unpack(&self, bytes: &[u8]) -> Result<Unpacked, Error> {
        self.unpack_with(bytes, Limits::default())
    }

    /// Fails if anything outside of the layer has changed.
    fn check_outside(&self) {
        let names = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["layer", "outside"]);
        assert_eq!(listing(&self.outside()), ["canary=alive"]);
        let layer = std::fs::symlink_metadata(self.root()).unwrap();
        assert_eq!((layer.is_dir(), layer.uid()), (true, 0));
    }
}

fn unpacked(bytes: &[u8]) -> (Sandbox, Unpacked) {
    let sandbox = Sandbox::new();
    let unpacked = sandbox
        .unpack(bytes)
        .unwrap_or_else(|e| panic!("{e}: {e:?}"));
    sandbox.check_outside();
    (sandbox, unpacked)
}

/// The error for an archive, after which nothing outside has changed.
fn refused(bytes: &[u8]) -> Error {
    let sandbox = Sandbox::new();
    let error = sandbox.unpack(bytes).expect_err("the archive is refused");
    sandbox.check_outside();
    error
}

fn stat(path: impl AsRef<Path>) -> std::fs::Metadata {
    std::fs::symlink_metadata(path).unwrap()
}

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

fn is_opaque(path: &Path) -> bool {
    xattr(path, OPAQUE_XATTR).as_deref() == Some(b"y")
}

#[test]
fn files_directories_and_links_are_created_as_described() {
    let bytes = Tar::new()
        .dir("./", 0o700)
        .dir("./etc/", 0o750)
        .file("./etc/motd", b"hello")
        .symlink("etc/link", "/absolute/../target")
        .hard_link("second", "./etc/motd")
        .with(EntryType::Fifo, "pipe", b"", |header| {
            header.set_mode(0o622);
        })
        .with(EntryType::Regular, "su", b"#!", |header| {
            header.set_mode(0o4755);
            header.set_uid(1000);
            header.set_gid(70000);
        })
        .finish();
    let (sandbox, unpacked) = unpacked(&bytes);
    let root = sandbox.root();
    assert_eq!(
        listing(&root),
        [
            "etc/",
            "etc/link->/absolute/../target",
            "etc/motd=hello",
            "pipe:special",
            "second=hello",
            "su=#!"
        ]
    );
    assert_eq!(stat(root.join("etc")).mode() & 0o7777, 0o750);
    assert_eq!(stat(root.join("pipe")).mode(), 0o010622);
    let su = stat(root.join("su"));
    assert_eq!(
        (su.mode() & 0o7777, su.uid(), su.gid()),
        (0o4755, 1000, 70000)
    );
    assert_eq!(
        stat(root.join("second")).ino(),
        stat(root.join("etc/motd")).ino()
    );
    assert_eq!(unpacked.size, 7);
    assert!(unpacked.warnings.is_empty() && unpacked.implied.is_empty());
    for path in ["etc", "etc/motd", "etc/link", "pipe", "su"] {
        assert_eq!(stat(root.join(path)).mtime(), 1_000_000_000, "{path}");
    }
}

#[test]
fn times_keep_their_fractions_and_directories_theirs() {
    let bytes = Tar::new()
        .pax(&[("mtime", b"1350244992.023960108")])
        .dir("d/", 0o755)
        .pax(&[("mtime", b"-1.5")])
        .file("d/old", b"")
        .file("d/sub/late", b"")
        .finish();
    let (sandbox, unpacked) = unpacked(&bytes);
    let time = |path: &str| {
        let stat = stat(sandbox.root().join(path));
        (stat.mtime(), stat.mtime_nsec())
    };
    assert_eq!(time("d"), (1350244992, 23_960_108));
    assert_eq!(time("d/old"), (-2, 500_000_000));
    assert_eq!(time("d/sub"), (1_000_000_000, 0));
    assert_eq!(unpacked.implied, [b"d/sub".to_vec()]);
    assert_eq!(
        unpacked.newest,
        Time {
            seconds: 1350244992,
            nanos: 23_960_108
        }
    );
}

#[test]
fn attributes_are_kept_but_for_those_of_overlayfs() {
    let capability: &[u8] = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let bytes = Tar::new()
        .pax(&[
            ("SCHILY.xattr.security.capability", capability),
            ("SCHILY.xattr.user.note", b"a\nb"),
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.nonsense", b"x"),
        ])
        .with(EntryType::Regular, "ping", b"", |header| header.set_uid(5))
        .pax(&[("SCHILY.xattr.trusted.overlay.opaque", b"y")])
        .dir("d/", 0o755)
        .pax(&[
            ("SCHILY.xattr.user.note", b"x"),
            ("SCHILY.xattr.trusted.note", b"y"),
        ])
        .symlink("link", "ping")
        .finish();
    let (sandbox, unpacked) = unpacked(&bytes);
    let ping = sandbox.root().join("ping");
    assert_eq!(
        xattr(&ping, "security.capability").as_deref(),
        Some(capability)
    );
    assert_eq!(xattr(&ping, "user.note").as_deref(), Some(&b"a\nb"[..]));
    assert_eq!(xattr(&ping, "trusted.overlay.redirect"), None);
    assert_eq!(xattr(&ping, "user.overlay.opaque"), None);
    assert!(!is_opaque(&sandbox.root().join("d")));
    let link = sandbox.root().join("link");
    assert_eq!(xattr(&link, "trusted.note").as_deref(), Some(&b"y"[..]));
    let warnings = unpacked.warnings.join("\n");
    for name in [
        "redirect\"",
        "user.overlay.opaque\"",
        "nonsense\"",
        "trusted.overlay.opaque\"",
    ] {
        assert!(warnings.contains(name), "{name}: {warnings}");
    }
    assert_eq!(unpacked.warnings.len(), 5, "{warnings}");
}

#[test]
fn whiteouts_take_the_form_of_overlayfs() {
    let bytes = Tar::new()
        .file("etc/.wh.passwd", b"")
        .file(".wh.usr", b"ignored")
        .file("var/.wh..wh..opq", b"")
        .dir("var/", 0o700)
        .file(".wh..wh.aufs", b"")
        .file(".wh..wh.plnk/1.2", b"")
        // Seen in the wild: a whiteout that is a hard link to another.
        .hard_link("etc/.wh.shadow", "etc/.wh.passwd")
        .symlink("etc/.wh.group", "/outside")
        .finish();
    let (sandbox, unpacked) = unpacked(&bytes);
    assert_eq!(
        listing(&sandbox.root()),
        [
            "etc/",
            "etc/group:whiteout",
            "etc/passwd:whiteout",
            "etc/shadow:whiteout",
            "usr:whiteout",
            "var/"
        ]
    );
    assert!(is_opaque(&sandbox.root().join("var")));
    assert!(!is_opaque(&sandbox.root().join("etc")));
    assert_eq!(stat(sandbox.root().join("var")).mode() & 0o7777, 0o700);
    assert!(!unpacked.opaque_root);
    assert_eq!(unpacked.warnings.len(), 2, "{:?}", unpacked.warnings);
}

#[test]
fn a_whiteout_hides_what_is_below_and_never_its_own_layer() {
    let (sandbox, _) = unpacked(
        &Tar::new()
            .file("file", b"1")
            .file(".wh.file", b"")
            .file(".wh.early", b"")
            .file("early", b"2")
            .dir("dir/", 0o755)
            .file("dir/f", b"3")
            .file(".wh.dir", b"")
            .file(".wh.again", b"")
            .dir("again/", 0o755)
            .file(".wh.implied", b"")
            .file("implied/f", b"4")
            .finish(),
    );
    let root = sandbox.root();
    assert_eq!(
        listing(&root),
        [
            "again/",
            "dir/",
            "dir/f=3",
            "early=2",
            "file=1",
            "implied/",
            "implied/f=4"
        ]
    );
    // A directory that replaces a deleted one must not show what the lower one held.
    for path in ["dir", "again", "implied"] {
        assert!(is_opaque(&root.join(path)), "{path}");
    }
}

#[test]
fn an_opaque_root_is_reported() {
    let (_, unpacked) = unpacked(&Tar::new().file(".wh..wh..opq", b"").finish());
    assert!(unpacked.opaque_root);
}

#[test]
fn later_entries_replace_earlier_ones() {
    let (sandbox, _) = unpacked(
        &Tar::new()
            .file("f", b"1")
            .file("f", b"2")
            .dir("d/sub/", 0o755)
            .file("d/sub/f", b"")
            .file("d", b"file now")
            .file("g", b"")
            .dir("g/", 0o755)
            .file("g/x", b"3")
            .symlink("l", "f")
            .file("l", b"4")
            .file("m", b"")
            .symlink("m", "l")
            .dir("kept/", 0o700)
            .file("kept/f", b"5")
            .dir("kept/", 0o711)
            .dir("r/a/", 0o755)
            .symlink("r", "kept")
            .dir("r/", 0o755)
            .file("r/f", b"6")
            .hard_link("h", "l")
            .hard_link("h", "f")
            .hard_link("h", "h")
            .finish(),
    );
    assert_eq!(
        listing(&sandbox.root()),
        [
            "d=file now",
            "f=2",
            "g/",
            "g/x=3",
            "h=2",
            "kept/",
            "kept/f=5",
            "l=4",
            "m->l",
            "r/",
            "r/f=6"
        ]
    );
    assert_eq!(stat(sandbox.root().join("kept")).mode() & 0o7777, 0o711);
}

#[test]
fn holes_stay_holes() {
    let mut data = vec![0u8; 1 << 20];
    data[500_000] = 1;
    let records: [(&str, &[u8]); 2] = [
        ("GNU.sparse.size", b"1099511627776"),
        ("GNU.sparse.map", b"1099511623680,4"),
    ];
    let bytes = Tar::new()
        .file("zeros", &[0; 300_000])
        .file("mostly", &data)
        .pax(&records)
        .file("terabyte", b"data")
        .finish();
    let (sandbox, unpacked) = unpacked(&bytes);
    let root = sandbox.root();
    assert_eq!(std::fs::read(root.join("zeros")).unwrap(), [0; 300_000]);
    assert_eq!(std::fs::read(root.join("mostly")).unwrap(), data);
    assert_eq!(stat(root.join("terabyte")).len(), 1 << 40);
    let tail = {
        use std::os::unix::fs::FileExt;
        let mut tail = [0; 6];
        let file = std::fs::File::open(root.join("terabyte")).unwrap();
        file.read_exact_at(&mut tail, (1 << 40) - 4098).unwrap();
        tail
    };
    assert_eq!(&tail, b"\0\0data");
    for path in ["zeros", "mostly", "terabyte"] {
        let blocks = stat(root.join(path)).blocks();
        assert!(blocks <= 32, "{path} takes {blocks} blocks");
    }
    assert_eq!(unpacked.size, (1 << 40) + (1 << 20) + 300_000);
}

#[test]
fn what_follows_the_archive_is_read_for_the_digest() {
    let mut bytes = Tar::new().file("f", b"1").finish();
    bytes.extend_from_slice(b"trailing");
    let mut rest = &bytes[..];
    let sandbox = Sandbox::new();
    let root = std::fs::File::open(sandbox.root()).unwrap();
    unpack(
        &mut rest,
        root.as_fd(),
        &mut Budget::new(Limits::default(), 1 << 30),
    )
    .unwrap();
    assert!(rest.is_empty());
}
