//! Regular expressions that must take the whole of a text.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// A regular expression of the `regex` crate (no look-around, linear time), compared with whole texts.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    regex: Regex,
}

/// Bound of a compiled expression's memory, in bytes.
const MOST: usize = 1 << 20;

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        // By itself first, so that an unbalanced parenthesis cannot escape the group around it.
        let build = |text: &str| RegexBuilder::new(text).size_limit(MOST).build();
        let regex = build(text).and_then(|_| build(&format!("^(?:{text})$")));
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is too big".to_owned(),
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!(
                    "must be a regular expression: {}",
                    last.trim_start_matches("error: ")
                )
            }
        })?;
        Ok(Pattern {
            written: text.to_owned(),
            regex,
        })
    }

    /// Whether it takes the whole text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_whole_texts_only() {
        let pattern = Pattern::parse("/a|/b[0-9]+").unwrap();
        assert!(pattern.matches("/a") && pattern.matches("/b12"));
        assert!(!pattern.matches("/ab") && !pattern.matches("/b12/") && !pattern.matches("x/a"));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["(", ")(", "a)|(b", "[", "(?=a)", "a{1000}{1000}"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
