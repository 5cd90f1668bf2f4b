//! Files of simulated containers: trees in memory, mounted into each other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    File(Vec<u8>),
    Directory,
    /// A symbolic link and where it leads.
    Link(String),
}

/// A file system: entries by path, `/` being its root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
}

/// A file system that several share.
pub(crate) type Shared = Rc<RefCell<Tree>>;

/// Why an operation on a file failed, in the words of busybox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileError {
    NotFound,
    NoDirectory,
    IsDirectory,
    NotDirectory,
    NotEmpty,
    Exists,
    ReadOnly,
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotFound => "No such file or directory",
            Self::NoDirectory => "nonexistent directory",
            Self::IsDirectory => "Is a directory",
            Self::NotDirectory => "Not a directory",
            Self::NotEmpty => "Directory not empty",
            Self::Exists => "File exists",
            Self::ReadOnly => "Read-only file system",
        })
    }
}

impl Tree {
    /// A file system with these directories.
    pub(crate) fn with_directories(paths: &[&str]) -> Shared {
        let mut tree = Self::default();
        for path in paths {
            tree.entries.insert((*path).to_owned(), Entry::Directory);
        }
        Rc::new(RefCell::new(tree))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Entry> {
        if path == "/" {
            return Some(&Entry::Directory);
        }
        self.entries.get(path)
    }

    /// A file's contents.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        match self.get(path)? {
            Entry::File(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    pub(crate) fn set(&mut self, path: &str, entry: Entry) {
        if path != "/" {
            self.entries.insert(path.to_owned(), entry);
        }
    }

    fn children(&self, path: &str) -> Vec<String> {
        let prefix = if path == "/" {
            "/".to_owned()
        } else {
            format!("{path}/")
        };
        let inside = self
            .entries
            .keys()
            .filter_map(|key| key.strip_prefix(&prefix));
        inside
            .filter(|rest| !rest.is_empty() && !rest.contains('/'))
            .map(str::to_owned)
            .collect()
    }
}

/// A tree, or a part of it, somewhere in a container.
#[derive(Clone, Debug)]
struct Mount {
    at: String,
    tree: Shared,
    /// Which part of the tree.
    sub: String,
    read_only: bool,
}

/// The file systems that one container sees.
#[derive(Clone, Debug)]
pub(crate) struct Mounts(Vec<Mount>);

/// Where a path leads.
struct Place {
    tree: Shared,
    path: String,
    read_only: bool,
}

impl Mounts {
    pub(crate) fn new(root: Shared) -> Self {
        Self(vec![Mount {
            at: "/".to_owned(),
            tree: root,
            sub: "/".to_owned(),
            read_only: false,
        }])
    }

    /// Mounts the part `sub` of a tree at `at`.
    pub(crate) fn mount(&mut self, at: &str, tree: Shared, sub: &str, read_only: bool) {
        let sub = normal("/", sub);
        let file = matches!(tree.borrow().get(&sub), Some(Entry::File(_)));
        if !file && sub != "/" {
            tree.borrow_mut().set(&sub, Entry::Directory);
        }
        self.0.push(Mount {
            at: normal("/", at),
            tree,
            sub,
            read_only,
        });
    }

    fn place(&self, path: &str) -> Place {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let place = self.place_of(&path);
            let target = match place.tree.borrow().get(&place.path) {
                Some(Entry::Link(target)) => target.clone(),
                _ => String::new(),
            };
            if target.is_empty() {
                return place;
            }
            let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
            path = normal(if parent.is_empty() { "/" } else { parent }, &target);
        }
        self.place_of(&path)
    }

    fn place_of(&self, path: &str) -> Place {
        let covers = |mount: &&Mount| {
            mount.at == "/" || path == mount.at || path.starts_with(&format!("{}/", mount.at))
        };
        let best = self.0.iter().filter(covers).max_by_key(|m| m.at.len());
        // The root covers everything.
        let mount = best.unwrap_or(&self.0[0]);
        let rest = path
            .strip_prefix(mount.at.trim_end_matches('/'))
            .unwrap_or("");
        let inner = normal("/", &format!("{}/{rest}", mount.sub));
        Place {
            tree: Rc::clone(&mount.tree),
            path: inner,
            read_only: mount.read_only,
        }
    }

    /// What is at an absolute path; links are followed.
    pub(crate) fn get(&self, path: &str) -> Option<Entry> {
        if self.0.iter().any(|mount| mount.at == path) {
            let place = self.place(path);
            let entry = place.tree.borrow().get(&place.path).cloned();
            return entry.or(Some(Entry::Directory));
        }
        let place = self.place(path);
        place.tree.borrow().get(&place.path).cloned()
    }

    /// What is at an absolute path itself.
    pub(crate) fn get_link(&self, path: &str) -> Option<Entry> {
        let place = self.place_of(path);
        place.tree.borrow().get(&place.path).cloned()
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.get(path) {
            Some(Entry::File(bytes)) => Ok(bytes),
            Some(_) => Err(FileError::IsDirectory),
            None => Err(FileError::NotFound),
        }
    }

    /// Adds to a file, which is made if it is not there.
    pub(crate) fn append(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let place = self.writable(path)?;
        let mut tree = place.tree.borrow_mut();
        match tree.entries.get_mut(&place.path) {
            Some(Entry::File(contents)) => contents.extend_from_slice(bytes),
            Some(_) => return Err(FileError::IsDirectory),
            None => tree.set(&place.path, Entry::File(bytes.to_vec())),
        }
        Ok(())
    }

    /// Makes a file empty, or makes an empty file.
    pub(crate) fn truncate(&self, path: &str) -> Result<(), FileError> {
        let place = self.writable(path)?;
        let mut tree = place.tree.borrow_mut();
        match tree.get(&place.path) {
            Some(Entry::Directory) => return Err(FileError::IsDirectory),
            _ => tree.set(&place.path, Entry::File(Vec::new())),
        }
        Ok(())
    }

    /// Makes a directory, and with `parents` those above it.
    pub(crate) fn make_directory(&self, path: &str, parents: bool) -> Result<(), FileError> {
        match self.get(path) {
            Some(Entry::Directory) if parents => return Ok(()),
            Some(_) => return Err(FileError::Exists),
            None => {}
        }
        if parents && let Some((parent, _)) = path.rsplit_once('/').filter(|(p, _)| !p.is_empty()) {
            self.make_directory(parent, true)?;
        }
        let place = self.writable(path)?;
        place.tree.borrow_mut().set(&place.path, Entry::Directory);
        Ok(())
    }

    pub(crate) fn link(&self, target: &str, path: &str) -> Result<(), FileError> {
        if self.get_link(path).is_some() {
            return Err(FileError::Exists);
        }
        let place = self.writable(path)?;
        let entry = Entry::Link(target.to_owned());
        place.tree.borrow_mut().set(&place.path, entry);
        Ok(())
    }

    /// Removes a file, or with `all` whatever there is.
    pub(crate) fn remove(&self, path: &str, all: bool) -> Result<(), FileError> {
        let place = self.place_of(path);
        let mut tree = place.tree.borrow_mut();
        match tree.get(&place.path) {
            None => return Err(FileError::NotFound),
            Some(Entry::Directory) if !all => return Err(FileError::IsDirectory),
            _ if place.read_only => return Err(FileError::ReadOnly),
            _ => {}
        }
        let below = format!("{}/", place.path);
        tree.entries
            .retain(|key, _| *key != place.path && !key.starts_with(&below));
        Ok(())
    }

    /// Removes an empty directory.
    pub(crate) fn remove_directory(&self, path: &str) -> Result<(), FileError> {
        match self.get(path) {
            None => Err(FileError::NotFound),
            Some(Entry::Directory) if !self.list(path).is_empty() => Err(FileError::NotEmpty),
            Some(Entry::Directory) => self.remove(path, true),
            Some(_) => Err(FileError::NotDirectory),
        }
    }

    /// Names in a directory, in order.
    pub(crate) fn list(&self, path: &str) -> Vec<String> {
        let place = self.place(path);
        let mut names = place.tree.borrow().children(&place.path);
        let below = format!("{}/", path.trim_end_matches('/'));
        for mount in &self.0 {
            let name = mount.at.strip_prefix(&below).unwrap_or_default();
            if !name.is_empty() && !name.contains('/') && !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names
    }

    fn writable(&self, path: &str) -> Result<Place, FileError> {
        let place = self.place(path);
        if place.read_only {
            return Err(FileError::ReadOnly);
        }
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
        let parent = if parent.is_empty() { "/" } else { parent };
        match self.get(parent) {
            Some(Entry::Directory) => Ok(place),
            Some(_) => Err(FileError::NotDirectory),
            None => Err(FileError::NoDirectory),
        }
    }
}

/// An absolute path without `.`, `..` and doubled slashes.
pub(crate) fn normal(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { base };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
