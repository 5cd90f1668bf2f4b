use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use rustix::fs::{Mode, mkfifoat};

use super::*;
use crate::read::{Archive, Kind};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("tempdir"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &[u8]) {
        fs::create_dir_all(self.path(name).parent().expect("parent")).expect("mkdir");
        fs::write(self.path(name), text).expect("write");
    }

    fn root(&self) -> File {
        File::open(self.0.path()).expect("open")
    }

    /// Entries as `name`, `name/`, `name->target`, with data of files, sorted.
    fn packed(&self, path: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut bytes = Vec::new();
        let skipped = pack(self.root().as_fd(), Path::new(path), &mut bytes).expect("pack");
        assert_eq!(bytes.len() % BLOCK, 0);
        let mut archive = Archive::new(bytes.as_slice());
        let mut entries = Vec::new();
        while let Some(entry) = archive.next().expect("entry") {
            let mut data = String::new();
            archive.read_to_string(&mut data).expect("data");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let name = text(&entry.path);
            match entry.kind {
                Kind::Symlink => entries.push((format!("{name}->{}", text(&entry.link)), data)),
                _ => entries.push((name, data)),
            }
        }
        assert!(archive.has_end_marker());
        entries.sort();
        (entries, skipped)
    }

    fn names(&self, path: &str) -> Vec<String> {
        self.packed(path)
            .0
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }
}

#[test]
fn files_directories_and_links_keep_what_they_are() {
    let tree = Tree::new();
    tree.file("top/a/file", b"hello");
    tree.file("top/empty", b"");
    symlink("/etc/passwd", tree.path("top/link")).expect("symlink");
    symlink("a", tree.path("top/to-dir")).expect("symlink");
    fs::set_permissions(tree.path("top/empty"), fs::Permissions::from_mode(0o4751)).expect("chmod");
    let (entries, skipped) = tree.packed("/top");
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "top/",
            "top/a/",
            "top/a/file",
            "top/empty",
            "top/link->/etc/passwd",
            "top/to-dir->a"
        ]
    );
    assert_eq!(entries[2].1, "hello");
    assert_eq!(skipped, Vec::<String>::new());

    let mut bytes = Vec::new();
    pack(tree.root().as_fd(), Path::new("top/empty"), &mut bytes).expect("pack");
    let entry = Archive::new(bytes.as_slice())
        .next()
        .expect("read")
        .expect("entry");
    let modified = fs::metadata(tree.path("top/empty"))
        .expect("stat")
        .modified()
        .expect("mtime");
    let seconds = modified
        .duration_since(std::time::UNIX_EPOCH)
        .expect("later")
        .as_secs();
    assert_eq!((entry.mode, entry.mtime.seconds), (0o4751, seconds as i64));
}

#[test]
fn names_come_from_the_path() {
    let tree = Tree::new();
    tree.file("a/b/file", b"");
    symlink("a/b", tree.path("link")).expect("symlink");
    symlink("/../../a/b", tree.path("absolute")).expect("symlink");
    for (path, names) in [
        ("a/b", &["b/", "b/file"][..]),
        ("a/b/", &["b/", "b/file"]),
        ("a/b/file", &["file"]),
        ("/../../a/b/file", &["file"]),
        ("link", &["link->a/b"]),
        ("link/", &["link/", "link/file"]),
        ("absolute/file", &["file"]),
        ("a/b/..", &["./", "./b/", "./b/file"]),
        ("link/.", &["link/", "link/file"]),
    ] {
        assert_eq!(tree.names(path), names, "{path}");
    }
    assert!(tree.names("/").contains(&"./a/b/file".to_owned()));
}

#[test]
fn long_names_and_targets_are_whole() {
    let tree = Tree::new();
    let name = format!("{}/{}/{}", "d".repeat(99), "e".repeat(100), "f".repeat(255));
    tree.file(&name, b"x");
    let target = "t".repeat(1000);
    symlink(&target, tree.path("link")).expect("symlink");
    symlink("u".repeat(100), tree.path("exact")).expect("symlink");
    assert!(tree.names(&"d".repeat(99)).contains(&name));
    assert_eq!(tree.names("link"), [format!("link->{target}")]);
    assert_eq!(tree.names("exact"), [format!("exact->{}", "u".repeat(100))]);
}

#[test]
fn what_is_no_file_is_left_out_with_a_word() {
    let tree = Tree::new();
    tree.file("top/file", b"");
    mkfifoat(tree.root(), "top/pipe", Mode::from_raw_mode(0o600)).expect("mkfifo");
    let _socket = std::os::unix::net::UnixListener::bind(tree.path("top/socket")).expect("bind");
    let (entries, mut skipped) = tree.packed("top");
    skipped.sort();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        skipped,
        ["top/pipe: named pipe ignored", "top/socket: socket ignored"]
    );
    assert_eq!(tree.packed("top/pipe").1, ["pipe: named pipe ignored"]);
}

#[test]
fn a_missing_path_is_an_error_and_links_do_not_lead_out() {
    let tree = Tree::new();
    symlink("/proc/self/root/etc/passwd", tree.path("magic")).expect("symlink");
    symlink("/etc/passwd", tree.path("out")).expect("symlink");
    symlink("../../../../../../etc", tree.path("up")).expect("symlink");
    symlink("loop", tree.path("loop")).expect("symlink");
    for (path, words) in [
        ("nope", "open nope: no such file or directory"),
        ("out/", "open out/: no such file or directory"),
        ("up/passwd", "open up/passwd: no such file or directory"),
        ("magic/", "open magic/: no such file or directory"),
        ("loop/", "open loop/: too many levels of symbolic links"),
    ] {
        let error = pack(tree.root().as_fd(), Path::new(path), io::sink()).expect_err(path);
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn a_reader_that_is_gone_ends_it() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tree = Tree::new();
    tree.file("file", b"x");
    let error = pack(tree.root().as_fd(), Path::new("file"), Gone).expect_err("gone");
    assert!(matches!(error, PackError::Write(_)), "{error:?}");
}

#[test]
fn as_deep_as_it_may_be_and_no_deeper() {
    let tree = Tree::new();
    let path = |depth: usize| vec!["d"; depth].join("/");
    fs::create_dir_all(tree.path(&path(DEEPEST + 2))).expect("mkdir");
    let (entries, skipped) = tree.packed("d");
    assert_eq!(entries.len(), DEEPEST + 1);
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].ends_with("nested too deep"), "{skipped:?}");
}

#[test]
fn many_left_out_are_counted() {
    let mut skipped = Skipped::default();
    for n in 0..150 {
        skipped.push(n.to_string());
    }
    let told = skipped.into_told();
    assert_eq!(
        (told.len(), told.last().map(String::as_str)),
        (101, Some("and 50 more"))
    );
}
