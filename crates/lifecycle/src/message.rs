//! Termination messages: where they come from and how much of them is kept (section 15).

use manifest::core::v1::{Container, TerminationMessagePolicy};

/// Most bytes read from the end of the file (R15.2).
pub const FILE_LIMIT: usize = 4096;
/// Most bytes taken from the end of the log (R15.3).
pub const LOG_BYTES: usize = 2048;
/// Most lines taken from the end of the log (R15.3).
pub const LOG_LINES: usize = 80;
/// Bytes that all containers of a Pod share (R15.2).
const POD_LIMIT: usize = 12 * 1024;

/// The end of a termination message file.
#[must_use]
pub fn tail_of_file(content: &[u8]) -> String {
    lossy_tail(content, FILE_LIMIT)
}

/// The end of a log: at most [`LOG_LINES`] lines and [`LOG_BYTES`] bytes.
#[must_use]
pub fn tail_of_log(log: &[u8]) -> String {
    let complete = log.strip_suffix(b"\n").unwrap_or(log);
    let mut breaks = complete
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n');
    let start = breaks.nth(LOG_LINES - 1).map_or(0, |(at, _)| at + 1);
    lossy_tail(&log[start..], LOG_BYTES)
}

/// Whether the end of the log stands in for an empty file (R15.3, R15.4).
#[must_use]
pub fn falls_back_to_log(container: &Container, exit_code: i32, file_is_empty: bool) -> bool {
    let policy = container.termination_message_policy;
    let falls_back = policy == Some(TerminationMessagePolicy::FallbackToLogsOnError);
    falls_back && exit_code != 0 && file_is_empty
}

/// A container's share of the Pod's bytes, whatever the others use (R15.2).
#[must_use]
pub fn share_of(containers: usize) -> usize {
    POD_LIMIT / containers.max(1)
}

/// The first `limit` bytes, less where that would split a character.
#[must_use]
pub fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn lossy_tail(bytes: &[u8], limit: usize) -> String {
    let mut tail = &bytes[bytes.len().saturating_sub(limit)..];
    if tail.len() < bytes.len() {
        // Not to begin within a character.
        let within = tail
            .iter()
            .take(3)
            .take_while(|&&byte| byte & 0xc0 == 0x80)
            .count();
        tail = &tail[within..];
    }
    String::from_utf8_lossy(tail).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r15_2_last_4096_bytes_of_the_file() {
        let content = [b"x".repeat(1000), b"y".repeat(4096)].concat();
        assert_eq!(tail_of_file(&content), "y".repeat(4096));
    }

    #[test]
    fn r15_2_share_is_12_kib_over_all_containers() {
        assert_eq!(share_of(1), 12288);
        assert_eq!(share_of(8), 1536);
        assert_eq!(cut("äöü", 3), "ä");
    }

    #[test]
    fn r15_3_last_80_lines_and_2048_bytes_of_the_log() {
        let log: String = (1..=200).map(|n| format!("{n}\n")).collect();
        let tail = tail_of_log(log.as_bytes());
        assert_eq!(tail.lines().count(), 80);
        assert!(
            tail.starts_with("121\n") && tail.ends_with("200\n"),
            "{tail}"
        );
        assert_eq!(tail_of_log("z".repeat(5000).as_bytes()).len(), 2048);
        assert_eq!(tail_of_log(b"one"), "one");
    }

    #[test]
    fn r15_4_falls_back_only_on_error_with_an_empty_file() {
        let policy = TerminationMessagePolicy::FallbackToLogsOnError;
        let mut container = Container {
            termination_message_policy: Some(policy),
            ..Container::default()
        };
        assert!(falls_back_to_log(&container, 1, true));
        assert!(!falls_back_to_log(&container, 0, true));
        assert!(!falls_back_to_log(&container, 1, false));
        container.termination_message_policy = Some(TerminationMessagePolicy::File);
        assert!(!falls_back_to_log(&container, 1, true));
    }
}
