//! `test` and `[`.

use super::exec::Shell;
use crate::sim::fs::Entry;

/// The exit code of `test`.
pub(super) fn run(shell: &Shell, name: &str, arguments: &[String]) -> i32 {
    let arguments = match (name, arguments) {
        ("[", [inner @ .., last]) if last == "]" => inner,
        ("[", _) => {
            shell.complain("[: missing ]");
            return 2;
        }
        (_, all) => all,
    };
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match or(shell, &words) {
        Some(holds) => i32::from(!holds),
        None => {
            shell.complain("test: syntax error");
            2
        }
    }
}

/// `-o` binds loosest, then `-a`, then `!`.
fn or(shell: &Shell, words: &[&str]) -> Option<bool> {
    let split = |by: &str| (1..words.len().saturating_sub(1)).find(|&i| words[i] == by);
    // Three words that are a comparison are one, whatever they look like.
    if words.len() > 3 {
        for by in ["-o", "-a"] {
            if let Some(at) = split(by) {
                let left = or(shell, &words[..at])?;
                let right = or(shell, &words[at + 1..])?;
                return Some(if by == "-o" {
                    left || right
                } else {
                    left && right
                });
            }
        }
    }
    match words {
        ["!", rest @ ..] if rest.len() != 2 || rest[0].starts_with('-') => {
            or(shell, rest).map(|holds| !holds)
        }
        ["(", inner @ .., ")"] => or(shell, inner),
        [] => Some(false),
        [word] => Some(!word.is_empty()),
        [operator, word] => unary(shell, operator, word),
        [left, operator, right] => binary(left, operator, right),
        _ => None,
    }
}

fn unary(shell: &Shell, operator: &str, word: &str) -> Option<bool> {
    let path = shell.path(word);
    let mounts = &shell.image.mounts;
    let entry = mounts.get(&path);
    Some(match operator {
        "-n" => !word.is_empty(),
        "-z" => word.is_empty(),
        "-e" | "-r" | "-w" | "-x" => entry.is_some(),
        "-f" => matches!(entry, Some(Entry::File(_))),
        "-d" => entry == Some(Entry::Directory),
        "-s" => matches!(entry, Some(Entry::File(bytes)) if !bytes.is_empty()),
        "-h" | "-L" => matches!(mounts.get_link(&path), Some(Entry::Link(_))),
        "-t" => false,
        _ => return None,
    })
}

fn binary(left: &str, operator: &str, right: &str) -> Option<bool> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    Some(match operator {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        _ => {
            let (left, right) = (number(left)?, number(right)?);
            match operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-lt" => left < right,
                "-le" => left <= right,
                "-gt" => left > right,
                "-ge" => left >= right,
                _ => return None,
            }
        }
    })
}
