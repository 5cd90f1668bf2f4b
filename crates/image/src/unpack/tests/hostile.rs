//! Archives that mean harm.

use tar::EntryType;

use super::*;

#[test]
fn whiteouts_of_nothing_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "d/.wh..."] {
        let error = refused(&Tar::new().file(name, b"").finish());
        assert!(matches!(error, Error::Whiteout(_)), "{name}: {error}");
    }
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
