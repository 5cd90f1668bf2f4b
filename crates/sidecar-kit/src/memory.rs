//! A ceiling of memory, below the one at which the kernel kills.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// More than this is no limit: what cgroup v1 shows where none is set.
const UNLIMITED: u64 = 1 << 60;

/// The smallest memory limit, in bytes, of the cgroup of this process and those above it, v1 and v2; None where there is none.
#[must_use]
pub fn limit() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limit_in(Path::new("/sys/fs/cgroup"), &own)
}

fn limit_in(root: &Path, own: &str) -> Option<u64> {
    let mut least: Option<u64> = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (mount, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            all if all.split(',').any(|one| one == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // In a container that sees only its own part, the path may be that of the host: then the mount itself is the cgroup.
        let own = mount.join(path.trim_start_matches('/'));
        let levels = own
            .ancestors()
            .take_while(|level| level.starts_with(&mount));
        for level in levels {
            let text = fs::read_to_string(level.join(file)).unwrap_or_default();
            let value: Option<u64> = text.trim().parse().ok().filter(|value| *value < UNLIMITED);
            least = [least, value].into_iter().flatten().min();
        }
    }
    least
}

/// Bytes of memory that this process has in use (its resident set).
#[must_use]
pub fn in_use() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// A ceiling: at it new work is refused, until use has fallen some way below it.
#[derive(Debug)]
pub struct Ceiling {
    bytes: Option<u64>,
    in_use: AtomicU64,
    reached: AtomicBool,
}

impl Ceiling {
    /// A ceiling at `configured` bytes, or at nine tenths of `limit`; none without both.
    #[must_use]
    pub fn new(configured: Option<u64>, limit: Option<u64>) -> Self {
        Self {
            bytes: configured.or_else(|| limit.map(|limit| limit / 10 * 9)),
            in_use: AtomicU64::new(0),
            reached: AtomicBool::new(false),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Bytes in use when it was last looked.
    #[must_use]
    pub fn in_use(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Whether new work is to be refused.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// Tells how much is in use. Whether that changed what is to be done.
    pub fn look(&self, in_use: u64) -> bool {
        self.in_use.store(in_use, Ordering::Relaxed);
        let Some(bytes) = self.bytes else {
            return false;
        };
        let reached = if self.is_reached() {
            in_use > bytes / 20 * 19
        } else {
            in_use >= bytes
        };
        self.reached.swap(reached, Ordering::Relaxed) != reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_of_all_levels_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        };
        write("a/memory.max", "1000\n");
        write("a/b/memory.max", "max\n");
        assert_eq!(limit_in(root.path(), "0::/a/b\n"), Some(1000));
        assert_eq!(limit_in(root.path(), "0::/\n"), None);
        write("memory/memory.limit_in_bytes", "500\n");
        write("memory/x/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(
            limit_in(root.path(), "5:cpu:/x\n3:memory:/x\n0::/a\n"),
            Some(500)
        );
        // The path of the host, seen from within a container.
        assert_eq!(
            limit_in(root.path(), "3:memory:/kubepods/pod1\n"),
            Some(500)
        );
    }

    #[test]
    fn work_is_refused_at_the_ceiling_until_use_falls_below_it() {
        let ceiling = Ceiling::new(None, Some(1000));
        assert_eq!(ceiling.bytes(), Some(900));
        assert!(!ceiling.look(899));
        assert!(!ceiling.is_reached());
        assert!(ceiling.look(900));
        assert!(ceiling.is_reached());
        assert!(!ceiling.look(890));
        assert!(ceiling.is_reached());
        assert!(ceiling.look(800));
        assert!(!ceiling.is_reached());
        assert_eq!(Ceiling::new(Some(7), Some(1000)).bytes(), Some(7));
        let none = Ceiling::new(None, None);
        assert!(!none.look(u64::MAX) && !none.is_reached());
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(in_use().is_some_and(|bytes| bytes > 100_000));
    }
}
