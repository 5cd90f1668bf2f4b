//! The argument of `-o`.

use std::fs;

use printers::output::Format;

use crate::commands::Failure;

/// Reads it; a template may stand in a file.
pub(crate) fn parse(argument: Option<&str>) -> Result<Option<Format>, Failure> {
    let Some(argument) = argument.filter(|argument| !argument.is_empty()) else {
        return Ok(None);
    };
    let parsed = match argument.split_once('=') {
        Some(("jsonpath-file", path)) => {
            let template = fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("error reading --template {path}"), error))?;
            Format::parse(&format!("jsonpath={template}"))
        }
        _ => Format::parse(argument),
    };
    parsed.map(Some).map_err(Failure::saying)
}
