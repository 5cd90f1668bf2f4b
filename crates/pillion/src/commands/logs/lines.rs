//! Whole lines out of a stream of bytes.

/// A line longer than this goes out in pieces, in bytes.
const LONGEST: usize = 1 << 20;

/// Puts a prefix before each line, and gives out whole lines only, so that those of several logs never mix.
#[derive(Debug)]
pub(super) struct Lines {
    prefix: Vec<u8>,
    /// The begun line, with its prefix.
    begun: Vec<u8>,
}

impl Lines {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.as_bytes().to_vec(),
            begun: Vec::new(),
        }
    }

    /// The lines that these bytes complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut complete = Vec::with_capacity(bytes.len() + self.begun.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.is_empty() {
                self.begun.extend_from_slice(&self.prefix);
            }
            self.begun.extend_from_slice(line);
            if line.ends_with(b"\n") || self.begun.len() > LONGEST {
                complete.append(&mut self.begun);
            }
        }
        complete
    }

    /// The last line, if it did not end.
    pub(super) fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole() {
        let mut lines = Lines::new("[x] ");
        assert_eq!(lines.push(b"a\nb"), b"[x] a\n");
        assert_eq!(lines.push(b"c"), b"");
        assert_eq!(lines.push(b"\n\nd"), b"[x] bc\n[x] \n");
        assert_eq!(lines.end(), b"[x] d");
        assert_eq!(lines.end(), b"");
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end() {
        let mut lines = Lines::new("");
        assert_eq!(lines.push(&vec![b'x'; LONGEST + 1]).len(), LONGEST + 1);
        assert_eq!(lines.push(b"\n"), b"\n");
    }
}
