//! What is wrong with an object, in the words of the API server, collected and not yet tied to a place in a text.

use std::fmt;

use crate::path::Path;

/// One thing that is wrong, or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where in the object.
    pub path: Path,
    /// The whole message, path included.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether something is missing, which may be a consequence of another finding.
    pub missing: bool,
}

impl Finding {
    /// A finding with its path in front of the message.
    #[must_use]
    pub fn at(path: &Path, message: impl fmt::Display) -> Self {
        Finding::plain(path, format!("{path}: {message}"))
    }

    /// A finding whose message says by itself where.
    #[must_use]
    pub fn plain(path: &Path, message: impl Into<String>) -> Self {
        Finding {
            path: path.clone(),
            message: message.into(),
            hint: None,
            missing: false,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    /// Notes one.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Required value`: something that must be given is missing.
    pub fn required(&mut self, path: &Path, detail: &str) {
        let mut finding = Finding::at(path, detailed("Required value", detail));
        finding.missing = true;
        self.push(finding);
    }

    /// `Invalid value`: the value cannot be meant.
    pub fn invalid(&mut self, path: &Path, value: impl Shown, detail: impl fmt::Display) {
        self.push(Finding::at(
            path,
            format_args!("Invalid value: {}: {detail}", value.shown()),
        ));
    }

    /// One finding for each of several faults of the same value.
    pub fn invalid_all(&mut self, path: &Path, value: &str, details: Vec<String>) {
        for detail in details {
            self.invalid(path, value, detail);
        }
    }

    /// `Forbidden`: it may not be given here.
    pub fn forbidden(&mut self, path: &Path, detail: &str) {
        self.push(Finding::at(path, format_args!("Forbidden: {detail}")));
    }

    /// `Duplicate value`: another one has it already.
    pub fn duplicate(&mut self, path: &Path, value: impl Shown) {
        self.push(Finding::at(
            path,
            format_args!("Duplicate value: {}", value.shown()),
        ));
    }

    /// `Not found`, with the nearest of the names that do exist.
    pub fn not_among<'a>(
        &mut self,
        path: &Path,
        value: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        let finding = Finding::at(path, format_args!("Not found: {}", value.shown()));
        self.push(match crate::nearest::nearest(value, known) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding,
        });
    }

    /// `Not found`: it names something that is not there.
    pub fn not_found(&mut self, path: &Path, value: &str) {
        self.push(Finding::at(
            path,
            format_args!("Not found: {}", value.shown()),
        ));
    }

    /// `Unsupported value`: it is none of the words that may stand here; names the nearest.
    pub fn not_supported(&mut self, path: &Path, value: &str, words: &[&str]) {
        self.push(not_supported(path, value, words));
    }

    /// `Too many`: a list is longer than it may be.
    pub fn too_many(&mut self, path: &Path, count: usize, most: usize) {
        self.push(Finding::at(
            path,
            format_args!("Too many: {count}: must have at most {most} items"),
        ));
    }

    /// `Too long`: a text has more bytes than it may have.
    pub fn too_long(&mut self, path: &Path, most: usize) {
        self.push(Finding::at(
            path,
            format_args!("Too long: may not be more than {most} bytes"),
        ));
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A word that is none of those the field takes.
pub(crate) fn not_supported(path: &Path, value: &str, words: &[&str]) -> Finding {
    let known: Vec<String> = words.iter().map(|word| word.shown()).collect();
    let message = format!(
        "Unsupported value: {}: supported values: {}",
        value.shown(),
        known.join(", ")
    );
    let finding = Finding::at(path, message);
    match crate::nearest::nearest(value, words.iter().copied()) {
        Some(word) => finding.hint(format!("did you mean `{word}`?")),
        None => finding,
    }
}

fn detailed(kind: &str, detail: &str) -> String {
    if detail.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}: {detail}")
    }
}

/// How a bad value is shown: text in quotes, numbers bare.
pub trait Shown {
    /// The value for a message.
    fn shown(&self) -> String;
}

impl Shown for str {
    fn shown(&self) -> String {
        // A value can be a whole file; its beginning says enough.
        const MOST: usize = 200;
        match self.char_indices().nth(MOST) {
            Some((end, _)) => format!("{:?}...", &self[..end]),
            None => format!("{self:?}"),
        }
    }
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> String {
        (**self).shown()
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

macro_rules! shown_bare {
    ($($ty:ty),*) => { $(impl Shown for $ty {
        fn shown(&self) -> String {
            self.to_string()
        }
    })* };
}

shown_bare!(i32, i64, usize, bool);

impl Shown for crate::quantity::Quantity {
    fn shown(&self) -> String {
        self.to_string().shown()
    }
}
