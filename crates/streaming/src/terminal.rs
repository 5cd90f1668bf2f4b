//! The size of a client's terminal, which arrives whenever it changes.

use serde::{Deserialize, Serialize};

use crate::StreamReader;

/// Sizes are a few dozen bytes of JSON each: what is longer is none.
const LIMIT: usize = 1 << 10;

/// How large a terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// The sizes that a client's terminal takes, as it tells them. To be taken as they come, or dropped.
#[derive(Debug)]
pub struct TerminalSizes {
    reader: StreamReader,
    buffer: Vec<u8>,
}

impl TerminalSizes {
    pub(crate) fn new(reader: StreamReader) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
        }
    }

    /// The next size, the first one included; `None` once no more can come. What is no size is passed over.
    /// Nothing is lost when this is dropped midway.
    pub async fn next(&mut self) -> Option<TerminalSize> {
        loop {
            if let Some(size) = take(&mut self.buffer) {
                return Some(size);
            }
            let part = self.reader.part().await;
            if part.is_empty() {
                return None;
            }
            self.buffer.extend_from_slice(&part);
        }
    }
}

/// Takes the first size out of a buffer of JSON documents, whole or not.
fn take(buffer: &mut Vec<u8>) -> Option<TerminalSize> {
    let mut documents = serde_json::Deserializer::from_slice(buffer).into_iter();
    match documents.next() {
        Some(Ok(size)) => {
            let end = documents.byte_offset();
            buffer.drain(..end);
            Some(size)
        }
        Some(Err(error)) if error.is_eof() && buffer.len() <= LIMIT => None,
        Some(Err(_)) | None => {
            buffer.clear();
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(parts: &[&str]) -> Vec<(u16, u16)> {
        let mut buffer = Vec::new();
        let mut sizes = Vec::new();
        for part in parts {
            buffer.extend_from_slice(part.as_bytes());
            while let Some(size) = take(&mut buffer) {
                sizes.push((size.width, size.height));
            }
        }
        sizes
    }

    #[test]
    fn sizes_come_in_parts_and_together() {
        let parts = [
            "{\"Width\":80,\"Height\":24}\n{\"Wid",
            "th\":132,\"Height\":43}\n",
        ];
        assert_eq!(sizes(&parts), [(80, 24), (132, 43)]);
    }

    #[test]
    fn what_is_no_size_is_passed_over() {
        let endless = "[".repeat(2 * LIMIT);
        let parts = [
            "nonsense",
            "{\"Width\":-1,\"Height\":24}",
            &endless,
            "{\"Width\":80,\"Height\":24}",
        ];
        assert_eq!(sizes(&parts), [(80, 24)]);
    }
}
