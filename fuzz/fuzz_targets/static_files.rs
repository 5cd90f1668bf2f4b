//! Any path and any fields about ranges, codings and conditions: a file below the root, or none, and never a panic.

#![no_main]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use proxy::files::encoding::Accepted;
use proxy::files::name::{Name, Pattern};
use proxy::files::open::{Patience, Root};
use proxy::files::range::{MOST_PARTS, Ranges, read};
use proxy::files::validator::{Conditions, Validators};
use proxy::message::{RequestHead, Version};

/// A directory with links that lead in and out.
fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap().keep();
        let root = directory.join("www");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        for file in ["www/x", "www/a/x", "www/a/b/x", "www/.x", "x"] {
            std::fs::write(directory.join(file), file).unwrap();
        }
        for (target, link) in [
            ("..", "up"),
            ("/", "slash"),
            ("a", "in"),
            ("../x", "out"),
            ("/proc/self/root", "p"),
        ] {
            symlink(target, root.join(link)).unwrap();
            symlink(target, root.join("a").join(link)).unwrap();
        }
        root
    })
}

fuzz_target!(|input: (&[u8], &str, bool, &[u8], u64, &[u8])| {
    let (path, rest, dot_files, field, size, other) = input;
    if let Some(name) = Name::read(path, dot_files) {
        let pattern = Pattern::new(&format!("$uri{rest}"));
        let beneath = Root::open(root(), Patience::Disk).unwrap().unwrap();
        let file = pattern.file(&name, dot_files);
        let index = pattern.index(&name, "x", dot_files);
        for file in [file, index].into_iter().flatten() {
            if let Ok(Some(opened)) = beneath.file(&file) {
                let number = std::os::fd::AsRawFd::as_raw_fd(&opened.file);
                let real = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
                assert!(real.starts_with(root()), "{real:?}");
            }
        }
    }
    if let Ranges::Parts(parts) = read(field, size) {
        assert!(parts.len() <= MOST_PARTS);
        assert!(parts.iter().all(|part| part.start < part.end && part.end <= size));
    }
    Accepted::read([field, other].into_iter());
    let mut head = RequestHead::new(b"GET", b"/", Version::Http11).unwrap();
    for (name, value) in [("If-Match", field), ("If-None-Match", other), ("If-Range", field)] {
        let _ = head.headers_mut().append(name, value);
    }
    if let Ok(Some(opened)) = Root::open(root(), Patience::Disk).unwrap().unwrap().file(b"x") {
        let state = Validators::new(&opened, None, false, std::time::SystemTime::now());
        let conditions = Conditions::of(&head);
        conditions.judge(&state);
        conditions.allow_range(&state);
    }
});
