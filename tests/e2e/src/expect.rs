//! Compares what a command did with what its case says, and tells differences so that they can be read.

use std::fs;
use std::io;
use std::path::Path;

use similar::TextDiff;

use crate::case::{Case, Expected, Place, Settings};
use crate::run::Transcript;

/// All differences; none when the case passes.
pub fn compare(case: &Case, transcript: &Transcript) -> Vec<String> {
    let mut problems = failures(case, transcript);
    if transcript.code != case.code {
        problems.push(format!(
            "exit code: expected {}, got {}",
            case.code, transcript.code
        ));
    }
    let streams = [
        ("stdout", &case.stdout, &transcript.stdout),
        ("stderr", &case.stderr, &transcript.stderr),
    ];
    for (name, expected, got) in streams {
        problems.extend(stream(name, expected, got, &case.settings));
    }
    // An unexpected end is seldom understood without the last words.
    if !problems.is_empty() && !matches!(case.stderr, Expected::Text(_)) {
        problems.push(format!("stderr was:\n{}", indent(&transcript.stderr)));
    }
    problems
}

/// Writes what the command did as what is expected. Lists of patterns are written by people and stay.
/// What no update can make right is returned as by [`compare`].
pub fn update(case: &Case, transcript: &Transcript) -> Vec<String> {
    let mut problems = failures(case, transcript);
    if !problems.is_empty() {
        return problems;
    }
    let code = (transcript.code != 0).then(|| format!("{}\n", transcript.code));
    let stdout =
        (!transcript.stdout.is_empty()).then(|| ordered(&transcript.stdout, &case.settings));
    let mut writes = vec![("code", code)];
    match &case.stdout {
        Expected::Unsaid | Expected::Text(_) => writes.push(("stdout", stdout)),
        Expected::Patterns(_) => {}
    }
    if matches!(case.stderr, Expected::Text(_)) {
        writes.push(("stderr", Some(ordered(&transcript.stderr, &case.settings))));
    }
    for (name, text) in writes {
        if let Err(error) = write_or_remove(&case.dir.join(name), text.as_deref()) {
            problems.push(format!("update {name}: {error}"));
        }
    }
    for (name, expected, got) in [
        ("stdout", &case.stdout, &transcript.stdout),
        ("stderr", &case.stderr, &transcript.stderr),
    ] {
        if matches!(expected, Expected::Patterns(_)) {
            problems.extend(stream(name, expected, got, &case.settings));
        }
    }
    problems
}

/// What is wrong whatever the case says.
fn failures(case: &Case, transcript: &Transcript) -> Vec<String> {
    let mut problems = Vec::new();
    if transcript.timed_out {
        problems.push(format!(
            "not done after {} s; stdout was:\n{}",
            case.settings.timeout.as_secs(),
            indent(&transcript.stdout)
        ));
    }
    if !transcript.leftover.is_empty() {
        problems.push(format!("left behind:\n{}", indent(&transcript.leftover)));
    }
    problems
}

fn stream(name: &str, expected: &Expected, got: &str, settings: &Settings) -> Vec<String> {
    match expected {
        Expected::Unsaid if name == "stdout" => text(name, "", got, settings).into_iter().collect(),
        Expected::Unsaid => Vec::new(),
        Expected::Text(expected) => text(name, expected, got, settings).into_iter().collect(),
        Expected::Patterns(_) => patterns(name, expected, got),
    }
}

fn text(name: &str, expected: &str, got: &str, settings: &Settings) -> Option<String> {
    let (expected, got) = (ordered(expected, settings), ordered(got, settings));
    if expected == got {
        return None;
    }
    let diff = TextDiff::from_lines(&expected, &got);
    let diff = diff
        .unified_diff()
        .context_radius(5)
        .header("expected", "got")
        .to_string();
    Some(format!("{name} differs:\n{}", indent(&diff)))
}

fn patterns(name: &str, expected: &Expected, got: &str) -> Vec<String> {
    let Expected::Patterns(patterns) = expected else {
        return Vec::new();
    };
    let lines: Vec<&str> = got.lines().collect();
    let mut problems = Vec::new();
    let mut after = 0;
    for pattern in patterns {
        let from = if pattern.place == Place::After {
            after
        } else {
            0
        };
        let found = lines[from..]
            .iter()
            .position(|line| pattern.regex.is_match(line));
        match (pattern.place, found) {
            (Place::Nowhere, Some(at)) => {
                problems.push(format!("{name} has a line that must not be: {}", lines[at]));
            }
            (Place::Nowhere, None) => {}
            (_, Some(at)) => after = from + at + 1,
            (Place::Anywhere, None) => {
                problems.push(format!(
                    "{name} has no line that matches: {}",
                    pattern.regex
                ));
            }
            (Place::After, None) => problems.push(format!(
                "{name} has no line that matches, below the one before it: {}",
                pattern.regex
            )),
        }
    }
    if !problems.is_empty() && name == "stdout" {
        problems.push(format!("stdout was:\n{}", indent(got)));
    }
    problems
}

/// The text with its lines in an order that does not depend on chance.
fn ordered(text: &str, settings: &Settings) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if settings.unordered {
        lines.sort_unstable();
    } else if settings.interleaved {
        // A stable sort by what stands before the bar: the container's name.
        lines.sort_by_key(|line| line.split_once(" | ").map(|(name, _)| name));
    }
    lines.concat()
}

fn write_or_remove(path: &Path, text: Option<&str>) -> io::Result<()> {
    match text {
        Some(text) => fs::write(path, text),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

fn indent(text: &str) -> String {
    const LONGEST: usize = 16 << 10;
    let cut = text.len().saturating_sub(LONGEST);
    let cut = (cut..text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    let mut indented = if cut > 0 {
        format!("  ({cut} bytes before)\n")
    } else {
        String::new()
    };
    for line in text[cut..].lines() {
        indented.push_str("  ");
        indented.push_str(line);
        indented.push('\n');
    }
    indented
}

#[cfg(test)]
mod tests;
