//! Any template on any object: an answer or an error in bounded time, and never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use printers::jsonpath::Template;
use serde_json::Value;

fuzz_target!(|input: (&str, &str)| {
    let (template, object) = input;
    let Ok(object) = serde_json::from_str::<Value>(object) else { return };
    for read in [Template::parse(template), Template::parse_relaxed(template)] {
        match read.map(|template| template.print(&object)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => assert!(!error.to_string().is_empty()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
