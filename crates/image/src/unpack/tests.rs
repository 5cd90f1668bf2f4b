use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tar::EntryType;
use tempfile::TempDir;

use super::*;
use crate::testing::{Tar, header, listing};

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
fn whiteouts_of_nothing_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "d/.wh..."] {
        let error = refused(&Tar::new().file(name, b"").finish());
        assert!(matches!(error, Error::Whiteout(_)), "{name}: {error}");
    }
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
fn absolute_names_lie_in_the_layer() {
    let (sandbox, _) = unpacked(
        &Tar::new()
            .raw(&header(EntryType::Regular, b"/etc/f", b"", 1), b"1")
            .raw(&header(EntryType::Regular, b"//x//./y", b"", 1), b"2")
            .raw(&header(EntryType::Link, b"/l", b"/etc/f", 0), b"")
            .finish(),
    );
    assert_eq!(
        listing(&sandbox.root()),
        ["etc/", "etc/f=1", "l=1", "x/", "x/y=2"]
    );
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in [
        "../outside/f",
        "a/../../outside/f",
        "..",
        "/..",
        "a/..",
        "./../outside/canary",
    ] {
        let error = refused(&Tar::new().file(name, b"").finish());
        assert!(matches!(error, Error::Outside(_)), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        let error = refused(&Tar::new().hard_link("l", name).finish());
        assert!(matches!(error, Error::Outside(_)), "{name}: {error}");
    }
    let pax = Tar::new()
        .pax(&[("path", b"../outside/canary")])
        .file("innocent", b"")
        .finish();
    assert!(matches!(refused(&pax), Error::Outside(_)));
    let nul = Tar::new()
        .pax(&[("path", b"a\0b")])
        .file("innocent", b"")
        .finish();
    assert!(matches!(refused(&nul), Error::Archive(_)));
}

#[test]
fn nothing_passes_through_a_symbolic_link() {
    let sandbox = Sandbox::new();
    let outside = sandbox.outside();
    let outside = outside.to_str().unwrap();
    for target in [outside, "../outside", "..", "/", ".", "d"] {
        let base = || {
            Tar::new()
                .dir("d/", 0o755)
                .file("d/f", b"")
                .symlink("evil", target)
        };
        for bytes in [
            base().file("evil/canary", b"dead").finish(),
            base().dir("evil/new/", 0o777).finish(),
            base().file("evil/deep/er/f", b"").finish(),
            base().symlink("evil/l", "x").finish(),
        ] {
            let error = refused(&bytes);
            let what = format!("{target}: {error}");
            assert!(
                matches!(&error, Error::Behind { obstacle, .. } if obstacle == "evil"),
                "{what}"
            );
            assert!(
                error.to_string().ends_with("which is a symbolic link"),
                "{what}"
            );
        }
        let error = refused(&base().hard_link("h", "evil/canary").finish());
        assert!(
            matches!(error, Error::LinkTarget { .. }),
            "{target}: {error}"
        );
    }
}

#[test]
fn whiteouts_behind_a_link_are_needless() {
    // What umoci writes for a directory that became a symbolic link.
    let bytes = Tar::new()
        .dir("d/", 0o755)
        .symlink("info", "../outside")
        .file("info/.wh.canary", b"")
        .file("info/.wh..wh..opq", b"")
        .symlink("here", "d")
        .file("here/.wh.x", b"")
        .finish();
    let (sandbox, _) = unpacked(&bytes);
    assert_eq!(
        listing(&sandbox.root()),
        ["d/", "here->d", "info->../outside"]
    );
}

#[test]
fn what_replaces_a_link_does_not_follow_it() {
    let sandbox = Sandbox::new();
    let canary = sandbox.outside().join("canary");
    let canary = canary.to_str().unwrap();
    let bytes = Tar::new()
        .symlink("a", canary)
        .with(EntryType::Regular, "a", b"dead", |header| header.set_uid(7))
        .symlink("b", canary)
        .hard_link("c", "b")
        .with(EntryType::Fifo, "b", b"", |_| {})
        .symlink("d", sandbox.outside().to_str().unwrap())
        .dir("d/", 0o777)
        .finish();
    sandbox.unpack(&bytes).unwrap();
    sandbox.check_outside();
    // The hard link is one to the symbolic link itself.
    assert!(stat(sandbox.root().join("c")).is_symlink());
    assert_eq!(stat(sandbox.outside().join("canary")).uid(), 0);
}

#[test]
fn nothing_lies_below_a_file() {
    let error = refused(&Tar::new().file("f", b"").file("f/g", b"").finish());
    assert_eq!(
        error.to_string(),
        r#"entry "f/g" lies behind "f", which is no directory"#
    );
}

#[test]
fn hard_links_need_a_file_of_the_same_layer() {
    let base = || {
        Tar::new()
            .dir("d/", 0o755)
            .file(".wh.gone", b"")
            .file("d/f", b"")
    };
    for target in ["missing", "d/missing", "d", "gone", "d/f/x", "", "/"] {
        let error = refused(&base().hard_link("l", target).finish());
        assert!(
            matches!(error, Error::LinkTarget { .. }),
            "{target}: {error}"
        );
    }
}

#[test]
fn device_nodes_are_left_out() {
    let device = |kind, major, minor| {
        move |tar: Tar, path: &str| {
            tar.with(kind, path, b"", |header| {
                header.set_device_major(major).unwrap();
                header.set_device_minor(minor).unwrap();
            })
        }
    };
    let mut tar = Tar::new().dir("dev/", 0o755);
    tar = device(EntryType::Char, 1, 3)(tar, "dev/null");
    tar = device(EntryType::Block, 8, 0)(tar, "dev/sda");
    // What would be a whiteout of overlayfs.
    tar = device(EntryType::Char, 0, 0)(tar, "etc");
    tar = device(EntryType::Block, 8, 0)(tar, "disk");
    let (sandbox, unpacked) = unpacked(&tar.finish());
    assert_eq!(listing(&sandbox.root()), ["dev/"]);
    let expected = [
        r#"device node "etc" was left out"#,
        r#"device node "disk" was left out"#,
    ];
    assert_eq!(unpacked.warnings, expected);
}

#[test]
fn owners_beyond_32_bits_are_refused() {
    for (key, value) in [("uid", "4294967295"), ("gid", "4294967296"), ("uid", "-1")] {
        let bytes = Tar::new()
            .pax(&[(key, value.as_bytes())])
            .file("f", b"")
            .finish();
        assert!(matches!(refused(&bytes), Error::Owner(_)), "{key}={value}");
        let bytes = Tar::new()
            .pax(&[(key, value.as_bytes())])
            .symlink("f", "x")
            .finish();
        assert!(matches!(refused(&bytes), Error::Owner(_)), "{key}={value}");
    }
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
fn entries_are_bounded() {
    let mut tar = Tar::new();
    for i in 0..20 {
        tar = tar.file(&format!("f{i}"), b"");
    }
    let bytes = tar.finish();
    let sandbox = Sandbox::new();
    let limits = Limits {
        entries: 19,
        ..Limits::default()
    };
    let error = sandbox.unpack_with(&bytes, limits).unwrap_err();
    assert_eq!(error.to_string(), "the archive has more than 19 entries");
    let limits = Limits {
        entries: 20,
        ..Limits::default()
    };
    Sandbox::new().unpack_with(&bytes, limits).unwrap();
}

#[test]
fn depth_and_length_of_paths_are_bounded() {
    let path = |parts: usize| vec!["d"; parts].join("/");
    let deep = |parts| {
        Tar::new()
            .pax(&[("path", path(parts).as_bytes())])
            .file("f", b"")
            .finish()
    };
    let (sandbox, _) = unpacked(&deep(DEPTH_MAX));
    crate::fs::remove_tree(rustix::fs::CWD, &sandbox.root()).unwrap();
    assert!(matches!(refused(&deep(DEPTH_MAX + 1)), Error::TooDeep(_)));
    let long = vec!["x".repeat(200); 21].join("/");
    let bytes = Tar::new()
        .pax(&[("path", long.as_bytes())])
        .file("f", b"")
        .finish();
    assert!(matches!(refused(&bytes), Error::TooDeep(_)));
    let long = "x".repeat(256);
    let bytes = Tar::new()
        .pax(&[("path", long.as_bytes())])
        .file("f", b"")
        .finish();
    assert!(matches!(
        refused(&bytes),
        Error::Io {
            step: "create file",
            ..
        }
    ));
}

#[test]
fn names_are_escaped_in_messages() {
    let error = refused(&Tar::new().file("../\x1b[31mred\n", b"").finish());
    assert_eq!(
        error.to_string(),
        r#"entry "../\u{1b}[31mred\n" leads out of the layer"#
    );
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

/// Names that matter: plain ones that meet often, and hostile ones.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "c", "d"]),
        2 => prop::sample::select(vec![".wh.a", ".wh.b", ".wh..wh..opq", ".wh.", ".wh..wh.x"]),
        1 => prop::sample::select(vec!["..", ".", "", "outside", "canary"]),
    ];
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        Just("/".to_owned()),
        Just("../outside".to_owned()),
        Just("../../outside/canary".to_owned()),
        Just("/proc/self/root".to_owned()),
        name().prop_map(|name| format!("/{name}")),
    ]
}

fn entries() -> impl Strategy<Value = Vec<(u8, String, String, u32, u64)>> {
    let kind = prop::sample::select(b"001122345567".to_vec());
    prop::collection::vec((kind, name(), target(), 0..0o10000u32, 0..4u64), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_sequence_of_entries_reaches_outside(entries in entries()) {
        let sandbox = Sandbox::new();
        for (kind, path, target, mode, owner) in &entries {
            // Each entry on its own: an error of one must not keep the next from trying.
            let mut head = header(EntryType::new(*kind), path.as_bytes(), target.as_bytes(), 0);
            head.set_mode(*mode);
            head.set_uid(*owner);
            head.set_cksum();
            let _ = sandbox.unpack(&Tar::new().raw(&head, b"").finish());
        }
        sandbox.check_outside();
        let copy = sandbox.directory.path().join("copy");
        crate::materialize(&[sandbox.root(), sandbox.root()], &copy).unwrap();
        crate::fs::remove_tree(rustix::fs::CWD, &copy).unwrap();
        sandbox.check_outside();
        crate::fs::remove_tree(rustix::fs::CWD, &sandbox.root()).unwrap();
    }

    #[test]
    fn damaged_archives_neither_panic_nor_reach_outside(
        entries in entries(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut tar = Tar::new().pax(&[("mtime", b"1.5"), ("SCHILY.xattr.user.a", b"b")]);
        for (kind, path, target, mode, _) in &entries {
            let mut head = header(EntryType::new(*kind), path.as_bytes(), target.as_bytes(), 0);
            head.set_mode(*mode);
            head.set_cksum();
            tar = tar.raw(&head, b"");
        }
        let mut bytes = tar.finish();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            repair_checksum(&mut bytes, at);
        }
        let sandbox = Sandbox::new();
        let _ = sandbox.unpack(&bytes);
        sandbox.check_outside();
    }
}

/// Lets damage get past the first check.
fn repair_checksum(bytes: &mut [u8], at: usize) {
    let start = at / 512 * 512;
    if let Some(block) = bytes[start..].first_chunk_mut::<512>() {
        let mut header = tar::Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
}
