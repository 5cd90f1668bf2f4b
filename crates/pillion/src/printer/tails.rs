//! The last lines of each container, for the summary after a failure.

use std::collections::HashMap;

/// How many lines a summary shows.
const LINES: usize = 10;
/// And at most so many bytes of them.
const BYTES: usize = 2048;

/// The end of every container's output.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    logs: HashMap<(String, String), Tail>,
    waits: HashMap<(String, String), String>,
}

#[derive(Debug, Default)]
struct Tail {
    /// Which run wrote it.
    instance: u32,
    bytes: Vec<u8>,
}

impl Tails {
    /// Takes note of output; that of an earlier run of the container is forgotten.
    pub(crate) fn push(&mut self, source: &(String, String), instance: u32, bytes: &[u8]) {
        if !self.logs.contains_key(source) {
            self.logs.insert(source.clone(), Tail::default());
        }
        let Some(tail) = self.logs.get_mut(source) else {
            return;
        };
        if tail.instance != instance {
            *tail = Tail {
                instance,
                bytes: Vec::new(),
            };
        }
        let tail = &mut tail.bytes;
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(BYTES)..]);
        if tail.len() > 4 * BYTES {
            tail.drain(..tail.len() - BYTES);
        }
    }

    /// Takes note of what a container waits for.
    pub(crate) fn waits(&mut self, pod: &str, container: &str, text: &str) {
        self.waits
            .insert((pod.to_owned(), container.to_owned()), text.to_owned());
    }

    /// What a container waited for when it was last heard of waiting.
    pub(crate) fn last_wait(&self, pod: &str, container: &str) -> Option<&str> {
        self.waits
            .get(&(pod.to_owned(), container.to_owned()))
            .map(String::as_str)
    }

    /// The last lines of a container, the oldest first; none if it wrote nothing.
    pub(crate) fn last_lines(&self, pod: &str, container: &str) -> Vec<String> {
        let Some(Tail { bytes: tail, .. }) = self.logs.get(&(pod.to_owned(), container.to_owned()))
        else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&tail[tail.len().saturating_sub(BYTES)..]).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..]
            .iter()
            .map(|line| (*line).to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_lines() {
        let source = ("pod".to_owned(), "app".to_owned());
        let mut tails = Tails::default();
        for n in 0..5000 {
            tails.push(&source, 0, format!("line {n}\n").as_bytes());
        }
        let lines = tails.last_lines("pod", "app");
        assert_eq!(
            (lines.len(), lines[0].as_str(), lines[9].as_str()),
            (10, "line 4990", "line 4999")
        );
        assert!(tails.last_lines("pod", "other").is_empty());
        tails.push(&source, 1, b"again\n");
        assert_eq!(tails.last_lines("pod", "app"), ["again"]);
    }
}
