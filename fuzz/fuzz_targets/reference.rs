//! Any text as an image reference: no panic, and what is accepted is accepted again in its own words.

#![no_main]

use image::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(reference) = Reference::parse(text) else { return };
    assert_eq!(Reference::parse(&reference.to_string()).as_ref(), Ok(&reference));
    assert_eq!(Reference::parse(&reference.familiar()).as_ref(), Ok(&reference));
});
