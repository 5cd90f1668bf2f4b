//! A case: what stands in its folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;

use crate::filter::Rule;

/// Why the cases cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the cases.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of `options`, `filters` or a list of patterns.
    #[error("{}, line {line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A folder without a command.
    #[error("{} has no file `cmd`", .0.display())]
    NoCommand(PathBuf),
}

/// A folder of `cases/`.
#[derive(Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// From the file `options`.
    pub settings: Settings,
    /// From the file `filters`.
    pub filters: Vec<Rule>,
    /// What the command is to print on stdout; without a word on it: nothing.
    pub stdout: Expected,
    /// The same for stderr; without a word on it: anything.
    pub stderr: Expected,
    /// The exit code, from the file `code`.
    pub code: i32,
}

/// How a case runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `unordered`: lines may come in any order.
    pub unordered: bool,
    /// `interleaved`: lines of one container keep their order, those of different ones may mix.
    pub interleaved: bool,
    /// `slow`: runs only when slow cases are asked for.
    pub slow: bool,
    /// `alone`: no other case at the same time.
    pub alone: bool,
    /// `timeout SECONDS`.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            unordered: false,
            interleaved: false,
            slow: false,
            alone: false,
            timeout: Duration::from_secs(60),
        }
    }
}

/// What an output is compared with.
#[derive(Debug)]
pub enum Expected {
    /// No file says anything.
    Unsaid,
    /// `stdout`, `stderr`: this text, after filters.
    Text(String),
    /// `stdout.contains`, `stderr.contains`: patterns.
    Patterns(Vec<Pattern>),
}

/// A line of a list of patterns.
#[derive(Debug)]
pub struct Pattern {
    /// What is searched for, line by line.
    pub regex: Regex,
    /// Where it must be found.
    pub place: Place,
}

/// Where a pattern must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In some line.
    Anywhere,
    /// `> PATTERN`: in a line below the one that the pattern before it was found in.
    After,
    /// `! PATTERN`: in no line.
    Nowhere,
}

/// The folder of all cases.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// All cases, by name.
pub fn all() -> Result<Vec<Case>, Error> {
    let root = root();
    let failed = |source| Error::Read {
        path: root.clone(),
        source,
    };
    let mut cases = Vec::new();
    for entry in fs::read_dir(&root).map_err(failed)? {
        let dir = entry.map_err(failed)?.path();
        if dir.is_dir() {
            cases.push(Case::read(dir)?);
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

impl Case {
    /// Reads a folder.
    pub fn read(dir: PathBuf) -> Result<Self, Error> {
        if !dir.join("cmd").is_file() {
            return Err(Error::NoCommand(dir));
        }
        let code = match text(&dir.join("code"))? {
            None => 0,
            Some(code) => code.trim().parse().map_err(|_| Error::Line {
                path: dir.join("code"),
                line: 1,
                message: "not a number".into(),
            })?,
        };
        Ok(Self {
            name: dir
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            settings: settings(&dir.join("options"))?,
            filters: lines(&dir.join("filters"), Rule::parse)?,
            stdout: expected(&dir, "stdout")?,
            stderr: expected(&dir, "stderr")?,
            code,
            dir,
        })
    }
}

fn settings(path: &Path) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    lines(path, |line| {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("unordered", "") => settings.unordered = true,
            ("interleaved", "") => settings.interleaved = true,
            ("slow", "") => settings.slow = true,
            ("alone", "") => settings.alone = true,
            ("timeout", seconds) => {
                let seconds = seconds
                    .trim()
                    .parse()
                    .map_err(|_| "timeout takes whole seconds")?;
                settings.timeout = Duration::from_secs(seconds);
            }
            _ => return Err(format!("no option {line:?}")),
        }
        Ok(())
    })?;
    Ok(settings)
}

fn expected(dir: &Path, stream: &str) -> Result<Expected, Error> {
    if let Some(text) = text(&dir.join(stream))? {
        return Ok(Expected::Text(text));
    }
    let path = dir.join(format!("{stream}.contains"));
    if !path.exists() {
        return Ok(Expected::Unsaid);
    }
    lines(&path, |line| {
        let (place, pattern) = match line.split_at_checked(2) {
            Some(("! ", pattern)) => (Place::Nowhere, pattern),
            Some(("> ", pattern)) => (Place::After, pattern),
            _ => (Place::Anywhere, line),
        };
        let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
        Ok(Pattern { regex, place })
    })
    .map(Expected::Patterns)
}

/// Each line that is neither empty nor a comment, as `parse` makes of it.
fn lines<T>(
    path: &Path,
    mut parse: impl FnMut(&str) -> Result<T, String>,
) -> Result<Vec<T>, Error> {
    let text = text(path)?.unwrap_or_default();
    let counted = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    counted
        .map(|(at, line)| {
            parse(line).map_err(|message| Error::Line {
                path: path.to_owned(),
                line: at + 1,
                message,
            })
        })
        .collect()
}

fn text(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Case, Error>) {
        let dir = tempfile::tempdir().expect("temporary folder");
        for (name, text) in files {
            fs::write(dir.path().join(name), text).expect("write");
        }
        let case = Case::read(dir.path().to_owned());
        (dir, case)
    }

    #[test]
    fn every_case_of_the_project_reads() {
        assert!(!all().expect("cases").is_empty());
    }

    #[test]
    fn a_case_without_words_expects_success_and_silence() {
        let (_dir, case) = folder(&[("cmd", "true\n")]);
        let case = case.expect("case");
        assert_eq!(case.code, 0);
        assert!(matches!(case.stdout, Expected::Unsaid));
        assert_eq!(case.settings, Settings::default());
    }

    #[test]
    fn options_and_patterns() {
        let (_dir, case) = folder(&[
            ("cmd", "true\n"),
            ("code", "3\n"),
            ("options", "# why\ninterleaved\ntimeout 5\n"),
            ("stderr.contains", "one\n> two\n! three\n"),
        ]);
        let case = case.expect("case");
        assert_eq!(case.code, 3);
        assert!(case.settings.interleaved);
        assert_eq!(case.settings.timeout, Duration::from_secs(5));
        let Expected::Patterns(patterns) = case.stderr else {
            panic!("patterns expected")
        };
        let places: Vec<_> = patterns.iter().map(|pattern| pattern.place).collect();
        assert_eq!(places, [Place::Anywhere, Place::After, Place::Nowhere]);
    }

    #[test]
    fn what_is_misspelt_is_named_with_its_line() {
        let (_dir, case) = folder(&[("cmd", "true\n"), ("options", "slow\nslwo\n")]);
        let message = case.expect_err("an unknown option").to_string();
        assert!(
            message.ends_with("options, line 2: no option \"slwo\""),
            "{message}"
        );
        let (_dir, case) = folder(&[("pod.yaml", "")]);
        assert!(matches!(case, Err(Error::NoCommand(_))));
    }
}
