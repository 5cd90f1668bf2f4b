//! RequestHeaderModifier and ResponseHeaderModifier.

use crate::config::HeaderModifier;
use crate::message::Headers;

/// Edits header fields. Names and values were checked when they were read.
pub(super) fn modify(modifier: &HeaderModifier, headers: &mut Headers) {
    for (name, value) in &modifier.set {
        let _ = headers.set(name, value.as_bytes());
    }
    for (name, value) in &modifier.add {
        let _ = headers.append(name, value.as_bytes());
    }
    for name in &modifier.remove {
        headers.remove(name);
    }
}
