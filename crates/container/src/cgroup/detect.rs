//! Finding the cgroup file systems in `/proc/self/mountinfo`.

use std::io;
use std::path::PathBuf;

use super::{Cgroups, Controller, Hierarchy, Mode};

impl Cgroups {
    /// Reads `/proc/self/mountinfo`.
    ///
    /// # Errors
    /// The error of reading it, or `InvalidData` when it is not UTF-8.
    pub fn detect() -> io::Result<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        Ok(Self::from_mountinfo(&mounts))
    }

    /// What a mount table in the format of `/proc/self/mountinfo` says. Of v2 it also reads `cgroup.controllers`, since the
    /// table does not name its controllers.
    #[must_use]
    pub fn from_mountinfo(text: &str) -> Self {
        let mut v1: Vec<Hierarchy> = Vec::new();
        let mut v2: Option<Hierarchy> = None;
        for line in text.lines() {
            let Some(mount) = Line::parse(line) else {
                continue;
            };
            match mount.fs_type {
                "cgroup" => {
                    let controllers: Vec<Controller> = Controller::ALL
                        .into_iter()
                        .filter(|c| mount.super_options.split(',').any(|o| o == c.name()))
                        .collect();
                    // The same hierarchy may be mounted twice; the first place will do.
                    let seen = v1.iter().any(|h| h.controllers == controllers);
                    if !controllers.is_empty() && !seen {
                        v1.push(Hierarchy {
                            mount: mount.point,
                            controllers,
                        });
                    }
                }
                "cgroup2" if v2.is_none() => {
                    let available = std::fs::read_to_string(mount.point.join("cgroup.controllers"))
                        .unwrap_or_default();
                    let controllers = Controller::ALL
                        .into_iter()
                        .filter(|c| available.split_whitespace().any(|name| name == c.name()))
                        .collect();
                    v2 = Some(Hierarchy {
                        mount: mount.point,
                        controllers,
                    });
                }
                _ => {}
            }
        }
        match (v1.is_empty(), v2) {
            (true, None) => Self {
                mode: Mode::None,
                hierarchies: Vec::new(),
            },
            (true, Some(v2)) => Self {
                mode: Mode::V2,
                hierarchies: vec![v2],
            },
            (false, None) => Self {
                mode: Mode::V1,
                hierarchies: v1,
            },
            (false, Some(_)) => Self {
                mode: Mode::Hybrid,
                hierarchies: v1,
            },
        }
    }
}

/// The fields of a line that matter here.
struct Line<'a> {
    point: PathBuf,
    fs_type: &'a str,
    super_options: &'a str,
}

impl<'a> Line<'a> {
    /// `36 35 98:0 /root /mount/point options optional... - type source super-options`
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let point = unescape(before.split(' ').nth(4)?);
        let mut after = after.split(' ');
        let fs_type = after.next()?;
        let super_options = after.nth(1)?;
        Some(Self {
            point,
            fs_type,
            super_options,
        })
    }
}

/// Space, tab, newline and backslash are octal escapes in the table.
fn unescape(path: &str) -> PathBuf {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escaped = rest
            .get(at + 1..at + 4)
            .and_then(|code| u8::from_str_radix(code, 8).ok());
        match escaped {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    PathBuf::from(out)
}
