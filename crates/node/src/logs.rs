//! What containers write: read from their pipes, written to log files, handed on, kept for termination messages,
//! given to those who are attached, and read again by those who come later.
//!
//! ```text
//!   pipe -> Pump -> Recorder (a thread): <pod dir>/logs/<container>/<instance>.log -> Output
//!             |                                              |
//!             +-> Taps (attach)                              +-> Cursor -> LogStream (logs)
//! ```

mod backward;
mod cri;
mod cursor;
mod files;
mod pump;
mod recorder;
mod request;
mod run_log;
mod stream;
mod tail;
mod tap;

use std::sync::Arc;
use std::time::Duration;

use lifecycle::Instance;

use self::cri::Stamp;
use self::cursor::{Source, Wanted};
use self::files::LogFiles;
pub use self::files::LogRotation;
pub(crate) use self::pump::{KeptPumps, Pumps};
pub(crate) use self::recorder::Recorder;
pub(crate) use self::request::select;
pub use self::request::{LogError, LogRequest, Since};
pub(crate) use self::run_log::RunLog;
pub use self::stream::LogStream;
pub(crate) use self::tap::Tap;
use crate::clock::Clock;
use crate::paths::PodPaths;

/// Reads what is wanted of the log of a run that [`select`] has found. `own` is its log where this process writes it or
/// has written it.
pub(crate) fn read(
    recorder: &Recorder,
    paths: &PodPaths,
    (container, instance): (String, Instance),
    own: Option<Arc<RunLog>>,
    request: &LogRequest,
) -> LogStream {
    let source = match own {
        Some(log) => Source::Own(log),
        None => Source::Files(LogFiles::new(paths.logs(&container), instance)),
    };
    let wanted = Wanted {
        tail_lines: request.tail_lines,
        since: request.since.map(|since| stamp(since, recorder.clock())),
        timestamps: request.timestamps,
        limit_bytes: request.limit_bytes,
        stream: request.stream,
    };
    let settled = recorder.settled();
    LogStream::start(container, source, wanted, request.follow, settled)
}

/// Removes the log of a run that has not come about.
pub(crate) fn discard(paths: &PodPaths, container: &str, instance: Instance) {
    // What is left of it is a file too many, which goes with the Pod.
    let _ = LogFiles::new(paths.logs(container), instance).remove();
}

/// The newest run of a container whose runner is gone: each has a log from before its process was started. Logs that
/// are older than the run before it are removed.
pub(crate) fn newest_run(paths: &PodPaths, container: &str) -> Option<Instance> {
    let mut runs = LogFiles::runs(&paths.logs(container));
    let newest = runs.pop()?;
    runs.pop();
    runs.into_iter()
        .for_each(|old| discard(paths, container, old));
    Some(newest)
}

fn stamp(since: Since, clock: Clock) -> Stamp {
    Stamp::new(match since {
        Since::Time(time) => time,
        Since::Seconds(seconds) => clock
            .timestamp()
            .checked_sub(Duration::from_secs(seconds))
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
