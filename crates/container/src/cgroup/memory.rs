//! The memory controller: limit, group kill, and the count of kills.

use std::io;
use std::path::Path;

use super::write;

/// Sets or lifts the limit. Swap is not allowed on top of it, as the kubelet's default has it.
pub(super) fn apply(dir: &Path, v2: bool, bytes: Option<u64>) -> io::Result<()> {
    if v2 {
        let value = bytes.map_or_else(|| "max".to_owned(), |bytes| bytes.to_string());
        // Missing where the kernel accounts no swap; then there is nothing to forbid.
        let _ = write(
            dir,
            "memory.swap.max",
            if bytes.is_some() { "0" } else { "max" },
        );
        return write(dir, "memory.max", &value);
    }
    let value = bytes.map_or_else(|| "-1".to_owned(), |bytes| bytes.to_string());
    // memory + swap may never be below memory, so the order depends on the direction: try, raise the other, try again.
    let first = write(dir, "memory.limit_in_bytes", &value);
    let _ = write(dir, "memory.memsw.limit_in_bytes", &value);
    first.or_else(|_| write(dir, "memory.limit_in_bytes", &value))
}

/// Whether there is a limit. None is `max`, and on v1 the largest number of whole pages.
pub(super) fn is_limited(dir: &Path, v2: bool) -> bool {
    let file = match v2 {
        true => "memory.max",
        false => "memory.limit_in_bytes",
    };
    let text = std::fs::read_to_string(dir.join(file));
    let bytes = text.ok().and_then(|text| text.trim().parse::<u64>().ok());
    bytes.is_some_and(|bytes| bytes < 1 << 62)
}

/// The whole container dies when one of its processes must (R13.9). Linux 4.19.
pub(super) fn kill_as_a_group(dir: &Path) {
    let _ = write(dir, "memory.oom.group", "1");
}

/// Makes limits count for the whole subtree, which v1 does by itself only since Linux 5.11.
pub(super) fn use_hierarchy(dir: &Path) {
    let _ = write(dir, "memory.use_hierarchy", "1");
}

/// The `oom_kill` counter.
pub(super) fn oom_kills(dir: &Path, v2: bool) -> io::Result<u64> {
    let file = if v2 {
        "memory.events"
    } else {
        "memory.oom_control"
    };
    let text = std::fs::read_to_string(dir.join(file))?;
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{file} has no oom_kill"),
            )
        })
}
