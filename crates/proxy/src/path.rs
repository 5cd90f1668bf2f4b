//! The one form of a path that is compared with routes and sent to backends, so that no spelling gets around a rule.
//!
//! - `//` is one `/`; `.` and `..` are taken away (RFC 3986, 5.2.4), and what would climb above the root is refused.
//! - `%XX` of letters, digits, `-`, `.`, `_` and `~` is the character itself (6.2.2.2), other escapes are written in upper
//!   case (6.2.2.1), and what no path may hold unescaped is escaped.
//! - An escape that is none, a NUL, and dot segments with parameters (`..;x`, which Java servers take for `..`) are
//!   refused.
//!
//! That form is forwarded. It is compared with all escapes read as what they stand for, except `%25`, `%2F`, `%5C`,
//! control characters and what is no UTF-8. Whether `%2F` is a slash is for the backend to say, so there is a second
//! reading in which it is (`%5C` too): [`crate::route`] refuses requests that take another rule by it, and dot segments
//! in it are refused here.

use std::borrow::Cow;

/// Why a path has no form that everybody reads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with a slash.
    #[error("the path does not begin with /")]
    Relative,
    /// A percent sign without two hexadecimal digits.
    #[error("the path has a percent sign that begins no escape")]
    Escape,
    /// A NUL.
    #[error("the path holds a NUL")]
    Nul,
    /// `..` beyond the root.
    #[error("the path climbs above the root")]
    AboveRoot,
    /// A dot segment that only some would see.
    #[error("the path has a dot segment in disguise")]
    Disguised,
}

/// A path in its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normal<'a> {
    forward: Cow<'a, str>,
    matching: Option<String>,
    second: Option<String>,
}

impl Normal<'_> {
    /// The path to forward.
    #[must_use]
    pub fn forward(&self) -> &str {
        &self.forward
    }

    /// The path to compare.
    #[must_use]
    pub fn matching(&self) -> &str {
        self.matching.as_deref().unwrap_or(&self.forward)
    }

    /// The path to compare where escaped slashes count as slashes, when that differs.
    #[must_use]
    pub fn second_reading(&self) -> Option<&str> {
        self.second.as_deref()
    }

    /// Whether it differs from what was received.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        matches!(self.forward, Cow::Owned(_))
    }

    /// What of the path to forward stands behind so many elements: empty, or from a slash on.
    #[must_use]
    pub fn behind(&self, elements: usize) -> &str {
        behind(&self.forward, elements)
    }
}

fn behind(path: &str, elements: usize) -> &str {
    let mut slashes = path.match_indices('/');
    slashes.nth(elements).map_or("", |(at, _)| &path[at..])
}

/// Brings a path, as it came, into its forms.
///
/// # Errors
/// What makes it unreadable.
pub fn normalize(path: &[u8]) -> Result<Normal<'_>, PathFault> {
    if path.first() != Some(&b'/') {
        return Err(PathFault::Relative);
    }
    if is_plain(path)
        && let Ok(text) = std::str::from_utf8(path)
    {
        return Ok(Normal {
            forward: Cow::Borrowed(text),
            matching: None,
            second: None,
        });
    }
    let forward = resolve(path)?;
    let (matching, second) = if forward.contains('%') {
        (Some(decode(&forward, false)), second_reading(&forward)?)
    } else {
        (None, None)
    };
    let forward = if forward.as_bytes() == path {
        Cow::Borrowed(std::str::from_utf8(path).unwrap_or("/"))
    } else {
        Cow::Owned(forward)
    };
    Ok(Normal {
        forward,
        matching,
        second,
    })
}

/// A path of the configuration in the form in which it is compared; what is unreadable stays as it is.
#[must_use]
pub fn matching_form(path: &str) -> String {
    normalize(path.as_bytes())
        .map_or_else(|_| path.to_owned(), |normal| normal.matching().to_owned())
}

/// Whether a text has only characters and escapes that a path may have.
#[must_use]
pub fn is_valid(path: &str) -> bool {
    let bytes = path.as_bytes();
    let escape = |at: usize| {
        matches!(bytes.get(at + 1..at + 3), Some([high, low])
        if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    };
    !bytes.is_empty()
        && bytes.iter().enumerate().all(|(at, byte)| match byte {
            b'%' => escape(at),
            byte => *byte == b'/' || is_pchar(*byte),
        })
}

/// Characters of path elements that need no escape (RFC 3986, 3.3).
fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Whether nothing is to be done: by far the most paths.
fn is_plain(path: &[u8]) -> bool {
    let mut after_slash = false;
    path.iter().all(|byte| {
        let plain = match byte {
            b'/' => !after_slash,
            b'.' => !after_slash,
            byte => is_pchar(*byte),
        };
        after_slash = *byte == b'/';
        plain
    })
}

/// The form to forward.
fn resolve(path: &[u8]) -> Result<String, PathFault> {
    let mut whole = String::with_capacity(path.len() + 8);
    let mut elements = path[1..].split(|byte| *byte == b'/').peekable();
    while let Some(element) = elements.next() {
        let last = elements.peek().is_none();
        let start = whole.len();
        whole.push('/');
        canonical(element, &mut whole)?;
        match &whole[start + 1..] {
            "" | "." => whole.truncate(start),
            ".." => {
                whole.truncate(start);
                let parent = whole.rfind('/').ok_or(PathFault::AboveRoot)?;
                whole.truncate(parent);
            }
            element if is_disguised(element) => return Err(PathFault::Disguised),
            _ => continue,
        }
        if last {
            whole.push('/');
        }
    }
    Ok(whole)
}

/// `.` or `..` with parameters.
fn is_disguised(element: &str) -> bool {
    let name = element.split(';').next().unwrap_or("");
    name != element && (name == "." || name == "..")
}

/// Appends an element with its escapes in one form.
fn canonical(element: &[u8], into: &mut String) -> Result<(), PathFault> {
    let mut at = 0;
    while at < element.len() {
        let mut byte = element[at];
        let mut escaped = false;
        at += 1;
        if byte == b'%' {
            byte = escape(&element[at..]).ok_or(PathFault::Escape)?;
            escaped = true;
            at += 2;
        }
        match byte {
            0 => return Err(PathFault::Nul),
            byte if is_unreserved(byte) || !escaped && is_pchar(byte) => into.push(byte.into()),
            byte => push_escape(byte, into),
        }
    }
    Ok(())
}

pub(crate) fn escape(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn push_escape(byte: u8, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    into.push('%');
    into.push(DIGITS[usize::from(byte >> 4)].into());
    into.push(DIGITS[usize::from(byte & 15)].into());
}

/// The form to compare of a form to forward.
fn decode(forward: &str, slashes: bool) -> String {
    let bytes = forward.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = (bytes[at] == b'%')
            .then(|| escape(&bytes[at + 1..]))
            .flatten();
        match byte {
            None => {
                decoded.push(bytes[at]);
                at += 1;
                continue;
            }
            Some(b'/' | b'\\') if slashes => decoded.push(b'/'),
            Some(b'%' | b'/' | b'\\' | 0..=0x1f | 0x7f) => {
                decoded.extend_from_slice(&bytes[at..at + 3]);
            }
            Some(byte) => decoded.push(byte),
        }
        at += 3;
    }
    let mut text = String::with_capacity(decoded.len());
    for chunk in decoded.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            push_escape(*byte, &mut text);
        }
    }
    text
}

/// The reading in which escaped slashes are slashes, if there are any.
fn second_reading(forward: &str) -> Result<Option<String>, PathFault> {
    if !forward.contains("%2F") && !forward.contains("%5C") {
        return Ok(None);
    }
    let decoded = decode(forward, true);
    let mut second = String::with_capacity(decoded.len());
    for element in decoded.split('/').filter(|element| !element.is_empty()) {
        if element == "." || element == ".." || is_disguised(element) {
            return Err(PathFault::Disguised);
        }
        second.push('/');
        second.push_str(element);
    }
    if decoded.ends_with('/') {
        second.push('/');
    }
    Ok(Some(second))
}

#[cfg(test)]
mod tests;
