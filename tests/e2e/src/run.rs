//! Runs a case's command, in namespaces of its own and for no longer than it may.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::case::Case;
use crate::filter::Filter;
use crate::stage::{self, Stage};

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No folder to run in.
    #[error("prepare the case's folder")]
    Stage(#[from] stage::Error),
    /// The namespaces' program.
    #[error("start timeout and unshare")]
    Start(#[source] io::Error),
    /// What the command wrote.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The namespaces could not be set up.
    #[error("set up the case's namespaces: {0}")]
    Inside(String),
    /// A filter.
    #[error("make the filters")]
    Filter(#[from] regex::Error),
}

/// What a command did, after filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Its exit code; 128+n when signal n ended it.
    pub code: i32,
    /// What it wrote.
    pub stdout: String,
    /// What it wrote there.
    pub stderr: String,
    /// What was found after it, a line each.
    pub leftover: String,
    /// It was killed because it took too long.
    pub timed_out: bool,
}

/// Runs the command of a case.
pub fn run(case: &Case, stage: &Stage) -> Result<Transcript, Error> {
    let place = stage.place(&case.name)?;
    let inside = stage.repository.join("tests/e2e/inside");
    let status = Command::new("timeout")
        // Killed with the namespace's first process, whatever runs in there is gone.
        .args([
            "--signal=KILL",
            &case.settings.timeout.as_secs().to_string(),
        ])
        .args(["unshare", "--mount", "--net", "--pid", "--ipc", "--uts"])
        .args(["--fork", "--kill-child", "--mount-proc", "--"])
        .arg(&inside)
        .current_dir(&case.dir)
        .env_clear()
        .env("PATH", path(&stage.bin))
        .env("HOME", &place.work)
        .env("TMPDIR", &place.work)
        .env("LANG", "C.UTF-8")
        .env("PILLION_ROOT", &place.root)
        .env("STAGE", &place.dir)
        .env("WORK", &place.work)
        .env("EXAMPLES", stage.repository.join("examples"))
        .env(
            "IMAGES",
            stage.repository.join("tests/images/.cache/rootfs"),
        )
        .env("CGROUP_BASE", cgroup_base(&place.root))
        // Cases that choose at random say what they chose by, and take it from here.
        .envs(
            ["SEED", "KILLS"]
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(Error::Start)?;
    // `timeout` ends by the signal it sends.
    let timed_out = status.signal() == Some(9);

    let filter = Filter::new(
        &case.filters,
        &[
            (&place.work.to_string_lossy(), "<WORK>"),
            (&place.root.to_string_lossy(), "<ROOT>"),
            (&stage.repository.to_string_lossy(), "<REPOSITORY>"),
        ],
    )?;
    let read = |name: &str| {
        let path = place.dir.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(Error::Read { path, source }),
        }
    };
    let code = read("code")?;
    if code.is_empty() && !timed_out {
        return Err(Error::Inside(format!(
            "{status}: {}",
            read("inside")?.trim_end()
        )));
    }
    Ok(Transcript {
        code: code.trim().parse().unwrap_or(-1),
        stdout: filter.apply(&read("stdout")?),
        stderr: filter.apply(&read("stderr")?),
        leftover: read("leftover")?,
        timed_out,
    })
}

fn path(bin: &Path) -> String {
    format!(
        "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        bin.display()
    )
}

/// The cgroup under which all those of a state directory stand: FNV-1a of its path, as `node::paths` has
/// it. Case `cgroup-base` fails should the two ever differ.
fn cgroup_base(root: &Path) -> String {
    let bytes = root.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("pillion-{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup_base_is_fnv_1a() {
        // Published test vector of the hash.
        assert_eq!(cgroup_base(Path::new("foobar")), "pillion-85944171f73967e8");
    }
}
