use std::fs::{File, create_dir, read_link, write};
use std::os::unix::fs::symlink;

use super::*;

struct Root {
    dir: tempfile::TempDir,
    fd: File,
}

/// A root file system in `root/`, so that an escape would show beside it.
fn root() -> Root {
    let dir = tempfile::tempdir().expect("temporary directory");
    create_dir(dir.path().join("root")).expect("mkdir");
    let fd = File::open(dir.path().join("root")).expect("open");
    Root { dir, fd }
}

impl Root {
    fn inside(&self, path: &str) -> PathBuf {
        self.dir.path().join("root").join(path)
    }

    fn create(&self, path: &str, kind: Kind) -> io::Result<PathBuf> {
        let fd = open_or_create(self.fd.as_fd(), Path::new(path), kind)?;
        use std::os::fd::AsRawFd;
        let seen = read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).expect("readlink");
        Ok(seen
            .strip_prefix(self.inside(""))
            .expect("inside the root")
            .to_owned())
    }
}

#[test]
fn missing_paths_are_created_as_asked() {
    let root = root();
    assert_eq!(
        root.create("/a/b/c", Kind::Directory).expect("create"),
        Path::new("a/b/c")
    );
    assert!(root.inside("a/b/c").is_dir());
    assert_eq!(
        root.create("/a/b/file", Kind::File).expect("create"),
        Path::new("a/b/file")
    );
    assert!(root.inside("a/b/file").is_file());
}

#[test]
fn links_stay_inside() {
    let root = root();
    symlink("/", root.inside("absolute")).expect("symlink");
    symlink("../../../..", root.inside("dots")).expect("symlink");
    assert_eq!(
        root.create("/absolute/x", Kind::Directory).expect("create"),
        Path::new("x")
    );
    assert_eq!(
        root.create("/dots/y", Kind::Directory).expect("create"),
        Path::new("y")
    );
    assert_eq!(
        root.create("/../../../z", Kind::Directory).expect("create"),
        Path::new("z")
    );
    let beside: Vec<_> = std::fs::read_dir(root.dir.path())
        .expect("readdir")
        .collect();
    assert_eq!(beside.len(), 1, "nothing beside the root");
}

#[test]
fn a_dangling_link_creates_its_target_inside() {
    let root = root();
    create_dir(root.inside("etc")).expect("mkdir");
    symlink("/run/systemd/resolv.conf", root.inside("etc/resolv.conf")).expect("symlink");
    let made = root.create("/etc/resolv.conf", Kind::File).expect("create");
    assert_eq!(made, Path::new("run/systemd/resolv.conf"));
    assert!(root.inside("run/systemd/resolv.conf").is_file());
    symlink("../up/../relative", root.inside("etc/relative")).expect("symlink");
    create_dir(root.inside("up")).expect("mkdir");
    assert_eq!(
        root.create("/etc/relative", Kind::File).expect("create"),
        Path::new("relative")
    );
}

#[test]
fn link_loops_end() {
    let root = root();
    symlink("b", root.inside("a")).expect("symlink");
    symlink("a", root.inside("b")).expect("symlink");
    let error = root.create("/a/x", Kind::Directory).expect_err("a loop");
    assert_eq!(error.raw_os_error(), Some(Errno::LOOP.raw_os_error()));
}

#[test]
fn beneath_refuses_to_leave() {
    let root = root();
    write(root.dir.path().join("secret"), "x").expect("write");
    symlink("../secret", root.inside("out")).expect("symlink");
    symlink("/etc", root.inside("etc")).expect("symlink");
    for path in ["out", "etc/passwd", "../secret", "/etc/passwd"] {
        let error =
            open_or_create_beneath(root.fd.as_fd(), Path::new(path), Mode::from_raw_mode(0o755))
                .expect_err(path);
        assert_eq!(
            error.raw_os_error(),
            Some(Errno::XDEV.raw_os_error()),
            "{path}"
        );
    }
}

#[test]
fn beneath_creates_with_the_volumes_mode() {
    let root = root();
    // The helper runs with umask 0; the bits that umask 022 leaves alone are what can be seen here.
    let mode = Mode::from_raw_mode(0o700);
    open_or_create_beneath(root.fd.as_fd(), Path::new("x/y"), mode).expect("create");
    use std::os::unix::fs::PermissionsExt;
    let made = std::fs::metadata(root.inside("x/y")).expect("stat");
    assert_eq!(made.permissions().mode() & 0o777, 0o700);
}

#[test]
fn plain_paths_have_no_links() {
    let root = root();
    create_dir(root.inside("real")).expect("mkdir");
    symlink("real", root.inside("proc")).expect("symlink");
    assert!(open_plain(root.fd.as_fd(), Path::new("/real")).is_ok());
    let error = open_plain(root.fd.as_fd(), Path::new("/proc")).expect_err("a link");
    assert_eq!(error.raw_os_error(), Some(Errno::LOOP.raw_os_error()));
}
