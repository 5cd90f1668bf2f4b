//! Files that change while a sidecar runs: certificates, keys, configuration, mounted by a kubelet or written by hand.
//!
//! What counts is the content. Directories are watched (a watch on a file is lost when the file is replaced, and a kubelet
//! replaces the link `..data` to all files at once), but an event is only a reason to look: a change is reported when a hash of
//! all files is another one. The same look is taken every few seconds in any case, because watches can be too
//! few (`fs.inotify.max_user_watches`) and some file systems have no events.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::inotify;
use sha2::{Digest, Sha256};
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout, timeout_at};

mod chain;

#[cfg(test)]
mod tests;

/// How often files are looked at without an event.
const POLL: Duration = Duration::from_secs(5);
/// How long there has to be no event before files are looked at: whoever writes several files is then done.
const SETTLE: Duration = Duration::from_millis(100);
/// How long events may hold a look back.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most bytes of a file that count. Beyond, only its length does.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Watches files. It is made and used within a tokio runtime.
#[derive(Debug)]
pub struct Watch {
    files: BTreeSet<PathBuf>,
    seen: [u8; 32],
    events: Option<Events>,
    /// An event was read of which nothing has been made yet.
    due: bool,
    poll: Interval,
    settle: Duration,
    degraded: Option<String>,
}

impl Watch {
    /// Watches `files` from their present contents on. Files that do not exist (yet) are fine.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self::with(files, Events::new(), POLL, SETTLE)
    }

    fn with(
        files: impl IntoIterator<Item = PathBuf>,
        events: io::Result<Events>,
        every: Duration,
        settle: Duration,
    ) -> Self {
        let mut poll = interval_at(Instant::now() + every, every);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch = Self {
            files: BTreeSet::new(),
            seen: [0; 32],
            degraded: events.as_ref().err().map(|why| format!("inotify: {why}")),
            events: events.ok(),
            due: false,
            poll,
            settle,
        };
        watch.watch(files);
        watch
    }

    /// Watches `files` instead, from their present contents on.
    pub fn watch(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        self.files = files.into_iter().collect();
        self.seen = self.look();
        self.due = false;
    }

    /// Waits until the contents of the files are others than those last reported, or first seen. Nothing is lost when this is
    /// dropped and called again.
    pub async fn changed(&mut self) {
        loop {
            if !self.due {
                let events = self.events.as_ref();
                tokio::select! {
                    () = Events::next(events) => self.due = true,
                    _ = self.poll.tick() => {}
                }
            }
            if self.due {
                let patience = Instant::now() + PATIENCE;
                let settled = async {
                    while timeout(self.settle, Events::next(self.events.as_ref()))
                        .await
                        .is_ok()
                    {}
                };
                let _ = timeout_at(patience, settled).await;
            }
            self.due = false;
            let now = self.look();
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Why changes are only noticed by looking every few seconds, if so.
    #[must_use]
    pub fn degraded(&self) -> Option<&str> {
        self.degraded.as_deref()
    }

    /// Watches the directories that matter now, then hashes: a change after the hash is an event.
    fn look(&mut self) -> [u8; 32] {
        if let Some(events) = &mut self.events {
            self.degraded = events
                .follow(&self.files)
                .err()
                .map(|why| format!("inotify: {why}"));
        }
        let mut all = Sha256::new();
        for path in &self.files {
            let content = hash(path);
            let name = path.as_os_str().as_encoded_bytes();
            all.update((name.len() as u64).to_le_bytes());
            all.update(name);
            all.update([u8::from(content.is_some())]);
            all.update(content.unwrap_or_default());
        }
        all.finalize().into()
    }
}

/// A hash of a file's content; none if it cannot be read.
fn hash(path: &PathBuf) -> Option<[u8; 32]> {
    // What is no file (a pipe) is not opened: that might block.
    let length = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?
        .len();
    let mut file = File::open(path).ok()?.take(LIMIT);
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(count) => hash.update(&block[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    if length > LIMIT {
        hash.update(length.to_le_bytes());
    }
    Some(hash.finalize().into())
}

/// The kernel's events about directories.
#[derive(Debug)]
struct Events {
    descriptor: AsyncFd<OwnedFd>,
    /// By watch: the names in its directory that matter.
    names: BTreeMap<i32, BTreeSet<OsString>>,
}

impl Events {
    fn new() -> io::Result<Self> {
        let descriptor =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        Ok(Self {
            descriptor: sys::watch::readable(descriptor)?,
            names: BTreeMap::new(),
        })
    }

    /// Watches each directory in which a name decides what one of `files` is, and no other.
    fn follow(&mut self, files: &BTreeSet<PathBuf>) -> io::Result<()> {
        use inotify::WatchFlags as Flags;
        let flags = Flags::CREATE
            | Flags::DELETE
            | Flags::MOVE
            | Flags::MODIFY
            | Flags::CLOSE_WRITE
            | Flags::ATTRIB
            | Flags::DELETE_SELF
            | Flags::MOVE_SELF
            | Flags::ONLYDIR;
        let all = || {
            files
                .iter()
                .flat_map(|path| chain::links(path))
                .collect::<BTreeSet<_>>()
        };
        let mut links = all();
        let mut failed = Ok(());
        // Who makes links as fast as this is served by the next look.
        for _ in 0..8 {
            let mut names: BTreeMap<i32, BTreeSet<OsString>> = BTreeMap::new();
            failed = Ok(());
            for (directory, name) in &links {
                match inotify::add_watch(self.descriptor.get_ref(), directory, flags) {
                    Ok(watch) => {
                        names.entry(watch).or_default().insert(name.clone());
                    }
                    Err(error) => failed = Err(io::Error::from(error)),
                }
            }
            self.replace(names);
            // What was made after it was looked for and before it was watched has no event.
            let now = all();
            if now == links {
                break;
            }
            links = now;
        }
        failed
    }

    /// Ends the watches that are no longer needed.
    fn replace(&mut self, names: BTreeMap<i32, BTreeSet<OsString>>) {
        for old in self.names.keys().filter(|old| !names.contains_key(old)) {
            // The kernel has dropped it already if the directory is gone.
            let _ = inotify::remove_watch(self.descriptor.get_ref(), *old);
        }
        self.names = names;
    }

    /// Waits for events that matter. Without a descriptor, for ever.
    async fn next(events: Option<&Self>) {
        let Some(events) = events else {
            return std::future::pending().await;
        };
        loop {
            let Ok(mut ready) = events.descriptor.readable().await else {
                return std::future::pending().await;
            };
            let mut matters = false;
            let mut space = [MaybeUninit::uninit(); 4096];
            let mut reader = inotify::Reader::new(events.descriptor.get_ref(), &mut space);
            while let Ok(event) = reader.next() {
                let name = event.file_name().map(|name| name.to_bytes());
                let of_watch = events.names.get(&event.wd());
                // An event without a name is about a directory itself, or says that events were lost.
                matters |= name.is_none_or(|name| {
                    of_watch
                        .is_some_and(|names| names.iter().any(|own| own.as_encoded_bytes() == name))
                });
            }
            ready.clear_ready();
            if matters {
                return;
            }
        }
    }
}
