//! Header fields: in order, in the case received, looked up without regard to case.

use std::cell::RefCell;

#[cfg(test)]
mod tests;

/// Names that the proxy itself has to do with, so that they are compared once, when a field is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the field of that name")]
pub enum Known {
    Connection,
    ContentLength,
    Date,
    Expect,
    Host,
    Http2Settings,
    KeepAlive,
    ProxyConnection,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    /// Any other name.
    Other,
}

impl Known {
    /// Which of them `name` is.
    pub fn of(name: &[u8]) -> Self {
        let (text, known): (&[u8], Self) =
            match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
                (2, Some(b't')) => (b"te", Self::Te),
                (4, Some(b'h')) => (b"host", Self::Host),
                (4, Some(b'd')) => (b"date", Self::Date),
                (6, Some(b'e')) => (b"expect", Self::Expect),
                (7, Some(b'u')) => (b"upgrade", Self::Upgrade),
                (7, Some(b't')) => (b"trailer", Self::Trailer),
                (10, Some(b'c')) => (b"connection", Self::Connection),
                (10, Some(b'k')) => (b"keep-alive", Self::KeepAlive),
                (14, Some(b'c')) => (b"content-length", Self::ContentLength),
                (14, Some(b'h')) => (b"http2-settings", Self::Http2Settings),
                (16, Some(b'p')) => (b"proxy-connection", Self::ProxyConnection),
                (17, Some(b't')) => (b"transfer-encoding", Self::TransferEncoding),
                _ => return Self::Other,
            };
        if name.eq_ignore_ascii_case(text) {
            known
        } else {
            Self::Other
        }
    }
}

/// A range in the bytes of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}

#[derive(Clone, Copy)]
struct Entry {
    name: Span,
    value: Span,
    known: Known,
}

/// A field as it came: a name and a value without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// In the case received.
    pub name: &'a [u8],
    /// Any bytes but CR, LF and NUL.
    pub value: &'a [u8],
    /// Which of the names that matter here it is.
    pub known: Known,
}

/// A name that is not a token, or a value with a control character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name or the value of a header field")]
pub struct InvalidField;

/// The header fields of a message, or its trailers.
pub struct Headers {
    /// Names and values, and whatever else a head has.
    pub(super) bytes: Vec<u8>,
    entries: Vec<Entry>,
}

thread_local! {
    static POOL: RefCell<Vec<(Vec<u8>, Vec<Entry>)>> = const { RefCell::new(Vec::new()) };
}

/// What the pool of a thread keeps, and how large each may be.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 8 * 1024;

impl Default for Headers {
    fn default() -> Self {
        Self::new()
    }
}

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        let (bytes, entries) =
            pooled.unwrap_or_else(|| (Vec::with_capacity(1024), Vec::with_capacity(24)));
        Self { bytes, entries }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.entries.iter().map(|entry| self.field(*entry))
    }

    fn field(&self, entry: Entry) -> Field<'_> {
        Field {
            name: entry.name.of(&self.bytes),
            value: entry.value.of(&self.bytes),
            known: entry.known,
        }
    }

    /// The value of the first field called `name`, in whatever case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// The values of all fields called `name`, in whatever case, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let matches = move |field: &Field<'a>| field.name.eq_ignore_ascii_case(name.as_bytes());
        self.iter().filter(matches).map(|field| field.value)
    }

    /// The value of the first field of a name that matters here.
    pub fn known(&self, known: Known) -> Option<&[u8]> {
        self.all_known(known).next()
    }

    /// The values of all fields of a name that matters here.
    pub fn all_known(&self, known: Known) -> impl Iterator<Item = &[u8]> {
        self.entries
            .iter()
            .filter(move |entry| entry.known == known)
            .map(|entry| entry.value.of(&self.bytes))
    }

    /// The elements of all fields of that name, split at commas, without white space and empty ones.
    pub fn elements(&self, known: Known) -> impl Iterator<Item = &[u8]> {
        self.all_known(known)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Whether an element of the fields of that name is `element`, in whatever case.
    pub fn has_element(&self, known: Known, element: &str) -> bool {
        self.elements(known)
            .any(|each| each.eq_ignore_ascii_case(element.as_bytes()))
    }

    /// Adds a field behind the others.
    ///
    /// # Errors
    /// A name that is not a token, a value with a control character (RFC 9110, 5.5): nothing is added.
    pub fn append(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        if !is_token(name.as_bytes()) || !is_value(value) {
            return Err(InvalidField);
        }
        self.append_parsed(name.as_bytes(), value);
        Ok(())
    }

    /// Gives `name` this value alone: in the place of the first field of that name, else behind the others.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn set(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        if !is_token(name.as_bytes()) || !is_value(value) {
            return Err(InvalidField);
        }
        let value_at = self.store(value);
        let mut found = false;
        let bytes = &self.bytes;
        self.entries.retain_mut(|entry| {
            if !entry.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()) {
                return true;
            }
            entry.value = value_at;
            !std::mem::replace(&mut found, true)
        });
        if !found {
            let entry = Entry {
                name: self.store(name.as_bytes()),
                value: value_at,
                known: Known::of(name.as_bytes()),
            };
            self.entries.push(entry);
        }
        Ok(())
    }

    /// Takes away all fields called `name`, in whatever case.
    pub fn remove(&mut self, name: &str) {
        self.retain(|field| !field.name.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// Takes away all fields of a name that matters here.
    pub fn remove_known(&mut self, known: Known) {
        self.entries.retain(|entry| entry.known != known);
    }

    /// Takes away the fields for which `keep` is false.
    pub fn retain(&mut self, mut keep: impl FnMut(Field<'_>) -> bool) {
        let bytes = &self.bytes;
        self.entries.retain(|entry| {
            keep(Field {
                name: entry.name.of(bytes),
                value: entry.value.of(bytes),
                known: entry.known,
            })
        });
    }

    /// Adds a field that a parser has checked already.
    pub fn append_parsed(&mut self, name: &[u8], value: &[u8]) {
        let entry = Entry {
            name: self.store(name),
            value: self.store(value),
            known: Known::of(name),
        };
        self.entries.push(entry);
    }

    /// Keeps `bytes`, and says where. Past 4 GiB (the limit of a head is far below) nothing is kept.
    pub(super) fn store(&mut self, bytes: &[u8]) -> Span {
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let Some(end) = u32::try_from(bytes.len())
            .ok()
            .and_then(|count| start.checked_add(count))
        else {
            return Span::default();
        };
        self.bytes.extend_from_slice(bytes);
        Span { start, end }
    }
}

impl Clone for Headers {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.bytes.extend_from_slice(&self.bytes);
        copy.entries.extend_from_slice(&self.entries);
        copy
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        let (mut bytes, mut entries) = (
            std::mem::take(&mut self.bytes),
            std::mem::take(&mut self.entries),
        );
        if bytes.capacity() == 0 || bytes.capacity() > KEPT_BYTES {
            return;
        }
        bytes.clear();
        entries.clear();
        // At the end of a thread its pool may be gone already: then they are freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push((bytes, entries));
            }
        });
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = String::from_utf8_lossy;
        formatter
            .debug_map()
            .entries(
                self.iter()
                    .map(|field| (text(field.name), text(field.value))),
            )
            .finish()
    }
}

/// Whether `name` is a token (RFC 9110, 5.6.2): what methods and names of fields are made of.
pub(crate) fn is_token(name: &[u8]) -> bool {
    let of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(of_token)
}

/// Whether `value` can be the value of a field: no control characters but tabs.
pub(crate) fn is_value(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| *byte >= b' ' && *byte != 0x7f || *byte == b'\t')
}
