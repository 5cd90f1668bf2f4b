//! What the processes of a cgroup use.

use std::io;
use std::path::Path;

use super::{CgroupHandle, Controller};

/// What a cgroup has used and uses, with those beneath it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on the cpu so far, in ns. `None` where nothing counts it.
    pub cpu_ns: Option<u64>,
    /// Bytes of memory that cannot be reclaimed at once: the usage without inactive pages of files, which is how cAdvisor and
    /// with it the kubelet count. `None` where nothing counts them.
    pub working_set_bytes: Option<u64>,
}

impl CgroupHandle {
    /// Reads the kernel's counts. What cannot be read, such as those of a cgroup that is gone, is not there.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let cpu_ns = match self.v2 {
            // Counted with or without the controller.
            true => self.dirs.first().and_then(|dir| {
                let micros = field(&dir.path, "cpu.stat", "usage_usec").ok()?;
                Some(micros.saturating_mul(1000))
            }),
            false => self
                .with(Controller::Cpuacct)
                .next()
                .and_then(|dir| number(dir, "cpuacct.usage").ok()),
        };
        let (used, inactive) = match self.v2 {
            true => ("memory.current", "inactive_file"),
            false => ("memory.usage_in_bytes", "total_inactive_file"),
        };
        let working_set_bytes = self.with(Controller::Memory).next().and_then(|dir| {
            let used = number(dir, used).ok()?;
            let inactive = field(dir, "memory.stat", inactive).unwrap_or(0);
            // Not of the same moment.
            Some(used.saturating_sub(inactive))
        });
        Usage {
            cpu_ns,
            working_set_bytes,
        }
    }
}

fn number(dir: &Path, file: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string(dir.join(file))?;
    text.trim().parse().map_err(|_| malformed(file))
}

/// A line of `name value`.
fn field(dir: &Path, file: &str, name: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string(dir.join(file))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .ok_or_else(|| malformed(file))
}

fn malformed(file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{file} is not as expected"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Dir;
    use super::*;

    fn handle(v2: bool, path: &Path) -> CgroupHandle {
        CgroupHandle {
            v2,
            dirs: vec![Dir {
                path: path.to_owned(),
                controllers: Controller::ALL.to_vec(),
            }],
        }
    }

    fn put(dir: &Path, file: &str, text: &str) {
        std::fs::write(dir.join(file), text).expect("write");
    }

    #[test]
    fn v2_counts_microseconds_and_the_whole_subtree() {
        let dir = tempfile::tempdir().expect("tempdir");
        put(
            dir.path(),
            "cpu.stat",
            "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n",
        );
        put(dir.path(), "memory.current", "1000000\n");
        put(
            dir.path(),
            "memory.stat",
            "anon 5\nactive_file 7\ninactive_file 400000\n",
        );
        let usage = handle(true, dir.path()).usage();
        assert_eq!(
            (usage.cpu_ns, usage.working_set_bytes),
            (Some(1_500_000), Some(600_000))
        );
    }

    #[test]
    fn v1_counts_nanoseconds_and_has_totals_of_the_subtree() {
        let dir = tempfile::tempdir().expect("tempdir");
        put(dir.path(), "cpuacct.usage", "123456789\n");
        put(dir.path(), "memory.usage_in_bytes", "1000\n");
        put(
            dir.path(),
            "memory.stat",
            "inactive_file 1\ntotal_inactive_file 1500\n",
        );
        let usage = handle(false, dir.path()).usage();
        assert_eq!(
            (usage.cpu_ns, usage.working_set_bytes),
            (Some(123_456_789), Some(0))
        );
    }

    #[test]
    fn a_cgroup_that_is_gone_uses_nothing_known() {
        let dir = tempfile::tempdir().expect("tempdir");
        for v2 in [false, true] {
            let gone = dir.path().join("gone");
            assert_eq!(handle(v2, &gone).usage(), Usage::default());
        }
        let none = CgroupHandle {
            v2: false,
            dirs: Vec::new(),
        };
        assert_eq!(none.usage(), Usage::default());
    }
}
