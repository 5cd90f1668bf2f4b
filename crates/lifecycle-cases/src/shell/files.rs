//! Programs about files.

use super::exec::{Fd, Shell};
use crate::sim::fs::{Entry, FileError};

/// The contents of a file, special ones included; none when there is no such file.
pub(super) fn opened(shell: &Shell, path: &str) -> Option<Vec<u8>> {
    let full = shell.path(path);
    match full.as_str() {
        "/dev/null" => return Some(Vec::new()),
        "/dev/stdin" | "/proc/self/fd/0" => return Some(shell.input()),
        "/proc/uptime" => {
            let hundredths = shell.kernel.borrow().now() / 10;
            let text = format!("{}.{:02} 0.00\n", hundredths / 100, hundredths % 100);
            return Some(text.into_bytes());
        }
        _ => {}
    }
    let bytes = shell.image.mounts.read(&full).ok();
    let special = ["/proc/", "/sys/", "/etc/", "/dev/", "/var/run/secrets/"];
    if bytes.is_none() && special.iter().any(|prefix| full.starts_with(prefix)) {
        shell.lacks(format!("reads {full}"));
    }
    bytes
}

/// Flags, long ones included, and what is none of them.
fn sorted(arguments: &[String]) -> (String, Vec<&str>) {
    let flag = |a: &&String| a.starts_with('-') && a.len() > 1;
    let flags = arguments.iter().filter(flag).map(|flag| &flag[1..]);
    let others = arguments.iter().filter(|a| !flag(a)).map(String::as_str);
    (flags.collect(), others.collect())
}

/// Runs one of these programs; nothing when there is none of this name.
pub(super) fn run(shell: &Shell, name: &str, arguments: &[String]) -> Option<i32> {
    let (flags, paths) = sorted(arguments);
    let mounts = &shell.image.mounts;
    let each = |what: &dyn Fn(&str) -> Result<(), FileError>| {
        let mut status = 0;
        for path in &paths {
            if let Err(error) = what(&shell.path(path)) {
                shell.complain(&format!("{name}: {path}: {error}"));
                status = 1;
            }
        }
        status
    };
    let status = match name {
        "cat" => cat(shell, &paths),
        "touch" => each(&|path| match mounts.get(path) {
            None if flags.contains('c') => Ok(()),
            None => mounts.append(path, &[]),
            Some(_) => Ok(()),
        }),
        "rm" | "unlink" => {
            let force = flags.contains('f');
            let all = flags.contains(['r', 'R']);
            each(&|path| match mounts.remove(path, all) {
                Err(FileError::NotFound) if force => Ok(()),
                result => result,
            })
        }
        "mkdir" => each(&|path| mounts.make_directory(path, flags.contains('p'))),
        "rmdir" => each(&|path| mounts.remove_directory(path)),
        "chmod" | "chown" | "chgrp" => paths.iter().skip(1).fold(0, |status, path| {
            let found = mounts.get(&shell.path(path)).is_some();
            if found { status } else { 1 }
        }),
        "mv" | "cp" => copy(shell, name, &paths),
        "ln" => match paths.as_slice() {
            [target, link] if flags.contains('s') => {
                let link = shell.path(link);
                if flags.contains('f') {
                    let _ = mounts.remove(&link, false);
                }
                i32::from(mounts.link(target, &link).is_err())
            }
            _ => {
                shell.lacks("hard links");
                1
            }
        },
        "readlink" => match paths.first().map(|path| mounts.get_link(&shell.path(path))) {
            Some(Some(Entry::Link(target))) => {
                shell.print(&format!("{target}\n"));
                0
            }
            _ => 1,
        },
        "ls" => list(shell, &flags, &paths),
        "cmp" => match paths.as_slice() {
            [one, other] => {
                let (one, other) = (opened(shell, one), opened(shell, other));
                i32::from(one.is_none() || one != other)
            }
            _ => 2,
        },
        "mktemp" => {
            let number = mounts.list("/tmp").len();
            let path = format!("/tmp/tmp.{number:06}");
            let directory = flags.contains('d');
            let made = if directory {
                mounts.make_directory(&path, false)
            } else {
                mounts.append(&path, &[])
            };
            shell.print(&format!("{path}\n"));
            i32::from(made.is_err())
        }
        "tee" => {
            let bytes = shell.input();
            shell.write(1, &bytes);
            each(&|path| {
                if !flags.contains('a') {
                    mounts.truncate(path)?;
                }
                mounts.append(path, &bytes)
            })
        }
        "sync" => 0,
        _ => return None,
    };
    Some(status)
}

fn cat(shell: &Shell, paths: &[&str]) -> i32 {
    let mut status = 0;
    if paths.is_empty() {
        shell.write(1, &shell.input());
    }
    for path in paths {
        let bytes = if *path == "-" {
            Some(shell.input())
        } else {
            opened(shell, path)
        };
        match bytes {
            Some(bytes) => shell.write(1, &bytes),
            None => {
                shell.complain(&format!(
                    "cat: can't open '{path}': No such file or directory"
                ));
                status = 1;
            }
        }
    }
    status
}

fn copy(shell: &Shell, name: &str, paths: &[&str]) -> i32 {
    let Some((target, sources)) = paths.split_last() else {
        return 1;
    };
    let mounts = &shell.image.mounts;
    let target = shell.path(target);
    let into = mounts.get(&target) == Some(Entry::Directory);
    let mut status = 0;
    for source in sources {
        let from = shell.path(source);
        let base = from.rsplit('/').next().unwrap_or_default();
        let to = if into {
            format!("{target}/{base}")
        } else {
            target.clone()
        };
        let copied = match mounts.get(&from) {
            Some(Entry::File(bytes)) => mounts
                .truncate(&to)
                .and_then(|()| mounts.append(&to, &bytes)),
            Some(_) => {
                shell.lacks(format!("{name} of a directory"));
                Ok(())
            }
            None => Err(FileError::NotFound),
        };
        match copied {
            Ok(()) if name == "mv" => {
                let _ = mounts.remove(&from, false);
            }
            Ok(()) => {}
            Err(error) => {
                shell.complain(&format!("{name}: can't stat '{source}': {error}"));
                status = 1;
            }
        }
    }
    status
}

fn list(shell: &Shell, flags: &str, paths: &[&str]) -> i32 {
    let mounts = &shell.image.mounts;
    if flags.contains(['l', 'i', 's']) {
        shell.lacks("ls with details");
    }
    let paths = if paths.is_empty() { &["."] } else { paths };
    let mut status = 0;
    for path in paths {
        let full = shell.path(path);
        match mounts.get(&full) {
            Some(Entry::Directory) if !flags.contains('d') => {
                let hidden = flags.contains(['a', 'A']);
                for name in mounts.list(&full) {
                    if hidden || !name.starts_with('.') {
                        shell.print(&format!("{name}\n"));
                    }
                }
            }
            Some(_) => shell.print(&format!("{path}\n")),
            None => {
                shell.complain(&format!("ls: {path}: No such file or directory"));
                status = 1;
            }
        }
    }
    status
}

/// What a filter reads: the files it names, or else standard input. None when a file is not there.
pub(super) fn inputs(shell: &Shell, paths: &[&str]) -> Option<Vec<u8>> {
    if paths.is_empty() {
        return Some(match &shell.fds[0] {
            Fd::Input(_) => shell.input(),
            _ => Vec::new(),
        });
    }
    let mut all = Vec::new();
    for path in paths {
        all.extend(opened(shell, path)?);
    }
    Some(all)
}
