//! Who a process runs as: names and numbers against the container's own `/etc/passwd` and `/etc/group`.

use std::collections::BTreeSet;
use std::io::{self, Read};

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use crate::error::{StartError, Step, os_text};
use crate::spec::{SupplementalGroupsPolicy, UserSpec};

/// A user as the kernel sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The primary group first, then the others in ascending order.
    pub(super) groups: Vec<u32>,
    /// From `/etc/passwd`, else `/`.
    pub(super) home: String,
}

/// More than any real file; an image must not make us read for ever.
const MAX_BYTES: u64 = 8 << 20;

/// Resolves `spec` with the files of the root we are in.
pub(super) fn resolve(spec: &UserSpec) -> Result<Identity, StartError> {
    let read = |path: &str| {
        read_file(path).map_err(|error| {
            StartError::new(Step::User, format!("read {path}: {}", os_text(&error)))
        })
    };
    identity(spec, &read("/etc/passwd")?, &read("/etc/group")?)
}

/// A missing file is an empty one. Anything but a plain file is refused: a pipe would block us.
fn read_file(path: &str) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(String::new()),
        other => other?,
    };
    if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("not a plain file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::from(fd)
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct PasswdEntry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

fn passwd_entries(text: &str) -> impl Iterator<Item = PasswdEntry<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(PasswdEntry {
            name,
            uid,
            gid,
            home: fields.nth(1).unwrap_or(""),
        })
    })
}

/// Name, number and members.
fn group_entries(text: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or("")))
    })
}

fn identity(spec: &UserSpec, passwd: &str, group: &str) -> Result<Identity, StartError> {
    let (user, image_group) = match spec.run_as_user {
        Some(uid) => (uid.to_string(), None),
        None => match spec.image_user.split_once(':') {
            Some((user, group)) => (user.to_owned(), Some(group).filter(|g| !g.is_empty())),
            None => (spec.image_user.clone(), None),
        },
    };
    let user = if user.is_empty() { "0" } else { &user };
    let number = user.parse::<u32>().ok();
    // A name may consist of digits, so names come first; `runAsUser` is a number and nothing else.
    let entry = passwd_entries(passwd)
        .find(|entry| spec.run_as_user.is_none() && entry.name == user)
        .or_else(|| passwd_entries(passwd).find(|entry| Some(entry.uid) == number));
    let uid = match (&entry, number) {
        (Some(entry), _) => entry.uid,
        (None, Some(number)) => number,
        (None, None) => {
            return Err(StartError::new(
                Step::User,
                format!("unable to find user {user}: no matching entries in passwd file"),
            ));
        }
    };
    let gid = match (spec.run_as_group, image_group) {
        (Some(gid), _) => gid,
        (None, Some(name)) => group_entries(group)
            .find(|(known, _, _)| *known == name)
            .map(|(_, gid, _)| gid)
            .or_else(|| name.parse().ok())
            .ok_or_else(|| {
                StartError::new(
                    Step::User,
                    format!("unable to find group {name}: no matching entries in group file"),
                )
            })?,
        (None, None) => entry.as_ref().map_or(0, |entry| entry.gid),
    };
    let mut others: BTreeSet<u32> = spec.supplemental_groups.iter().copied().collect();
    if spec.supplemental_groups_policy == SupplementalGroupsPolicy::Merge
        && let Some(entry) = &entry
    {
        others.extend(
            group_entries(group)
                .filter(|(_, _, members)| members.split(',').any(|member| member == entry.name))
                .map(|(_, gid, _)| gid),
        );
    }
    others.remove(&gid);
    let groups = std::iter::once(gid).chain(others).collect();
    let home = entry
        .map(|entry| entry.home)
        .filter(|home| !home.is_empty())
        .unwrap_or("/");
    Ok(Identity {
        uid,
        gid,
        groups,
        home: home.to_owned(),
    })
}

#[cfg(test)]
mod tests;
