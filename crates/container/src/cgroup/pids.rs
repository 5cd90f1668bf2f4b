//! The pids controller: the number of processes and threads.

use std::io;
use std::path::Path;

use super::write;

/// Sets or lifts the limit; the file is the same on both versions.
pub(super) fn apply(dir: &Path, limit: Option<u64>) -> io::Result<()> {
    write(
        dir,
        "pids.max",
        &limit.map_or_else(|| "max".to_owned(), |limit| limit.to_string()),
    )
}
