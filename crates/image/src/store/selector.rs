//! How a person says which image: by name, or by the beginning of its ID.

use super::index::{Index, Record};
use super::{Error, Reference};

/// One image of the store, by name or by ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    text: String,
    reference: Option<Reference>,
}

/// Shortest beginning of an ID that is taken for one.
const PREFIX_MIN: usize = 4;

impl Selector {
    /// From the command line: `nginx`, `sha256:0123...`, `0123456789ab`. A name goes before an ID.
    pub fn parse(text: &str) -> Selector {
        Selector {
            text: text.to_owned(),
            reference: Reference::parse(text).ok(),
        }
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn find(&self, index: &Index) -> Result<Record, Error> {
        self.find_from(index).map(|(record, _)| record)
    }

    /// The image, and whether it was found by its name.
    pub(super) fn find_from(&self, index: &Index) -> Result<(Record, bool), Error> {
        let by_name = self
            .reference
            .as_ref()
            .and_then(|reference| index.find(reference));
        if let Some(record) = by_name {
            return Ok((record, true));
        }
        let not_found = || Error::NotFound(self.text.clone());
        let prefix = self.text.strip_prefix("sha256:").unwrap_or(&self.text);
        let is_hex = prefix
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if prefix.len() < PREFIX_MIN || !is_hex {
            return Err(not_found());
        }
        let builtin = index.builtin_record();
        let mut found: Option<Record> = None;
        for record in index.images.iter().cloned().chain(builtin) {
            if !record.id.hex().starts_with(prefix) && !record.manifest.hex().starts_with(prefix) {
                continue;
            }
            match &found {
                Some(first) if first.id != record.id => {
                    return Err(Error::Ambiguous(self.text.clone()));
                }
                Some(_) => {}
                None => found = Some(record),
            }
        }
        found.map(|record| (record, false)).ok_or_else(not_found)
    }
}

impl From<&Reference> for Selector {
    fn from(reference: &Reference) -> Selector {
        Selector {
            text: reference.familiar(),
            reference: Some(reference.clone()),
        }
    }
}

impl From<&Selector> for Selector {
    fn from(selector: &Selector) -> Selector {
        selector.clone()
    }
}
