//! From the path of a request to names of files. Pure.
//!
//! Escapes are read here, once. What no file below the root can be called (an escaped slash, a NUL, a dot segment) has
//! no name, and what begins with a dot is hidden.

/// A name below the root that a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Elements with a slash between, none at either end; empty for the root itself.
    bytes: Vec<u8>,
    /// Whether the path ended with a slash.
    directory: bool,
}

/// One attempt of `tryFiles`, ready to be put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// A file.
    File(Pattern),
    /// A directory with an index file.
    Directory(Pattern),
    /// Nothing but this status.
    Status(u16),
}

/// How a name is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Whether it begins with the path of the request.
    uri: bool,
    rest: Vec<u8>,
}

impl Name {
    /// Reads a path, escaped as it came or in its normal form. None: no file is called that, or it is hidden.
    pub fn read(path: &[u8], dot_files: bool) -> Option<Self> {
        let mut bytes = Vec::with_capacity(path.len());
        for element in path.split(|byte| *byte == b'/') {
            if element.is_empty() {
                continue;
            }
            if !bytes.is_empty() {
                bytes.push(b'/');
            }
            decode(element, &mut bytes)?;
        }
        is_served(&bytes, dot_files).then_some(Self {
            bytes,
            directory: path.last().is_none_or(|byte| *byte == b'/'),
        })
    }

    /// Whether the path ended with a slash.
    pub fn is_directory(&self) -> bool {
        self.directory
    }

    /// The name, with a slash at the end of directories.
    fn written(&self) -> Vec<u8> {
        let mut written = self.bytes.clone();
        if self.directory && !written.is_empty() {
            written.push(b'/');
        }
        written
    }
}

/// Appends an element with its escapes read. None: an escape that is none, a NUL, a slash.
fn decode(element: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let mut at = 0;
    while let Some(byte) = element.get(at) {
        let mut byte = *byte;
        at += 1;
        if byte == b'%' {
            byte = crate::path::escape(element.get(at..at + 2)?)?;
            at += 2;
        }
        if byte == 0 || byte == b'/' {
            return None;
        }
        into.push(byte);
    }
    Some(())
}

/// Whether no element of a name is a dot segment or hidden.
fn is_served(name: &[u8], dot_files: bool) -> bool {
    name.split(|byte| *byte == b'/').all(|element| {
        element.first() != Some(&b'.')
            || element == b".well-known"
            || dot_files && element != b"." && element != b".."
    })
}

impl Pattern {
    /// From its text, which begins with `$uri` or a slash.
    pub fn new(text: &str) -> Self {
        match text.strip_prefix("$uri") {
            Some(rest) => Self {
                uri: true,
                rest: rest.as_bytes().to_owned(),
            },
            None => Self {
                uri: false,
                rest: text.as_bytes().to_owned(),
            },
        }
    }

    /// The file that it stands for. None: no file can be called that, or it is hidden.
    pub fn file(&self, name: &Name, dot_files: bool) -> Option<Vec<u8>> {
        if !self.uri {
            return Some(relative(&self.rest));
        }
        let mut whole = name.written();
        whole.extend_from_slice(&self.rest);
        let named = !whole.is_empty() && whole.last() != Some(&b'/');
        (named && is_served(&whole, dot_files)).then_some(whole)
    }

    /// The file `index` of the directory that it stands for. None: it is hidden.
    pub fn index(&self, name: &Name, index: &str, dot_files: bool) -> Option<Vec<u8>> {
        let mut whole = if self.uri {
            let mut whole = name.bytes.clone();
            whole.extend_from_slice(&self.rest);
            is_served(&whole, dot_files).then_some(whole)?
        } else {
            relative(&self.rest)
        };
        if !whole.is_empty() {
            whole.push(b'/');
        }
        whole.extend_from_slice(index.as_bytes());
        Some(whole)
    }

    /// Whether it is what the client asked for, so that the client can be told to ask for it with a slash.
    pub fn is_request(&self) -> bool {
        self.uri && self.rest.is_empty()
    }
}

/// A name from the configuration, below the root.
fn relative(path: &[u8]) -> Vec<u8> {
    let start = path.iter().position(|byte| *byte != b'/');
    start.map_or_else(Vec::new, |start| path[start..].to_owned())
}
