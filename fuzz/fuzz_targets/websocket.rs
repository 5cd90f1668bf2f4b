//! Any bytes as the frames of a WebSocket: no panic, and nothing held but what is not complete.

#![no_main]

use libfuzzer_sys::fuzz_target;
use streaming::websocket::{Decoder, Role};

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let role = if first & 1 == 0 { Role::Client } else { Role::Server };
    let mut decoder = Decoder::new(role);
    for part in bytes.chunks(usize::from(first >> 1).max(1)) {
        decoder.buffer().extend_from_slice(part);
        loop {
            match decoder.event() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(decoder.buffer().len() < 139, "only the head of a frame, and a ping, wait");
    }
});
