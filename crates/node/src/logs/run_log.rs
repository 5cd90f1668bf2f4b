//! The log of one run of a container: written record by record, rotated, and told how far it is.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::cri::{self, Record, Stamp};
use super::files::{LogFiles, LogRotation, Segment, remove_file};
use crate::output::{LogSource, Stream};
use crate::paths::PodPaths;
use crate::pod::disk_error;

/// Bytes that are written at once.
const WRITE: usize = 64 << 10;

/// How far a log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Number of the file that is being written: one more than that of the last one that was put aside.
    pub(super) number: u64,
    /// Bytes of it that may be read.
    pub(super) length: u64,
    /// The run has ended and all of its output is here.
    pub(super) ended: bool,
}

/// The log of one run of a container. One thread writes it, any number read the files; those who follow are woken.
#[derive(Debug)]
pub(crate) struct RunLog {
    source: LogSource,
    files: LogFiles,
    rotation: LogRotation,
    writer: Mutex<Writer>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct Writer {
    /// None where opening it again has failed, or the run has ended.
    file: Option<Arc<File>>,
    /// All files, the one being written last. They stay open for those who are reading when the Pod's directory goes.
    segments: VecDeque<Segment>,
    number: u64,
    length: u64,
    /// The output that could not be written since the last record that could.
    gap: Option<Gap>,
}

#[derive(Debug)]
struct Gap {
    bytes: usize,
    cause: String,
}

/// A write that went wrong.
struct Failed {
    step: &'static str,
    path: PathBuf,
    source: io::Error,
    /// How much of the records is in the file all the same.
    kept: usize,
}

impl RunLog {
    /// The log of a run that is about to begin. The file is there from now on, as the proof that there was such a run; what
    /// an earlier process has left in it is gone on with.
    pub(crate) fn begin(
        source: LogSource,
        paths: &PodPaths,
        rotation: LogRotation,
    ) -> Result<Self, String> {
        let files = LogFiles::new(paths.logs(&source.container), source.instance);
        // What cannot be read need not keep the run from beginning.
        let mut segments = VecDeque::from(files.open().unwrap_or_default());
        let numbers = files.numbers().unwrap_or_default();
        let number = numbers.last().map_or(0, |last| last + 1);
        segments.retain(|segment| segment.number < number);
        let mut writer = Writer {
            number,
            segments,
            ..Writer::default()
        };
        writer.open(&files).map_err(Failed::in_words)?;
        let progress = watch::Sender::new(writer.progress());
        Ok(Self {
            source,
            files,
            rotation,
            writer: Mutex::new(writer),
            progress,
        })
    }

    pub(super) fn source(&self) -> &LogSource {
        &self.source
    }

    /// Appends output, each chunk with the time at which it was read. What cannot be written is left out, and the
    /// gap marked when writing goes on. Gives a sentence for people when a gap begins.
    pub(super) fn append<'a>(
        &self,
        chunks: impl Iterator<Item = (Timestamp, Stream, &'a [u8])>,
        scratch: &mut Vec<u8>,
    ) -> Option<String> {
        let mut writer = self.writer();
        let mut failure = None;
        scratch.clear();
        for (time, stream, bytes) in chunks {
            let time = Stamp::new(time);
            for piece in cri::pieces(bytes) {
                let record = Record::of(time, stream, piece);
                let size = scratch.len() + record.len();
                if !scratch.is_empty() && (size > WRITE || !writer.has_room(size, &self.rotation)) {
                    failure = failure.or(writer.put(scratch, &self.files, &self.rotation));
                    scratch.clear();
                }
                record.push_to(scratch);
            }
        }
        failure = failure.or(writer.put(scratch, &self.files, &self.rotation));
        // Under the writer's lock, so that files and progress fit together for whoever opens them.
        self.progress.send_replace(writer.progress());
        failure
    }

    /// Takes note that all output of the run has been appended.
    pub(super) fn end(&self, time: Timestamp) {
        let mut writer = self.writer();
        if let Some(gap) = writer.gap.take() {
            // There may be room by now; if not, nothing more can be done.
            let record = gap.mark(Stamp::new(time));
            let _ = writer.put(&record, &self.files, &self.rotation);
        }
        writer.file = None;
        self.progress.send_replace(Progress {
            ended: true,
            ..writer.progress()
        });
    }

    /// How far the log is, now and later.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The files from `number` on, and how far they may be read.
    pub(super) fn segments(&self, number: u64) -> (Vec<Segment>, Progress) {
        let writer = self.writer();
        let wanted = writer.segments.iter().filter(|one| one.number >= number);
        (wanted.cloned().collect(), *self.progress.borrow())
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn progress(&self) -> Progress {
        Progress {
            number: self.number,
            length: self.length,
            ended: false,
        }
    }

    fn has_room(&self, bytes: usize, rotation: &LogRotation) -> bool {
        self.length.saturating_add(bytes as u64) <= rotation.max_size
    }

    /// Writes whole records, of which no more than the first does not fit into one file.
    fn put(&mut self, records: &[u8], files: &LogFiles, rotation: &LogRotation) -> Option<String> {
        let failed = self.try_put(records, files, rotation).err()?;
        let lost = records[failed.kept..].split_inclusive(|byte| *byte == b'\n');
        let lost = lost.filter_map(|line| Record::parse(line.strip_suffix(b"\n").unwrap_or(line)));
        let bytes: usize = lost.map(|record| record.written()).sum();
        if let Some(gap) = &mut self.gap {
            gap.bytes += bytes;
            return None;
        }
        let cause = failed.source.to_string();
        self.gap = Some(Gap { bytes, cause });
        Some(format!(
            "{}; the container goes on, but what it writes meanwhile is missing from its log",
            failed.in_words()
        ))
    }

    fn try_put(
        &mut self,
        records: &[u8],
        files: &LogFiles,
        rotation: &LogRotation,
    ) -> Result<(), Failed> {
        let Some(time) = Record::parse(
            records
                .split(|byte| *byte == b'\n')
                .next()
                .unwrap_or_default(),
        )
        .map(|record| record.time) else {
            return Ok(());
        };
        if self.length > 0 && !self.has_room(records.len(), rotation) {
            self.rotate(files, rotation)?;
        }
        self.open(files)?;
        if let Some(gap) = &self.gap {
            let mark = gap.mark(time);
            self.write(&mark, files)
                .map_err(|failed| Failed { kept: 0, ..failed })?;
            self.gap = None;
        }
        self.write(records, files)
    }

    fn rotate(&mut self, files: &LogFiles, rotation: &LogRotation) -> Result<(), Failed> {
        let (from, to) = (files.current(), files.rotated(self.number));
        match fs::rename(&from, &to) {
            // Somebody has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed.map_err(|source| Failed::new("put aside", from, source))?,
        }
        self.file = None;
        self.number += 1;
        self.length = 0;
        let kept = u64::from(rotation.max_files);
        self.segments.retain(|old| old.number + kept > self.number);
        let numbers = files.numbers().unwrap_or_default();
        for old in numbers
            .into_iter()
            .take_while(|old| old + kept <= self.number)
        {
            let path = files.rotated(old);
            remove_file(&path).map_err(|source| Failed::new("remove", path, source))?;
        }
        Ok(())
    }

    fn open(&mut self, files: &LogFiles) -> Result<(), Failed> {
        if self.file.is_some() {
            return Ok(());
        }
        let path = files.current();
        let opened = || -> io::Result<_> {
            fs::create_dir_all(files.dir())?;
            let mut options = OpenOptions::new();
            let options = options.read(true).append(true).create(true);
            let file = Arc::new(options.mode(0o600).open(&path)?);
            let mut length = file.metadata()?.len();
            let mut last = [b'\n'];
            if length > 0 {
                file.read_exact_at(&mut last, length - 1)?;
            }
            // Its writer died within a line.
            if last != [b'\n'] {
                (&*file).write_all(b"\n")?;
                length += 1;
            }
            Ok((file, length))
        };
        let (file, length) = opened().map_err(|source| Failed::new("open", path, source))?;
        self.segments.retain(|old| old.number < self.number);
        self.segments
            .push_back(Segment::new(self.number, Arc::clone(&file)));
        self.file = Some(file);
        self.length = length;
        Ok(())
    }

    /// Writes records to the file that is open: as many whole ones as there is room for.
    fn write(&mut self, records: &[u8], files: &LogFiles) -> Result<(), Failed> {
        let Some(mut file) = self.file.as_deref() else {
            return Ok(());
        };
        let mut written = 0;
        let failure = loop {
            match file.write(&records[written..]) {
                Ok(0) if written < records.len() => break io::ErrorKind::WriteZero.into(),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error,
            }
            if written == records.len() {
                self.length += records.len() as u64;
                return Ok(());
            }
        };
        let kept = memchr::memrchr(b'\n', &records[..written]).map_or(0, |at| at + 1);
        self.length += kept as u64;
        if kept < written && file.set_len(self.length).is_err() {
            // Opened again, it gets an end to its cut line.
            self.file = None;
        }
        Err(Failed {
            kept,
            ..Failed::new("write", files.current(), failure)
        })
    }
}

impl Failed {
    fn new(step: &'static str, path: PathBuf, source: io::Error) -> Self {
        Self {
            step,
            path,
            source,
            kept: 0,
        }
    }

    fn in_words(self) -> String {
        disk_error(self.step, &self.path, &self.source)
    }
}

impl Gap {
    /// The record that stands where output is missing.
    fn mark(&self, time: Stamp) -> Vec<u8> {
        let text = cri::remark(&format!(
            "{} bytes of output are missing here: {}",
            self.bytes, self.cause
        ));
        let record = Record {
            time,
            stream: Stream::Stderr,
            full: true,
            text: &text,
        };
        let mut line = Vec::new();
        record.push_to(&mut line);
        line
    }
}
