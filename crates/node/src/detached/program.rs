//! The program that a supervisor begins anew with: what stands where its own came from.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::process::Command;

/// What the kernel adds to the name of a program whose file was replaced.
const REPLACED: &[u8] = b" (deleted)";
/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Notes where this program came from, before that can change.
pub(super) fn remember() -> io::Result<()> {
    own().map(drop)
}

/// The file that stands where the running program came from: its own, or what has replaced that.
pub(super) fn current() -> io::Result<PathBuf> {
    standing_at(&own()?)
}

fn standing_at(own: &Path) -> io::Result<PathBuf> {
    let path = match own.as_os_str().as_bytes().strip_suffix(REPLACED) {
        Some(before) if !own.exists() => PathBuf::from(OsStr::from_bytes(before)),
        _ => own.to_owned(),
    };
    let checked = rustix::fs::access(&path, rustix::fs::Access::EXEC_OK);
    checked.map_err(|error| named(&path, io::Error::from(error)))?;
    Ok(path)
}

/// Whether the program that would be begun anew with is one: it is asked for its version. One that is copied only half, or
/// is something else, would take the Pod's containers with it.
///
/// # Errors
/// Why it would not do, with its path.
pub async fn try_program() -> io::Result<()> {
    ask(&current()?).await
}

async fn ask(path: &Path) -> io::Result<()> {
    let mut command = Command::new(path);
    let command = command.arg("--version").stdin(Stdio::null());
    let asked = command.stderr(Stdio::null()).kill_on_drop(true).output();
    let answer = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| named(path, error))?,
        Err(_) => {
            return Err(named(path, io::Error::other("it does not say its version")));
        }
    };
    if answer.status.success() && answer.stdout.starts_with(b"pillion ") {
        return Ok(());
    }
    let text = format!("it is no working pillion (--version: {})", answer.status);
    Err(named(path, io::Error::other(text)))
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Where this process' program came from when it began. Later the kernel follows the file where it was moved to, as when an
/// older program is kept under another name.
fn own() -> io::Result<PathBuf> {
    static OWN: OnceLock<PathBuf> = OnceLock::new();
    if let Some(own) = OWN.get() {
        return Ok(own.clone());
    }
    let own = std::env::current_exe()?;
    Ok(OWN.get_or_init(|| own).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_replaced_the_program_is_begun() {
        let root = tempfile::tempdir().expect("tempdir");
        let path = root.path().join("pillion");
        let replaced = root.path().join("pillion (deleted)");
        let error = standing_at(&replaced).expect_err("it is gone");
        assert!(
            error.to_string().contains("pillion: No such file"),
            "{error}"
        );
        std::fs::copy("/proc/self/exe", &path).expect("copy");
        assert_eq!(standing_at(&path).expect("its own"), path);
        assert_eq!(standing_at(&replaced).expect("the new one"), path);
        std::fs::copy(&path, &replaced).expect("copy");
        assert_eq!(standing_at(&replaced).expect("an odd name"), replaced);
    }

    #[tokio::test]
    async fn what_is_no_working_program_is_not_begun() {
        let root = tempfile::tempdir().expect("tempdir");
        let half = root.path().join("half");
        let own = std::fs::read("/proc/self/exe").expect("own");
        std::fs::write(&half, &own[..own.len().min(40_000)]).expect("write");
        let other = root.path().join("other");
        std::fs::write(&other, "#!/bin/sh\nexit 0\n").expect("write");
        let sound = root.path().join("sound");
        std::fs::write(&sound, "#!/bin/sh\necho pillion 1.2.3\n").expect("write");
        for path in [&half, &other, &sound] {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(path, mode).expect("mode");
        }
        assert!(ask(&half).await.is_err());
        let error = ask(&other).await.expect_err("it says nothing");
        assert!(error.to_string().contains("no working pillion"), "{error}");
        ask(&sound).await.expect("it says its version");
    }
}
