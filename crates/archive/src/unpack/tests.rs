use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;
use tar::EntryType;

use super::*;
use crate::pack;
use crate::testing::{Tar, header, listing};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("tempdir"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn unpack(&self, path: &str, bytes: &[u8]) -> Result<Vec<String>, UnpackError> {
        let root = File::open(self.0.path()).expect("open");
        unpack(root.as_fd(), Path::new(path), bytes)
    }

    fn listing(&self) -> Vec<String> {
        listing(self.0.path())
    }
}

fn sample() -> Vec<u8> {
    Tar::new()
        .dir("src/", 0o750)
        .file("src/file", b"data")
        .symlink("src/link", "/etc/passwd")
        .dir("src/empty/", 0o700)
        .finish()
}

#[test]
fn into_a_directory_or_under_a_new_name() {
    let tree = Tree::new();
    fs::create_dir_all(tree.path("there")).expect("mkdir");
    let inside = [
        "src/",
        "src/empty/",
        "src/file=data",
        "src/link->/etc/passwd",
    ];
    for path in ["/there", "there/", "there/../there"] {
        tree.unpack(path, &sample()).expect("unpack");
        assert_eq!(listing(&tree.path("there")), inside, "{path}");
    }
    tree.unpack("/there/new", &sample()).expect("unpack");
    assert_eq!(
        listing(&tree.path("there/new")),
        inside.map(|name| name.trim_start_matches("src/").to_owned())[1..]
    );
    tree.unpack("", &sample()).expect("unpack");
    assert!(tree.path("src/file").exists());
}

#[test]
fn what_has_no_name_of_its_own_gets_the_new_one() {
    let nameless = || {
        Tar::new()
            .dir("./", 0o750)
            .file("./a", b"1")
            .file("./b", b"2")
    };
    let tree = Tree::new();
    for _ in 0..2 {
        tree.unpack("new", &nameless().finish()).expect("unpack");
    }
    assert_eq!(tree.listing(), ["new/", "new/a=1", "new/b=2"]);
    assert_eq!(
        fs::metadata(tree.path("new")).expect("new").mode() & 0o777,
        0o750
    );
}

#[test]
fn a_file_into_a_directory_or_under_a_new_name() {
    let tree = Tree::new();
    fs::create_dir(tree.path("dir")).expect("mkdir");
    fs::write(tree.path("old"), "old").expect("write");
    let file = Tar::new().file("file", b"data").finish();
    tree.unpack("dir", &file).expect("unpack");
    tree.unpack("new", &file).expect("unpack");
    tree.unpack("old", &file).expect("unpack");
    assert_eq!(
        tree.listing(),
        ["dir/", "dir/file=data", "new=data", "old=data"]
    );
    let error = tree.unpack("not/here", &file).expect_err("no parent");
    assert_eq!(error.to_string(), "open not: no such file or directory");
    let error = tree.unpack("old/x", &file).expect_err("no directory");
    assert_eq!(error.to_string(), "open old: not a directory");
    let dir = Tar::new().dir("src/", 0o755).finish();
    let error = tree.unpack("old", &dir).expect_err("a file is there");
    assert_eq!(error.to_string(), "open old: not a directory");
    let error = tree
        .unpack("", &Tar::new().file("dir", b"").finish())
        .expect_err("a directory is there");
    assert_eq!(error.to_string(), "create dir: is a directory");
}

#[test]
fn modes_and_times_but_no_special_bits() {
    let tree = Tree::new();
    let tar = Tar::new()
        .with(EntryType::Directory, "d", b"", |h| {
            h.set_mode(0o500);
            h.set_mtime(1000);
        })
        .with(EntryType::Regular, "d/setuid", b"x", |h| h.set_mode(0o6755))
        .with(EntryType::Regular, "d/file", b"x", |h| {
            h.set_mode(0o040);
            h.set_mtime(5);
        })
        .with(EntryType::Regular, "after", b"x", |h| h.set_uid(77))
        .finish();
    tree.unpack("", &tar).expect("unpack");
    let stat = |name: &str| {
        let metadata = fs::metadata(tree.path(name)).expect("stat");
        (metadata.permissions().mode() & 0o7777, metadata.mtime())
    };
    assert_eq!(stat("d"), (0o500, 1000));
    assert_eq!(stat("d/setuid").0, 0o755);
    assert_eq!(stat("d/file"), (0o040, 5));
    let mine = rustix::process::geteuid().as_raw();
    assert_eq!(fs::metadata(tree.path("after")).expect("stat").uid(), mine);
}

#[test]
fn what_is_there_is_shared_or_replaced() {
    let tree = Tree::new();
    fs::create_dir(tree.path("src")).expect("mkdir");
    fs::set_permissions(tree.path("src"), fs::Permissions::from_mode(0o711)).expect("chmod");
    fs::write(tree.path("src/kept"), "kept").expect("write");
    fs::write(tree.path("precious"), "precious").expect("write");
    symlink("../precious", tree.path("src/file")).expect("symlink");
    tree.unpack("", &sample()).expect("unpack");
    assert_eq!(
        tree.listing(),
        [
            "precious=precious",
            "src/",
            "src/empty/",
            "src/file=data",
            "src/kept=kept",
            "src/link->/etc/passwd"
        ]
    );
    let mode = fs::metadata(tree.path("src"))
        .expect("stat")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o711);
}

#[test]
fn links_are_followed_within_the_root_only() {
    let outside = Tree::new();
    fs::write(outside.path("victim"), "untouched").expect("write");
    let tree = Tree::new();
    let out = outside.path("").display().to_string();
    // A link by the archive itself, absolute and relative, to files, directories, and back up.
    let up = format!("../../../../../../../../{out}");
    for target in [out.as_str(), up.as_str()] {
        let tar = Tar::new()
            .symlink("l", target)
            .file("l/victim", b"hostile")
            .finish();
        let error = tree
            .unpack("", &tar)
            .expect_err("nothing there in this root");
        assert!(error.to_string().contains("l: "), "{error}");
    }
    for victim in [format!("{out}/victim"), format!("{up}/victim")] {
        let tar = Tar::new().symlink("v", &victim).file("v", b"mine").finish();
        tree.unpack("", &tar).expect("replaces the link");
        assert_eq!(fs::read(tree.path("v")).expect("read"), b"mine");
        let tar = Tar::new()
            .symlink("w", &victim)
            .hard_link("h", "w")
            .file("h", b"mine")
            .finish();
        tree.unpack("", &tar).expect("links the link");
    }
    // One that was there, and points to where there is something in the root too.
    fs::create_dir_all(tree.path("real/sub")).expect("mkdir");
    symlink("/real", tree.path("absolute")).expect("symlink");
    let tar = Tar::new()
        .dir("absolute/", 0o755)
        .file("absolute/sub/x", b"1")
        .finish();
    tree.unpack("", &tar).expect("unpack");
    assert_eq!(fs::read(tree.path("real/sub/x")).expect("read"), b"1");
    tree.unpack("absolute", &Tar::new().file("y", b"2").finish())
        .expect("unpack");
    assert_eq!(fs::read(tree.path("real/y")).expect("read"), b"2");
    assert_eq!(outside.listing(), ["victim=untouched"]);
}

#[test]
fn names_do_not_lead_out() {
    let tree = Tree::new();
    fs::create_dir(tree.path("in")).expect("mkdir");
    for name in ["../x", "a/../../x", "/../x", "..", "a/.."] {
        let tar = Tar::new()
            .raw(&header(EntryType::Regular, name.as_bytes(), b"", 0), b"")
            .finish();
        let error = tree.unpack("in", &tar).expect_err(name);
        assert_eq!(error.to_string(), format!("entry {name:?} contains '..'"));
        let link = Tar::new().file("f", b"").hard_link("l", name).finish();
        assert!(tree.unpack("in", &link).is_err(), "{name}");
        fs::remove_file(tree.path("in/f")).expect("remove");
    }
    let tar = Tar::new()
        .raw(&header(EntryType::Regular, b"/absolute", b"", 1), b"1")
        .raw(&header(EntryType::Regular, b"./a//./b", b"", 1), b"2")
        .raw(&header(EntryType::Directory, b"./", b"", 0), b"")
        .finish();
    tree.unpack("in", &tar).expect("unpack");
    assert_eq!(
        tree.listing(),
        ["in/", "in/a/", "in/a/b=2", "in/absolute=1"]
    );
}

#[test]
fn one_new_name_stands_for_one() {
    let tree = Tree::new();
    let tar = Tar::new().file("a", b"").file("b", b"").finish();
    let error = tree.unpack("new", &tar).expect_err("two");
    assert_eq!(
        error.to_string(),
        "new is no directory, and the archive has \"a\" and \"b\" for it"
    );
    let tar = Tar::new()
        .dir("a/", 0o755)
        .file("a/f", b"1")
        .hard_link("a/g", "a/f")
        .finish();
    tree.unpack("other", &tar).expect("unpack");
    assert_eq!(fs::metadata(tree.path("other/g")).expect("stat").nlink(), 2);
}

#[test]
fn devices_and_pipes_are_left_out_with_a_word() {
    let tree = Tree::new();
    let tar = Tar::new()
        .raw(&header(EntryType::Char, b"null", b"", 0), b"")
        .raw(&header(EntryType::Fifo, b"pipe", b"", 0), b"")
        .file("file", b"")
        .finish();
    let skipped = tree.unpack("", &tar).expect("unpack");
    assert_eq!(
        skipped,
        ["null: device ignored", "pipe: named pipe ignored"]
    );
    assert_eq!(tree.listing(), ["file="]);
}

#[test]
fn what_is_cut_short_or_no_archive_is_told() {
    let tree = Tree::new();
    let whole = sample();
    for (bytes, words) in [
        (
            &whole[..512 * 3],
            "the archive is cut short after \"src/file\"",
        ),
        (
            &whole[..whole.len() - 1024],
            "the archive is cut short after \"src/empty/\"",
        ),
        (
            &[b'x'; 1024][..],
            "not a tar archive, or damaged: bad header checksum after \"the start\"",
        ),
    ] {
        let error = tree.unpack("", bytes).expect_err("broken");
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn sparse_files_have_their_holes() {
    let tree = Tree::new();
    let map: &[u8] = b"2\n512\n3\n1048576\n4\n";
    let mut data = map.to_vec();
    data.resize(512, 0);
    data.extend_from_slice(b"abcdefg");
    let tar = Tar::new()
        .pax(&[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"sparse"),
            ("GNU.sparse.realsize", b"2000000"),
        ])
        .file("placeholder", &data)
        .finish();
    tree.unpack("", &tar).expect("unpack");
    let bytes = fs::read(tree.path("sparse")).expect("read");
    assert_eq!(bytes.len(), 2_000_000);
    assert_eq!(
        (&bytes[512..515], &bytes[1_048_576..1_048_580]),
        (&b"abc"[..], &b"defg"[..])
    );
    assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 7);
}

#[test]
fn packed_and_unpacked_is_the_same() {
    let (from, to) = (Tree::new(), Tree::new());
    tree_of_everything(&from);
    let root = File::open(from.0.path()).expect("open");
    let mut bytes = Vec::new();
    pack(root.as_fd(), Path::new("top"), &mut bytes).expect("pack");
    to.unpack("", &bytes).expect("unpack");
    assert_eq!(from.listing(), to.listing());
    let stats = |tree: &Tree| -> Vec<_> {
        let names = ["top", "top/a", "top/a/big", "top/read-only"];
        let stat = |name: &str| fs::metadata(tree.path(name)).expect("stat");
        names
            .map(|name| (stat(name).mode(), stat(name).mtime()))
            .to_vec()
    };
    assert_eq!(stats(&from), stats(&to));
}

fn tree_of_everything(tree: &Tree) {
    fs::create_dir_all(tree.path("top/a/b")).expect("mkdir");
    fs::write(tree.path("top/a/big"), vec![7; 300_000]).expect("write");
    fs::write(tree.path(&format!("top/a/{}", "n".repeat(200))), "long").expect("write");
    fs::write(tree.path("top/read-only"), "x").expect("write");
    fs::set_permissions(
        tree.path("top/read-only"),
        fs::Permissions::from_mode(0o444),
    )
    .expect("chmod");
    symlink("a/./../a//b", tree.path("top/odd")).expect("symlink");
    fs::set_permissions(tree.path("top/a"), fs::Permissions::from_mode(0o555)).expect("chmod");
    let old = fs::File::open(tree.path("top/a/big")).expect("open");
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000))
        .expect("mtime");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_outside_whatever_comes(entries in proptest::collection::vec(hostile_entry(), 1..12), renamed: bool) {
        let around = Tree::new();
        fs::create_dir_all(around.path("root/in/d")).expect("mkdir");
        fs::create_dir(around.path("out")).expect("mkdir");
        fs::write(around.path("out/f"), "untouched").expect("write");
        fs::set_permissions(around.path("out/f"), fs::Permissions::from_mode(0o604)).expect("chmod");
        symlink(around.path("out"), around.path("root/in/there")).expect("symlink");
        let stat = || {
            let metadata = fs::metadata(around.path("out/f")).expect("stat");
            let dir = fs::metadata(around.path("out")).expect("stat");
            (metadata.mode(), metadata.mtime(), metadata.nlink(), dir.mode(), dir.mtime())
        };
        let before = stat();
        let mut tar = Tar::new();
        for (kind, path, link) in &entries {
            let link = link.replace("OUT", &around.path("out").display().to_string());
            let kind = EntryType::new(*kind);
            let data: &[u8] = if kind.is_file() { b"hostile" } else { b"" };
            // Longer than a header has room for, where a temporary directory has a long name.
            prop_assume!(link.len() < 100);
            tar = tar.raw(&header(kind, path.as_bytes(), link.as_bytes(), data.len() as u64), data);
        }
        let root = File::open(around.path("root")).expect("open");
        let path = if renamed { "in/new" } else { "in" };
        let _ = unpack(root.as_fd(), Path::new(path), tar.finish().as_slice());
        prop_assert_eq!(fs::read(around.path("out/f")).expect("read"), b"untouched");
        prop_assert_eq!(stat(), before);
        prop_assert_eq!(listing(&around.path("out")), ["f=untouched"]);
    }
}

/// Type, name and link target of an entry, from words that are likely to meet each other.
fn hostile_entry() -> impl Strategy<Value = (u8, String, String)> {
    let kind = prop::sample::select(b"00125".to_vec());
    let word = || prop::sample::select(vec!["d", "f", "l", "there", ".", "out"]);
    let name = proptest::collection::vec(word(), 1..4).prop_map(|words| words.join("/"));
    let targets = vec![
        "OUT",
        "OUT/f",
        "../out",
        "../../out",
        "../../out/f",
        "/",
        "/..",
        "d",
        "f",
        "l",
        "d/f",
        "/in/d",
        "there/f",
        "..",
        "/proc/self/root/OUT",
    ];
    let link = prop::sample::select(targets).prop_map(str::to_owned);
    (kind, name, link)
}
