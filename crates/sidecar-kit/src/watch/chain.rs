//! Which directory entries decide what a path leads to.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// As the kernel does, more links than these are taken for a circle (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Each symbolic link on the way to `path`, and its end, as directory and name. Where nothing is (yet), the name that is
/// missing is the last.
pub(super) fn links(path: &Path) -> Vec<(PathBuf, OsString)> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest = names(&absolute);
    let mut found = Vec::new();
    let mut directory = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            directory.pop();
            continue;
        }
        let entry = directory.join(&name);
        match std::fs::read_link(&entry) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                found.push((directory.clone(), name));
                if target.is_absolute() {
                    directory = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    rest.push_front(name);
                }
            }
            _ if rest.is_empty() || !entry.is_dir() => {
                found.push((directory, name));
                return found;
            }
            _ => directory = entry,
        }
    }
    found
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().filter_map(name).collect()
}
