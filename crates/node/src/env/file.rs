//! Variables out of files in volumes: `fileKeyRef` (KEP-3721, R19.9).
//!
//! The form of such a file is a small part of a shell's: lines `NAME='value'`. Containers write it, so it is read as what it
//! is: nothing leads out of the volume, no pipe or device is opened for long, and how much is read has a bound.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use manifest::core::v1::{FileKeySelector, Pod};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::ConfigError;
use crate::volumes::{Prepared, Volumes};

/// Bytes that are read of a file, as many as a ConfigMap may have.
const MOST: u64 = 1 << 20;

/// Where the volumes of a Pod are.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    pub(crate) volumes: &'a Volumes,
    /// Those in memory belong to the sandbox.
    pub(crate) sandbox: Option<&'a container::Sandbox>,
}

/// The value of the key; nothing where it is optional and the file has none.
pub(super) fn value(
    pod: &Pod,
    files: Files<'_>,
    selector: &FileKeySelector,
) -> Result<Option<String>, ConfigError> {
    let volume = &selector.volume_name;
    let unknown = || {
        ConfigError::Other(format!(
            "cannot find the volume {volume:?} referenced by FileKeyRef"
        ))
    };
    // The kubelet knows the volumes that some container mounts, and no others.
    let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    let mut mounts = containers.flat_map(|container| &container.volume_mounts);
    if !mounts.any(|mount| mount.name == *volume) {
        return Err(unknown());
    }
    let prepared = files.volumes.get(volume).ok_or_else(unknown)?;
    let (shown, text) = match prepared {
        Prepared::Path(root) => {
            let shown = root.join(&selector.path);
            let text = open_directory(root).and_then(|root| read(root.as_fd(), &selector.path));
            (shown, text)
        }
        Prepared::Tmpfs(name) => {
            let memory = files.sandbox.and_then(|sandbox| sandbox.tmpfs(name));
            let text = read(memory.ok_or_else(unknown)?, &selector.path);
            (PathBuf::from(name).join(&selector.path), text)
        }
    };
    // The kubelet has the cause in its log alone.
    let unreadable = |cause: &dyn std::fmt::Display| {
        ConfigError::Other(format!(
            "couldn't parse env file: {}: {cause}",
            shown.display()
        ))
    };
    let text = text.map_err(|error| unreadable(&error))?;
    let value = find(&text, &selector.key).map_err(|fault| unreadable(&fault))?;
    // An empty value counts as none, as in the kubelet.
    match value {
        Some(value) if !value.is_empty() => Ok(Some(value)),
        _ if selector.optional == Some(true) => Ok(None),
        _ => Err(ConfigError::Other(format!(
            "environment variable key {:?} not found in file {:?}",
            selector.key,
            shown.display().to_string()
        ))),
    }
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// The text of a file of a volume, which links do not lead out of.
fn read(volume: BorrowedFd<'_>, path: &str) -> io::Result<String> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    // A pipe that nobody writes to must not stop everything.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = loop {
        match openat2(volume, path, flags, Mode::empty(), resolve) {
            // Something was renamed during a `..`; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => break File::from(other?),
        }
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other("more than 1 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A line that is none of an environment file, in the kubelet's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid environment variable format {at} line {line}: {fault}")]
struct Fault {
    at: &'static str,
    line: usize,
    fault: &'static str,
}

/// The first value of the key. What comes after it is not looked at, so faults there do not matter.
fn find(text: &str, key: &str) -> Result<Option<String>, Fault> {
    let blank = [' ', '\t'];
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        let fault = |fault| Fault {
            at: "at",
            line: number,
            fault,
        };
        let line = line.trim_start_matches(blank);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| fault("missing '='"))?;
        if name.trim_end_matches(blank).is_empty() {
            return Err(fault("empty variable name"));
        }
        if name.ends_with(blank) {
            return Err(fault("whitespace before '=' is not allowed"));
        }
        if value.starts_with(blank) {
            // To a shell that is an empty value and then something else; nobody looks at the something.
            if name == key {
                return Ok(Some(String::new()));
            }
            continue;
        }
        let Some(mut rest) = value.strip_prefix('\'') else {
            return Err(fault("value must be enclosed in single quotes"));
        };
        let mut found = String::new();
        let mut last = number;
        let after = loop {
            if let Some((end, after)) = rest.split_once('\'') {
                found.push_str(end);
                break after.trim_start_matches(blank);
            }
            found.push_str(rest);
            found.push('\n');
            (last, rest) = lines.next().ok_or(Fault {
                at: "starting at",
                line: number,
                fault: "unclosed single quote",
            })?;
        };
        if !after.is_empty() && !after.starts_with('#') {
            return Err(Fault {
                at: "at",
                line: last,
                fault: "unexpected content after closing quote",
            });
        }
        if name == key {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
