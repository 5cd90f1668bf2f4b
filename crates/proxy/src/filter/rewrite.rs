//! ReplaceFullPath and ReplacePrefixMatch.

use super::prefix_elements;
use crate::config::{PathMatch, PathModifier};
use crate::path::Normal;

/// The path that a modifier makes of a path.
pub(super) fn replaced(
    modifier: &PathModifier,
    matched: Option<&PathMatch>,
    normal: &Normal<'_>,
) -> String {
    let path = match modifier {
        PathModifier::ReplaceFullPath(path) => path.clone(),
        PathModifier::ReplacePrefixMatch(replacement) => {
            match normal.behind(prefix_elements(matched)) {
                "" => replacement.clone(),
                rest => format!("{}{rest}", replacement.trim_end_matches('/')),
            }
        }
    };
    if path.is_empty() {
        return "/".to_owned();
    }
    path
}
