//! Sets of statuses.

use std::fmt;

use manifest::IntOrString;

/// A status or a class of statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusSet {
    /// This one.
    One(u16),
    /// All that begin with this digit: `5xx` is `Class(5)`.
    Class(u16),
}

impl StatusSet {
    /// Reads 404, "404" or "5xx"; the status must lie in `least..=most`.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(written: &IntOrString, least: u16, most: u16) -> Result<Self, String> {
        let fault = || {
            format!(
                "must be a status from {least} to {most}, or a class such as {}xx",
                most / 100
            )
        };
        let text = written.to_string();
        let set = match text.strip_suffix("xx").filter(|class| class.len() == 1) {
            Some(class) => StatusSet::Class(class.parse().map_err(|_| fault())?),
            None => StatusSet::One(text.parse().map_err(|_| fault())?),
        };
        let inside = match set {
            StatusSet::One(status) => (least..=most).contains(&status),
            StatusSet::Class(class) => (least / 100..=most / 100).contains(&class),
        };
        if inside { Ok(set) } else { Err(fault()) }
    }

    /// Whether a status is in the set.
    #[must_use]
    pub fn contains(self, status: u16) -> bool {
        match self {
            StatusSet::One(one) => one == status,
            StatusSet::Class(class) => status / 100 == class,
        }
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatusSet::One(status) => write!(f, "{status}"),
            StatusSet::Class(class) => write!(f, "{class}xx"),
        }
    }
}
