//! Logs from pipe to reader, with true files.

mod disk;
mod follow;
mod model;

use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::cursor::{Cursor, Source, Then, Wanted};
use super::files::LogFiles;
use super::run_log::{Progress, RunLog};
use super::{LogRequest, LogRotation, LogStream, Recorder, discard, newest_run, read};
use crate::clock::Clock;
use crate::output::{LogSource, Output, Stream};
use crate::paths::{Paths, PodPaths};

const SMALL: LogRotation = LogRotation {
    max_size: 200,
    max_files: 5,
};

/// A Pod's directory.
struct Place {
    _root: TempDir,
    paths: PodPaths,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("tempdir");
        let paths = Paths::new(Some(root.path())).pod("uid");
        Self { _root: root, paths }
    }

    /// The log of a run of `app` that begins, by a process that has just been started.
    fn begin(&self, rotation: LogRotation) -> Arc<RunLog> {
        let source = LogSource {
            pod: "pod".into(),
            container: "app".into(),
            instance: 0,
        };
        Arc::new(RunLog::begin(source, &self.paths, rotation).expect("begin"))
    }

    fn files(&self) -> LogFiles {
        LogFiles::new(self.paths.logs("app"), 0)
    }

    /// What is in the files, the oldest first.
    fn contents(&self) -> Vec<String> {
        let files = self.files();
        let rotated = files.numbers().expect("list").into_iter();
        let paths = rotated.map(|n| files.rotated(n)).chain([files.current()]);
        paths
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .collect()
    }
}

fn append(log: &RunLog, stream: Stream, bytes: &[u8]) -> Option<String> {
    append_at(log, 0, stream, bytes)
}

fn append_at(log: &RunLog, nanosecond: i64, stream: Stream, bytes: &[u8]) -> Option<String> {
    let time = Timestamp::from_nanosecond(nanosecond.into()).expect("a time");
    log.append([(time, stream, bytes)].into_iter(), &mut Vec::new())
}

/// All that is wanted of a log as it is now.
fn read_now(source: Source, wanted: &Wanted) -> Vec<u8> {
    let (mut cursor, progress) = Cursor::open(source, wanted).expect("open");
    let upto = Progress {
        ended: true,
        ..progress
    };
    let mut all = Vec::new();
    loop {
        let (bytes, then) = cursor.read(upto).expect("read");
        all.extend(bytes);
        if then == Then::End {
            return all;
        }
    }
}

async fn rest(stream: &mut LogStream) -> String {
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        all.extend(piece.expect("a piece"));
    }
    String::from_utf8(all).expect("utf-8")
}

#[test]
fn files_are_put_aside_when_full_and_the_oldest_removed() {
    let place = Place::new();
    let log = place.begin(SMALL);
    // 46 bytes each as a record: four to a file.
    for n in 100..118 {
        append(&log, Stream::Stdout, format!("n {n}\n").as_bytes());
    }
    let contents = place.contents();
    let lines: Vec<usize> = contents.iter().map(|file| file.lines().count()).collect();
    assert_eq!(lines, [4, 4, 4, 4, 2]);
    assert!(contents[0].starts_with("1970-01-01T00:00:00.000000000Z stdout F n 100\n"));
    append(&log, Stream::Stdout, b"n 118\nn 119\nn 120\n");
    let contents = place.contents();
    assert_eq!(contents.len(), 5);
    assert!(contents[0].contains("n 104\n") && contents[4].ends_with("n 120\n"));
    assert_eq!(place.files().numbers().expect("list"), [1, 2, 3, 4]);
}

#[test]
fn a_record_longer_than_a_file_has_one_of_its_own() {
    let place = Place::new();
    let log = place.begin(SMALL);
    let long = vec![b'x'; 1000];
    for piece in [b"a\n".as_slice(), &long, b"b\n"] {
        append(&log, Stream::Stdout, piece);
    }
    let lengths: Vec<usize> = place.contents().iter().map(String::len).collect();
    assert_eq!(lengths, [42, 1041, 42]);
    let expected = [b"a\n", long.as_slice(), b"b\n"].concat();
    assert_eq!(read_now(Source::Own(log), &Wanted::default()), expected);
}

#[test]
fn another_process_goes_on_where_one_was_killed() {
    let place = Place::new();
    let log = place.begin(SMALL);
    for n in 0..6 {
        append(&log, Stream::Stdout, format!("n {n}\n").as_bytes());
    }
    drop(log);
    let cut = "1970-01-01T00:00:01.000000000Z stderr F half a li";
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(place.files().current())
        .expect("open");
    std::io::Write::write_all(&mut file, cut.as_bytes()).expect("write");

    let files = || Source::Files(place.files());
    let now = |wanted: &Wanted| String::from_utf8(read_now(files(), wanted)).expect("utf-8");
    assert_eq!(
        now(&Wanted::default()),
        "n 0\nn 1\nn 2\nn 3\nn 4\nn 5\nhalf a li"
    );
    let tail_lines = Some(2);
    let tail = Wanted {
        tail_lines,
        ..Wanted::default()
    };
    assert_eq!(now(&tail), "n 5\nhalf a li");

    let log = place.begin(SMALL);
    let before = read_now(Source::Own(Arc::clone(&log)), &tail);
    // The cut line has an end now, so that no other goes on in it.
    assert_eq!(String::from_utf8_lossy(&before), "n 5\nhalf a li\n");
    append(&log, Stream::Stdout, b"again\n");
    assert_eq!(now(&tail), "half a li\nagain\n");
    // What is cut within its time says nothing.
    std::io::Write::write_all(&mut file, b"1970-01-01T00").expect("write");
    assert_eq!(now(&tail), "half a li\nagain\n");
}

#[test]
fn a_run_has_its_log_from_the_beginning() {
    let place = Place::new();
    assert_eq!(newest_run(&place.paths, "app"), None);
    drop(place.begin(SMALL));
    assert_eq!(place.contents(), [""]);
    assert_eq!(newest_run(&place.paths, "app"), Some(0));
    discard(&place.paths, "app", 0);
    assert_eq!(newest_run(&place.paths, "app"), None);

    for name in ["0.log", "0.log.3", "9.log", "10.log"] {
        std::fs::write(place.paths.logs("app").join(name), name).expect("write");
    }
    assert_eq!(newest_run(&place.paths, "app"), Some(10));
    let runs = LogFiles::runs(&place.paths.logs("app"));
    assert_eq!(runs, [9, 10], "only the last two are kept");
}

#[test]
fn the_end_of_a_long_log_is_read_alone() {
    let place = Place::new();
    let log = place.begin(LogRotation::default());
    let lines: String = (0..500_000).map(|n| format!("line {n}\n")).collect();
    append(&log, Stream::Stdout, lines.as_bytes());
    let wanted = Wanted {
        tail_lines: Some(2),
        ..Wanted::default()
    };
    let before = read_by_this_thread();
    let tail = read_now(Source::Own(log), &wanted);
    assert_eq!(String::from_utf8_lossy(&tail), "line 499998\nline 499999\n");
    assert!(read_by_this_thread() - before < 1 << 20);
}

/// Bytes that read calls of this thread have given.
fn read_by_this_thread() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").expect("io");
    let count = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.expect("rchar").parse().expect("a number")
}

#[tokio::test]
async fn a_log_is_there_as_soon_as_its_output_has_been_handed_over() {
    let place = Place::new();
    let (output, messages) = Output::channel();
    let recorder = Recorder::start(output, Clock::start()).expect("recorder");
    let log = place.begin(LogRotation::default());
    let request = LogRequest::default();
    let run = || ("app".to_owned(), 0);
    let own = || Some(Arc::clone(&log));
    for n in 0..100_000 {
        let line = format!("line {n}\n").into_bytes();
        recorder.log(&log, Stream::Stdout, line, None);
        // Nobody need read what is handed on.
    }
    let mut all = read(&recorder, &place.paths, run(), own(), &request);
    let expected: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    assert!(rest(&mut all).await == expected);
    drop(messages);

    recorder.remove(&place.paths, "app", 0);
    let mut none = read(&recorder, &place.paths, run(), None, &request);
    assert_eq!(rest(&mut none).await, "");
    assert!(place.contents().is_empty());
}
