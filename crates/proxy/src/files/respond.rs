//! Responses about files.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::time::SystemTime;

use super::Ask;
use super::body::FileBody;
use super::compress::Compressed;
use super::locate::{Coding, Found, Representation, Settings};
use super::range::{self, Ranges};
use super::validator::{Outcome, Validators};
use crate::exchange::decision::Response;
use crate::message::ResponseHead;
use crate::message::framing::BodyLength;
use crate::reason::Failure;

/// The response to `ask`, made at `now`.
///
/// # Errors
/// What stood in the way of compressing.
pub(super) fn respond(
    settings: &Settings,
    ask: &Ask,
    found: Found,
    now: SystemTime,
) -> Result<Response, Failure> {
    match found {
        Found::File(file) => represent(settings, ask, file, now),
        Found::Status(status) => Ok(plain(status, now)),
        Found::Directory => {
            let mut response = plain(301, now);
            put(&mut response.head, "Location", &ask.with_slash());
            Ok(response)
        }
    }
}

/// A response that says no more than its status.
pub(super) fn plain(status: u16, now: SystemTime) -> Response {
    let mut head = head(status, now);
    put(&mut head, "Content-Type", "text/plain; charset=utf-8");
    if status == 405 {
        put(&mut head, "Allow", "GET, HEAD");
    }
    let phrase = String::from_utf8_lossy(head.phrase()).into_owned();
    Response::bytes(head, format!("{status} {phrase}\n"))
}

fn head(status: u16, now: SystemTime) -> ResponseHead {
    let mut head = ResponseHead::new(status);
    put(&mut head, "Date", &httpdate::fmt_http_date(now));
    put(&mut head, "X-Content-Type-Options", "nosniff");
    head
}

/// Adds a field whose value was made or checked here.
fn put(head: &mut ResponseHead, name: &str, value: &str) {
    head.headers_mut()
        .append_parsed(name.as_bytes(), value.as_bytes());
}

fn represent(
    settings: &Settings,
    ask: &Ask,
    file: Representation,
    now: SystemTime,
) -> Result<Response, Failure> {
    let (coding, made) = match file.coding {
        Coding::Identity => (None, false),
        Coding::Beside(coding) => (Some(coding.as_str()), false),
        Coding::Made(coding) => (Some(coding.as_str()), true),
    };
    let state = Validators::new(&file.opened, coding, made, now);
    let size = file.opened.size;
    let outcome = ask.conditions.judge(&state);
    if outcome == Outcome::Failed {
        return Ok(plain(412, now));
    }
    let asked = ask.range.as_deref();
    let ranges = match asked.filter(|_| !made && ask.conditions.allow_range(&state)) {
        Some(asked) if outcome == Outcome::Send => range::read(asked, size),
        _ => Ranges::Whole,
    };
    let mut head = head(
        match (outcome, &ranges) {
            (Outcome::NotModified, _) => 304,
            (_, Ranges::Whole) => 200,
            (_, Ranges::Parts(_)) => 206,
            (_, Ranges::Unsatisfiable) => {
                let mut response = plain(416, now);
                put(
                    &mut response.head,
                    "Content-Range",
                    &format!("bytes */{size}"),
                );
                return Ok(response);
            }
        },
        now,
    );
    describe(settings, &file, &state, &mut head);
    if outcome == Outcome::NotModified {
        return Ok(Response {
            head,
            length: BodyLength::None,
            body: None,
        });
    }
    if let Some(coding) = coding {
        put(&mut head, "Content-Encoding", coding);
    }
    if !made && ranges == Ranges::Whole {
        put(&mut head, "Accept-Ranges", "bytes");
    }
    let media = &file.media.value;
    let body = FileBody::new(file.opened.file);
    Ok(match (file.coding, ranges) {
        (Coding::Made(coding), _) => compressed(head, body, media, size, coding, ask.head_only)?,
        (_, Ranges::Parts(parts)) => match parts.as_slice() {
            [part] => one_part(head, body, media, part.clone(), size),
            parts => several_parts(head, body, media, parts, size),
        },
        _ => {
            put(&mut head, "Content-Type", media);
            whole(head, body, 0..size)
        }
    })
}

/// The fields that a 304 has too.
fn describe(
    settings: &Settings,
    file: &Representation,
    state: &Validators,
    head: &mut ResponseHead,
) {
    if let Some(tag) = state.tag() {
        put(head, "ETag", &tag);
    }
    if let Some(date) = state.date() {
        put(head, "Last-Modified", &date);
    }
    if let Some(value) = &settings.cache_control {
        put(head, "Cache-Control", value);
    }
    if file.varies {
        put(head, "Vary", "Accept-Encoding");
    }
}

fn whole(head: ResponseHead, mut body: FileBody, part: Range<u64>) -> Response {
    body.push_file(part);
    Response {
        head,
        length: BodyLength::Known(body.length()),
        body: Some(Box::new(body)),
    }
}

fn compressed(
    mut head: ResponseHead,
    mut body: FileBody,
    media: &str,
    size: u64,
    coding: crate::config::document::ContentCoding,
    head_only: bool,
) -> Result<Response, Failure> {
    put(&mut head, "Content-Type", media);
    body.push_file(0..size);
    let body: Option<Box<dyn crate::exchange::BodySource>> = if head_only {
        None
    } else {
        Some(Box::new(Compressed::new(body, coding)?))
    };
    Ok(Response {
        head,
        length: BodyLength::Unknown,
        body,
    })
}

fn one_part(
    mut head: ResponseHead,
    body: FileBody,
    media: &str,
    part: Range<u64>,
    size: u64,
) -> Response {
    put(&mut head, "Content-Type", media);
    put(&mut head, "Content-Range", &content_range(&part, size));
    whole(head, body, part)
}

fn several_parts(
    mut head: ResponseHead,
    mut body: FileBody,
    media: &str,
    parts: &[Range<u64>],
    size: u64,
) -> Response {
    let boundary = boundary();
    let value = format!("multipart/byteranges; boundary={boundary}");
    put(&mut head, "Content-Type", &value);
    let mut before = "";
    for part in parts {
        let range = content_range(part, size);
        body.push_text(format!(
            "{before}--{boundary}\r\nContent-Type: {media}\r\nContent-Range: {range}\r\n\r\n"
        ));
        body.push_file(part.clone());
        before = "\r\n";
    }
    body.push_text(format!("\r\n--{boundary}--\r\n"));
    Response {
        head,
        length: BodyLength::Known(body.length()),
        body: Some(Box::new(body)),
    }
}

fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1))
}

/// A text that nobody who writes a file can know in advance.
fn boundary() -> String {
    let random = || {
        std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish()
    };
    format!("{:016x}{:016x}", random(), random())
}
