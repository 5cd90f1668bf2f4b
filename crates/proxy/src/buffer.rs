//! Memory for bytes on their way through.
//!
//! A [`Buffer`] takes its storage from a pool of the thread when bytes arrive, and gives it back when the last of them
//! is dropped: a connection on which nothing happens owns none. Storage comes in two sizes, for heads with small bodies
//! and for the stream of a large body. Parts of one storage can be owned separately ([`Buffer::split_to`]), so a body is
//! taken out from between chunk headers without a copy.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

#[cfg(test)]
mod tests;

/// How large a storage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 16 KiB: a head and a small body, or one TLS record.
    Small,
    /// 80 KiB: what the kernel hands over of a large body in one call.
    Large,
}

impl Size {
    /// The bytes that a storage of this size holds.
    pub const fn bytes(self) -> usize {
        match self {
            Size::Small => 16 * 1024,
            Size::Large => 80 * 1024,
        }
    }

    /// How many storages the pool of a thread keeps: 1 MiB and 1.25 MiB. More than that goes back to the allocator, so
    /// that memory falls again after a burst.
    const fn kept(self) -> usize {
        match self {
            Size::Small => 64,
            Size::Large => 16,
        }
    }
}

type Storage = Box<[u8]>;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { small: Vec::new(), large: Vec::new() }) };
}

struct Pool {
    small: Vec<Rc<Storage>>,
    large: Vec<Rc<Storage>>,
}

impl Pool {
    fn of(&mut self, size: Size) -> &mut Vec<Rc<Storage>> {
        match size {
            Size::Small => &mut self.small,
            Size::Large => &mut self.large,
        }
    }
}

/// A run of bytes in pooled storage, and free room behind it.
#[derive(Default)]
pub struct Buffer {
    storage: Option<Rc<Storage>>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// A buffer without storage. It costs nothing until [`reserve`](Self::reserve).
    pub const fn new() -> Self {
        Self {
            storage: None,
            start: 0,
            end: 0,
        }
    }

    /// A buffer with storage of `size`.
    pub fn with_size(size: Size) -> Self {
        let storage = POOL
            .try_with(|pool| pool.borrow_mut().of(size).pop())
            .ok()
            .flatten()
            .unwrap_or_else(|| Rc::new(vec![0; size.bytes()].into_boxed_slice()));
        Self {
            storage: Some(storage),
            start: 0,
            end: 0,
        }
    }

    /// A buffer that holds a copy of `bytes`, at most [`Size::Large`]; what does not fit is left out.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let size = if bytes.len() > Size::Small.bytes() {
            Size::Large
        } else {
            Size::Small
        };
        let mut buffer = Self::with_size(size);
        buffer.put(bytes);
        buffer
    }

    /// The bytes in it.
    pub fn bytes(&self) -> &[u8] {
        match &self.storage {
            Some(storage) => &storage[self.start..self.end],
            None => &[],
        }
    }

    /// The bytes in it, to be changed in place: none where others own a part of the storage.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match self.storage.as_mut().and_then(Rc::get_mut) {
            Some(storage) => &mut storage[self.start..self.end],
            None => &mut [],
        }
    }

    /// How many bytes are in it.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether it holds no bytes.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Makes room behind the bytes: takes storage where there is none, and moves the bytes to the front of storage of
    /// their own where nothing is free or others own a part of it. Afterwards [`spare`](Self::spare) is not empty, unless the
    /// bytes fill storage of `size`.
    pub fn reserve(&mut self, size: Size) {
        let shared = match &mut self.storage {
            None => {
                *self = Self::with_size(size);
                return;
            }
            Some(storage) => Rc::get_mut(storage).is_none(),
        };
        if self.is_empty() && !shared {
            (self.start, self.end) = (0, 0);
        }
        let capacity = self.storage.as_ref().map_or(0, |storage| storage.len());
        if shared || capacity < size.bytes() && self.end == capacity {
            let size = if self.len() >= size.bytes() {
                Size::Large
            } else {
                size
            };
            let mut moved = Self::with_size(size);
            moved.put(self.bytes());
            *self = moved;
        } else if self.end == capacity && self.start > 0 {
            let (start, end) = (self.start, self.end);
            if let Some(storage) = self.storage.as_mut().and_then(Rc::get_mut) {
                storage.copy_within(start..end, 0);
                (self.start, self.end) = (0, end - start);
            }
        }
    }

    /// The free room behind the bytes: empty without storage, or where others own a part of it.
    pub fn spare(&mut self) -> &mut [u8] {
        match self.storage.as_mut().and_then(Rc::get_mut) {
            Some(storage) => &mut storage[self.end..],
            None => &mut [],
        }
    }

    /// `count` bytes were written into [`spare`](Self::spare).
    pub fn filled(&mut self, count: usize) {
        let capacity = self.storage.as_ref().map_or(0, |storage| storage.len());
        self.end = (self.end + count).min(capacity);
    }

    /// Appends of `bytes` what fits, and says how many those were.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare();
        let count = bytes.len().min(spare.len());
        spare[..count].copy_from_slice(&bytes[..count]);
        self.filled(count);
        count
    }

    /// Drops the first `count` bytes.
    pub fn advance(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Takes the first `count` bytes out, without a copy.
    pub fn split_to(&mut self, count: usize) -> Buffer {
        let middle = (self.start + count).min(self.end);
        if middle == self.end {
            return std::mem::take(self);
        }
        let first = Buffer {
            storage: self.storage.clone(),
            start: self.start,
            end: middle,
        };
        self.start = middle;
        first
    }

    /// Gives the storage back when there are no bytes in it.
    pub fn release_if_empty(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(mut storage) = self.storage.take() else {
            return;
        };
        if Rc::get_mut(&mut storage).is_none() {
            return;
        }
        let size = if storage.len() == Size::Small.bytes() {
            Size::Small
        } else {
            Size::Large
        };
        // At the end of a thread its pool may be gone already: then the storage is freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            let free = pool.of(size);
            if free.len() < size.kept() {
                free.push(storage);
            }
        });
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Buffer({:?})",
            String::from_utf8_lossy(self.bytes())
        )
    }
}

/// A piece of a body. Never empty when a body source hands it out.
#[derive(Debug)]
pub enum Chunk {
    /// In storage of this thread's pool.
    Pooled(Buffer),
    /// In shared memory: from the h2 crate, a file, an answer made here.
    Shared(Bytes),
}

impl Chunk {
    /// The bytes of it.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Pooled(buffer) => buffer.bytes(),
            Chunk::Shared(bytes) => bytes,
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Drops the first `count` bytes.
    pub fn advance(&mut self, count: usize) {
        match self {
            Chunk::Pooled(buffer) => buffer.advance(count),
            Chunk::Shared(bytes) => bytes::Buf::advance(bytes, count.min(bytes.len())),
        }
    }
}

impl bytes::Buf for Chunk {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes()
    }

    fn advance(&mut self, count: usize) {
        Chunk::advance(self, count);
    }
}

impl From<&'static str> for Chunk {
    fn from(text: &'static str) -> Self {
        Chunk::Shared(Bytes::from_static(text.as_bytes()))
    }
}
