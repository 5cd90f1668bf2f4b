//! The last lines of each container, for the summary after a failure.

use std::collections::HashMap;

/// How many lines a summary shows.
const LINES: usize = 10;
/// And at most so many bytes of them.
const BYTES: usize = 2048;

/// The end of every container's output.
#[derive(Debug, Default)]
pub(crate) struct Tails(HashMap<(String, String), Vec<u8>>);

impl Tails {
    /// Takes note of output.
    pub(crate) fn push(&mut self, source: &(String, String), bytes: &[u8]) {
        if !self.0.contains_key(source) {
            self.0.insert(source.clone(), Vec::new());
        }
        let Some(tail) = self.0.get_mut(source) else {
            return;
        };
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(BYTES)..]);
        if tail.len() > 4 * BYTES {
            tail.drain(..tail.len() - BYTES);
        }
    }

    /// The last lines of a container, the oldest first; none if it wrote nothing.
    pub(crate) fn last_lines(&self, pod: &str, container: &str) -> Vec<String> {
        let Some(tail) = self.0.get(&(pod.to_owned(), container.to_owned())) else {
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
            tails.push(&source, format!("line {n}\n").as_bytes());
        }
        let lines = tails.last_lines("pod", "app");
        assert_eq!(
            (lines.len(), lines[0].as_str(), lines[9].as_str()),
            (10, "line 4990", "line 4999")
        );
        assert!(tails.last_lines("pod", "other").is_empty());
    }
}
