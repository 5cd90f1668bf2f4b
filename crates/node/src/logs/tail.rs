//! The end of what a container wrote, kept in memory.

/// How much of the end of a log is kept in memory: what a termination message may take from it (R15.3), and
/// the line end before it.
pub(super) const TAIL_BYTES: usize = lifecycle::message::LOG_BYTES + 1;

/// The end of what a container wrote, both streams together.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// The end of what was written so far.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let keep = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        self.bytes.extend_from_slice(keep);
        if self.bytes.len() > 4 * TAIL_BYTES {
            self.bytes.drain(..self.bytes.len() - TAIL_BYTES);
        }
    }

    pub(super) fn last(&self) -> Vec<u8> {
        self.bytes[self.bytes.len().saturating_sub(TAIL_BYTES)..].to_vec()
    }
}
