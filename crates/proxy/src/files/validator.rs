//! Which state of a file a client has, and whether it needs another: entity tags, dates and the fields about them
//! (RFC 9110, 8.8 and 13). Pure.
//!
//! A tag is made of size and time, so that all replicas of a Pod agree about a file, and no byte of it has to be read. Two
//! cases are kept from that: a file that was changed within the last second may change again without another time, so its tag
//! is weak; and builds that give all files one constant time (1970, 1980) make releases that nobody could tell
//! apart by it, so such files have neither tag nor date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::open::Opened;
use crate::message::RequestHead;

/// Times up to the end of 1980 are constants: 0 and 1 of Nix, OSTree and Bazel, 1 January 1980 of ZIP.
const CONSTANT_BEFORE: i64 = 347_155_200;

/// How old a change is that certainly shows in the time. Kernels take it from a clock that ticks at least 100 times a second.
const SETTLED: Duration = Duration::from_secs(1);

/// What tells the states of a representation apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// The tag, with its quotes.
    tag: Option<String>,
    /// Whether equal tags mean equal bytes.
    strong: bool,
    /// Whole seconds since 1970.
    modified: Option<u64>,
    /// Whether an equal time means equal bytes.
    settled: bool,
}

impl Validators {
    /// Those of a file, seen at `now`, sent in `coding`. `made`: the coding is made on the fly, by whatever version of a
    /// library there is, so that replicas may differ in bytes.
    pub fn new(file: &Opened, coding: Option<&str>, made: bool, now: SystemTime) -> Self {
        let (seconds, nanoseconds) = file.modified;
        let at = u64::try_from(seconds)
            .ok()
            .filter(|_| seconds >= CONSTANT_BEFORE);
        let age = at.and_then(|at| {
            let time = UNIX_EPOCH.checked_add(Duration::new(at, nanoseconds))?;
            now.duration_since(time).ok()
        });
        let settled = age.is_some_and(|age| age > SETTLED);
        let suffix = coding.map_or(String::new(), |coding| format!("-{coding}"));
        Self {
            tag: at.map(|at| format!("\"{:x}-{at:x}.{nanoseconds:x}{suffix}\"", file.size)),
            strong: settled && !made,
            // One in the future is none that a client could use.
            modified: at.filter(|_| age.is_some()),
            settled: settled && !made,
        }
    }

    /// `ETag`.
    pub fn tag(&self) -> Option<String> {
        let tag = self.tag.as_ref()?;
        Some(if self.strong {
            tag.clone()
        } else {
            format!("W/{tag}")
        })
    }

    /// `Last-Modified`.
    pub fn date(&self) -> Option<String> {
        let seconds = self.modified?;
        Some(httpdate::fmt_http_date(
            UNIX_EPOCH + Duration::from_secs(seconds),
        ))
    }
}

/// Under which conditions a client wants a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    if_match: Option<Vec<u8>>,
    if_none_match: Option<Vec<u8>>,
    if_modified_since: Option<u64>,
    if_unmodified_since: Option<u64>,
    if_range: Option<Vec<u8>>,
}

/// What follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The file is sent.
    Send,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not the one that the client means.
    Failed,
}

impl Conditions {
    /// Those of a request with GET or HEAD.
    pub fn of(head: &RequestHead) -> Self {
        let list = |name| {
            let values: Vec<&[u8]> = head.headers().get_all(name).collect();
            (!values.is_empty()).then(|| values.join(b", ".as_slice()))
        };
        // Not a date, or several: as if the field were not there.
        let date = |name| {
            let mut values = head.headers().get_all(name);
            let date = read_date(values.next()?);
            date.filter(|_| values.next().is_none())
        };
        Self {
            if_match: list("If-Match"),
            if_none_match: list("If-None-Match"),
            if_modified_since: date("If-Modified-Since"),
            if_unmodified_since: date("If-Unmodified-Since"),
            if_range: head.headers().get("If-Range").map(<[u8]>::to_owned),
        }
    }

    /// Judges them in the order of RFC 9110, 13.2.2.
    pub fn judge(&self, state: &Validators) -> Outcome {
        let strong = state.tag.as_deref().filter(|_| state.strong);
        if let Some(tags) = &self.if_match {
            if !lists(tags, strong, false) {
                return Outcome::Failed;
            }
        } else if let (Some(since), Some(modified)) = (self.if_unmodified_since, state.modified)
            && modified > since
        {
            return Outcome::Failed;
        }
        if let Some(tags) = &self.if_none_match {
            if lists(tags, state.tag.as_deref(), true) {
                return Outcome::NotModified;
            }
        } else if let (Some(since), Some(modified)) = (self.if_modified_since, state.modified)
            && modified <= since
        {
            return Outcome::NotModified;
        }
        Outcome::Send
    }

    /// Whether a part may be sent: the client has the rest of this very state (13.1.5).
    pub fn allow_range(&self, state: &Validators) -> bool {
        let Some(given) = &self.if_range else {
            return true;
        };
        if given.contains(&b'"') {
            let strong = state.tag.as_deref().filter(|_| state.strong);
            return strong.is_some_and(|tag| tag.as_bytes() == given);
        }
        state.settled && state.modified.is_some() && read_date(given) == state.modified
    }
}

/// Whether a list of tags, or `*`, has `tag`. `weak`: by the weak comparison (8.8.3.2).
fn lists(list: &[u8], tag: Option<&str>, weak: bool) -> bool {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return true;
    }
    loop {
        let separators = rest
            .iter()
            .take_while(|byte| matches!(byte, b',' | b' ' | b'\t'));
        rest = &rest[separators.count()..];
        let is_weak = rest.starts_with(b"W/");
        let quoted = if is_weak { &rest[2..] } else { rest };
        if quoted.first() != Some(&b'"') {
            return false;
        }
        let Some(end) = quoted[1..].iter().position(|byte| *byte == b'"') else {
            return false;
        };
        let (one, behind) = quoted.split_at(end + 2);
        if (weak || !is_weak) && tag.is_some_and(|tag| tag.as_bytes() == one) {
            return true;
        }
        rest = behind;
    }
}

/// A date in any of the three forms (5.6.7), in seconds since 1970.
fn read_date(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
