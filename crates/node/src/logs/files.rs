//! The files of one run's log: `<instance>.log` is being written, `<instance>.log.<n>` are those before it, a higher
//! number the later.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lifecycle::Instance;

/// When a log file is put aside, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRotation {
    /// Most bytes of one file, as the kubelet's `containerLogMaxSize`. A longer record has a file of its own.
    pub max_size: u64,
    /// Most files of one run of a container, as the kubelet's `containerLogMaxFiles`.
    pub max_files: u32,
}

/// The kubelet's: 10 MiB, five files.
impl Default for LogRotation {
    fn default() -> Self {
        Self {
            max_size: 10 << 20,
            max_files: 5,
        }
    }
}

/// One file of a log, being read.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) file: Arc<File>,
    /// Where reading goes on.
    pub(super) at: u64,
}

impl Segment {
    pub(super) fn new(number: u64, file: impl Into<Arc<File>>) -> Self {
        Self {
            number,
            file: file.into(),
            at: 0,
        }
    }
}

/// Where one run of a container has its log.
#[derive(Clone, Debug)]
pub(super) struct LogFiles {
    dir: PathBuf,
    instance: Instance,
}

impl LogFiles {
    /// `dir` is that of the container's logs; it need not exist.
    pub(super) fn new(dir: PathBuf, instance: Instance) -> Self {
        Self { dir, instance }
    }

    /// The runs that have a log in a directory, the oldest first.
    pub(super) fn runs(dir: &Path) -> Vec<Instance> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let instance = |entry: fs::DirEntry| -> Option<Instance> {
            let name = entry.file_name();
            let (instance, _) = name.to_str()?.split_once(".log")?;
            instance.parse().ok()
        };
        let mut runs: Vec<Instance> = entries.filter_map(instance).collect();
        runs.sort_unstable();
        runs.dedup();
        runs
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that is being written.
    pub(super) fn current(&self) -> PathBuf {
        self.dir.join(format!("{}.log", self.instance))
    }

    /// A file that has been put aside.
    pub(super) fn rotated(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{}.log.{number}", self.instance))
    }

    /// Numbers of the files that have been put aside, the oldest first.
    pub(super) fn numbers(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let prefix = format!("{}.log.", self.instance);
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(&prefix));
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Opens all files, the oldest first.
    pub(super) fn open(&self) -> io::Result<Vec<Segment>> {
        let mut segments = Vec::new();
        let numbers = self.numbers()?;
        let current = numbers.last().map_or(0, |last| last + 1);
        let rotated = numbers.into_iter().map(|n| (n, self.rotated(n)));
        for (number, path) in rotated.chain([(current, self.current())]) {
            match File::open(path) {
                Ok(file) => segments.push(Segment::new(number, file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(segments)
    }

    /// Removes all of it. What is already gone is no error.
    pub(super) fn remove(&self) -> io::Result<()> {
        let rotated = self.numbers()?.into_iter().map(|n| self.rotated(n));
        for path in rotated.chain([self.current()]) {
            remove_file(&path)?;
        }
        Ok(())
    }
}

/// Removes a file. That it is already gone is no error.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_knows_its_own_files() {
        let dir = tempfile::tempdir().expect("tempdir");
        let files = LogFiles::new(dir.path().join("app"), 1);
        assert!(files.numbers().expect("none").is_empty());
        fs::create_dir(files.dir()).expect("create");
        let names = [
            "1.log", "1.log.9", "1.log.10", "1.log.x", "11.log.3", "0.log.4",
        ];
        for name in names {
            fs::write(files.dir().join(name), name).expect("write");
        }
        assert_eq!(files.numbers().expect("list"), [9, 10]);
        files.remove().expect("remove");
        files.remove().expect("remove again");
        assert_eq!(LogFiles::runs(files.dir()), [0, 1, 11]);
        let mut left: Vec<_> = fs::read_dir(files.dir())
            .expect("list")
            .map(|entry| entry.expect("entry").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["0.log.4", "1.log.x", "11.log.3"]);
    }
}
